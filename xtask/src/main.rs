//! Developer chores: `cargo xtask <chore>`.

mod boot_test;

use std::process::ExitCode;

use clap::Parser;

#[derive(Parser)]
enum Chore {
    BootTest(boot_test::Args),
}

fn main() -> ExitCode {
    match Chore::parse() {
        Chore::BootTest(args) => boot_test::run(&args),
    }
}
