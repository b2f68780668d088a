//! Packages of every format around given members.

use wifibox_formats::PackageFormat;
use wifibox_testkit::adbwriter::{ADB, V, block, info, object, payload, plain};
use wifibox_testkit::apkrepo::Package;
use wifibox_testkit::opkgrepo::outer;
use wifibox_testkit::rawtar::{Member, gzip, tar};
use wifibox_testkit::tarball::ar;

use super::file;

/// The formats whose packages hold tar archives.
pub const TAR_FORMATS: [PackageFormat; 3] =
    [PackageFormat::Deb, PackageFormat::Apk, PackageFormat::Ipk];

/// The members of the control file of a `.deb` or `.ipk`.
pub fn control() -> Vec<u8> {
    let text = "Package: trap\nVersion: 1\nArchitecture: all\n";
    tar(&[Member { content: text.into(), ..file("control") }], true)
}

pub fn of_members(format: PackageFormat, members: &[Member]) -> Vec<u8> {
    let part = |name: &str, bytes: Vec<u8>| (name.to_owned(), bytes);
    let version = part("debian-binary", b"2.0\n".to_vec());
    let data = tar(members, true);
    match format {
        PackageFormat::Deb => {
            ar(&[version, part("control.tar", control()), part("data.tar", data)])
        }
        PackageFormat::Ipk => {
            let control = part("control.tar.gz", gzip(&control()));
            outer(&[version, control, part("data.tar.gz", gzip(&data))])
        }
        _ => members.iter().cloned().fold(Package::new("trap", "1"), Package::raw).build(),
    }
}

pub fn apk3(paths: Vec<V>, contents: &[Vec<u8>]) -> Vec<u8> {
    let root = object([(1, V::Object(info("trap", "1"))), (2, V::Array(paths))]);
    plain(b"pckg", &[&[block(ADB, &payload(&root))], contents].concat())
}
