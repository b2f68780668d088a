//! The fuzz targets: everything that reads files which others wrote, by family.
//!
//! A target has seeds, which are generated, words of its format for the mutator, and a function that reads one input
//! as a build would and panics where something was accepted that must not be.

mod archives;
mod codecs;
mod documents;
mod hosts;
mod images;
mod indexes;
mod kernels;
mod keys;
mod round_trips;
mod texts;

use super::mutate::Words;
use super::{adb, script};
use texts::{BINARY, CONTROL, HOST, JSON, TEXT, YAML};

/// Gives bytes to what is fuzzed; whether they were understood.
pub type Run = Box<dyn Fn(&[u8]) -> bool>;

/// Something that reads others' files.
pub struct Target {
    /// Its name, as on the command line.
    pub name: &'static str,
    /// Pieces of its format.
    pub words: Words,
    /// Inputs that are right.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Makes what is needed once, and gives the function that takes inputs.
    pub run: fn() -> Run,
}

const fn target(
    name: &'static str,
    words: &'static [&'static str],
    seeds: fn() -> Vec<Vec<u8>>,
    run: fn() -> Run,
) -> Target {
    Target { name, words: Words::Texts(words), seeds, run }
}

/// All of them.
pub static TARGETS: [Target; 44] = [
    // Indexes of packages.
    target("packages", &CONTROL, indexes::packages, || Box::new(indexes::dpkg)),
    target("opkg-index", &CONTROL, indexes::feed, || Box::new(indexes::opkg)),
    target("apk-index", &CONTROL, indexes::records, || Box::new(indexes::apk)),
    target("unsigned-list", &JSON, indexes::lists, || Box::new(indexes::list)),
    target("release", &CONTROL, indexes::releases, indexes::release),
    target("opkg-sums", &CONTROL, indexes::sums, indexes::opkg_sums),
    target("profiles", &JSON, indexes::profiles, || Box::new(indexes::profile)),
    target("dependencies", &TEXT, indexes::dependencies, || Box::new(indexes::dependency)),
    target("versions", &TEXT, indexes::versions, || Box::new(indexes::version)),
    // Keys, signatures and lists of hashes.
    target("openpgp", &BINARY, keys::openpgp_seeds, keys::openpgp),
    target("apk-key", &TEXT, keys::apk_seeds, || Box::new(keys::apk)),
    target("usign", &TEXT, keys::usign_seeds, || Box::new(keys::usign)),
    target("minisign", &TEXT, keys::minisign_seeds, keys::minisign),
    target("sums", &TEXT, keys::sums_seeds, || Box::new(keys::sums)),
    // Packages.
    target("tar", &TEXT, archives::tars, || Box::new(archives::tar)),
    target("deb", &TEXT, archives::debs, || Box::new(archives::deb)),
    target("apk", &TEXT, archives::apks, || Box::new(archives::apk)),
    target("ipk", &TEXT, archives::ipks, || Box::new(archives::ipk)),
    Target {
        name: "adb",
        words: Words::Numbers(&adb::WORDS),
        seeds: adb::seeds,
        run: || {
            let target = adb::Target::new();
            Box::new(move |bytes| target.run(bytes))
        },
    },
    target("script", &script::WORDS, script::seeds, || {
        let target = script::Target::new();
        Box::new(move |bytes| target.run(bytes))
    }),
    // Codecs.
    target("gzip", &BINARY, codecs::gzips, || Box::new(codecs::gzip)),
    target("xz", &BINARY, codecs::xzs, || Box::new(codecs::xz)),
    target("xz-threads", &BINARY, codecs::blocks, || Box::new(codecs::xz_threads)),
    target("zstd", &BINARY, codecs::zstds, || Box::new(codecs::zstd)),
    target("deflate", &BINARY, codecs::deflates, || Box::new(codecs::deflate)),
    // Kernels.
    target("module", &BINARY, kernels::modules, || Box::new(kernels::module)),
    target("kernel-image", &BINARY, kernels::images, || Box::new(kernels::image)),
    target("kernel-config", &TEXT, kernels::configs, || Box::new(kernels::config)),
    target("builtin", &TEXT, kernels::lists, || Box::new(kernels::builtin)),
    target("depmod", &TEXT, kernels::entries, || Box::new(kernels::depmod)),
    target("whence", &TEXT, kernels::whences, || Box::new(kernels::whence)),
    // Images that are read, and those that are written.
    target("squashfs", &BINARY, images::squashfs_seeds, || Box::new(images::squashfs)),
    target("stub", &BINARY, images::stubs, || Box::new(images::stub)),
    target("fat", &TEXT, round_trips::names, || Box::new(round_trips::fat)),
    target("gpt", &TEXT, round_trips::names, || Box::new(round_trips::gpt)),
    target("newc", &TEXT, round_trips::names, || Box::new(round_trips::newc)),
    // What people and hosts write.
    target("listing", &HOST, hosts::listings, || Box::new(hosts::listing)),
    target("lint", &HOST, hosts::configurations, || Box::new(hosts::lint)),
    target("accounts", &TEXT, hosts::accounts, || Box::new(hosts::account)),
    // Documents of ours.
    target("recipe", &YAML, documents::recipes, documents::recipe),
    target("project", &YAML, documents::projects, || Box::new(documents::project)),
    target("lock", &JSON, documents::locks, || Box::new(documents::lock)),
    target("manifest", &JSON, documents::manifests, || Box::new(documents::manifest)),
    target("artifact", &JSON, documents::artifacts, || Box::new(documents::artifact)),
];

#[cfg(test)]
mod tests;
