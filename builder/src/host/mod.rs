//! What a host needs to run a guest: one file per hypervisor or per way of starting it.
//!
//! [`board`] says what differs between machines, [`boot`] describes how a guest is wired (disks, NIC, 9P shares, console), with the parts of
//! [`machine`], and turns that into QEMU's arguments; [`shares`] lays out the folders that the guest mounts; [`qemu`] writes both
//! down as a shell script; [`config_disk`] makes the disk that replaces the folders where there is no 9P. The facts are those of the guest contract in `docs/`.

pub mod board;
pub mod boot;
pub mod config_disk;
pub mod machine;
pub mod qemu;
pub mod shares;
