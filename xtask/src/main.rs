//! Developer chores: `cargo xtask <chore>`. Each chore is a module; this only dispatches.

mod adb_feed;
mod alpine_mirror;
mod apt_compare;
mod bench;
mod boot_test;
mod chipsets;
mod compare_tree;
mod devices;
mod docs_check;
mod dpkg_compare;
#[cfg(target_os = "linux")]
mod faults;
mod fuzz;
mod kernel;
mod lender;
mod man;
mod openwrt_feed;
mod processor_time;
mod release;
mod solve;
mod tidy;
mod version_compare;
mod xen_house;
mod xen_test;

use std::process::ExitCode;

use clap::Parser;

/// Developer chores of wifibox-build.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Chore {
    /// Pack an installed Alpine into a signed mirror again.
    AlpineMirror(alpine_mirror::Arguments),
    /// Compare the solver's choices with apt's own, over several archives of Debian.
    AptCompare(apt_compare::Arguments),
    /// Measure how long things take.
    Bench(bench::Arguments),
    /// Boot a guest and prove its Wi-Fi path, without root and without a radio.
    BootTest(boot_test::Args),
    /// Write the table of chipsets, from outputs of builds.
    Chipsets(chipsets::Arguments),
    /// Compare two root file systems: folders, tar archives, SquashFS images, output folders.
    CompareTree(compare_tree::Args),
    /// Write the table of wireless devices from the indexes of kernels.
    Devices(devices::Arguments),
    /// Check the command lines and links of the documents.
    DocsCheck(docs_check::Arguments),
    /// Hold maintainer scripts, as the builder understands them, against dpkg.
    DpkgCompare(dpkg_compare::Arguments),
    /// Verify a feed of apk v3: the index, and every package beside it.
    AdbFeed(adb_feed::Arguments),
    /// Build a small guest with every call that touches a file failing once.
    #[cfg(target_os = "linux")]
    Faults(faults::Arguments),
    /// Feed damaged files to the readers of a format.
    Fuzz(fuzz::Arguments),
    /// Make the kernel `slim` from its source.
    Kernel(kernel::Arguments),
    /// Write the man page of the commands.
    Man(man::Arguments),
    /// Write a feed in OpenWrt's layout, signed, whose programs are those of a guest on Debian.
    OpenwrtFeed(openwrt_feed::Arguments),
    /// Write the index, provenance and hashes of a release folder.
    Release(release::Arguments),
    /// Resolve worlds against package indexes: JSON lines in, JSON lines out.
    Solve(solve::Arguments),
    /// Check the sources against the rules of the house: cycles, the picture of the crates, lengths, heads.
    Tidy(tidy::Arguments),
    /// Compare versions: `A B` lines in, one of `<`, `=`, `>` and `invalid` per line out.
    VersionCompare(version_compare::Arguments),
    /// Run a whole house under Xen itself: two driver domains and a firewall between them.
    XenHouse(xen_house::Args),
    /// Run a guest as a driver domain under Xen itself, with a domain behind it.
    XenTest(xen_test::Args),
}

fn main() -> ExitCode {
    let outcome = match Chore::parse() {
        Chore::BootTest(args) => return boot_test::run(&args),
        Chore::XenHouse(args) => return xen_house::run(&args),
        Chore::XenTest(args) => return xen_test::run(&args),
        Chore::Chipsets(arguments) => chipsets::run(arguments),
        Chore::CompareTree(args) => return compare_tree::run(&args),
        Chore::AlpineMirror(arguments) => alpine_mirror::run(&arguments),
        Chore::AptCompare(arguments) => apt_compare::run(arguments),
        Chore::Bench(arguments) => bench::run(arguments),
        Chore::Devices(arguments) => devices::run(arguments),
        Chore::AdbFeed(arguments) => adb_feed::run(arguments),
        Chore::DpkgCompare(arguments) => dpkg_compare::run(&arguments),
        #[cfg(target_os = "linux")]
        Chore::Faults(arguments) => faults::run(&arguments),
        Chore::Fuzz(arguments) => fuzz::run(arguments),
        Chore::DocsCheck(arguments) => docs_check::run(arguments),
        Chore::Kernel(arguments) => kernel::run(arguments),
        Chore::Man(arguments) => man::run(arguments),
        Chore::OpenwrtFeed(arguments) => openwrt_feed::run(&arguments),
        Chore::Release(arguments) => release::run(arguments),
        Chore::Solve(arguments) => solve::run(arguments),
        Chore::Tidy(arguments) => tidy::run(&arguments),
        Chore::VersionCompare(arguments) => version_compare::run(arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(error.as_ref());
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stderr, reason = "the one place where a chore's failure is reported")]
fn complain(error: &dyn std::error::Error) {
    eprintln!("error: {error}");
}
