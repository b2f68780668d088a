//! QEMU: the machine that it makes for a guest, and `host/qemu.sh`, the script that starts it.
//!
//! [`Machine`] is made from the guest's description and becomes QEMU's arguments; the script, `wifibox-build
//! boot` and the boot test all start from it, so that a guest meets the same machine everywhere.

mod board;
mod disks;
mod error;
mod machine;
mod parts;
mod script;
#[cfg(test)]
mod tests;

pub use board::Board;
pub use disks::DiskError;
pub use error::Error;
pub use machine::{Console, Disk, Machine};
pub use parts::{Acceleration, Firmware, Nic};
pub(crate) use script::files;
