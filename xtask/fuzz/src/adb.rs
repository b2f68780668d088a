//! libFuzzer's entry: see `xtask/src/fuzz`.
#![no_main]

#[path = "../../src/fuzz/adb/target.rs"]
mod target;

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use target::Target;

static TARGET: OnceLock<Target> = OnceLock::new();

fuzz_target!(|bytes: &[u8]| {
    TARGET.get_or_init(Target::new).run(bytes);
});
