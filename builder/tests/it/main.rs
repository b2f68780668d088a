//! The program as its callers meet it, and guests from generated distributions.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)] // A fault of a test ends it.

mod alpine_aarch64;
mod alpine_guest;
mod alpine_releases;
mod answers;
mod archives;
mod command_line;
mod detect;
mod diff;
mod freebsd_pkg;
mod freebsd_port;
mod guest_calls;
mod guest_scripts;
mod host;
mod host_scripts;
mod hostile;
mod incremental;
mod inspect;
mod openrc_guest;
mod openwrt_architectures;
mod openwrt_firmware;
mod openwrt_guest;
mod openwrt_partial;
mod own_kernel;
mod point_releases;
mod project;
mod recipes;
mod registry;
mod release;
mod remote_cache;
mod renew;
mod reports;
mod side_by_side;
mod unsigned_sets;
mod verify;
mod wl_guest;
