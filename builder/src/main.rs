//! The command `wifibox-build`: a thin wrapper round the library.

use std::process::ExitCode;

/// The static program's: see Cargo.toml.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    ExitCode::from(wifibox_build::cli::run(std::env::args_os()))
}
