//! The command `wifibox-build`: a thin wrapper round the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(wifibox_build::cli::run(std::env::args_os()))
}
