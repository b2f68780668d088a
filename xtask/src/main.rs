//! Developer chores: `cargo xtask <chore>`.

fn main() {}
