//! The rules for archives: each guards against an image that would be silently wrong or would not
//! mount.

use std::collections::BTreeSet;

use crate::limits::{DEPTH_LIMIT, LINK_LIMIT, OWNER_LIMIT};
use crate::{Archive, Error, ImagePath, Kind, Meta};

/// The largest major device number that Linux knows.
const MAJOR_LIMIT: u32 = 0xfff;
/// The largest minor device number that Linux knows.
const MINOR_LIMIT: u32 = 0xf_ffff;

/// Checks the whole archive before a byte is written.
pub(crate) fn check(archive: &Archive) -> Result<(), Error> {
    let mut owners = BTreeSet::new();
    for (path, node) in archive.iter() {
        check_meta(path, &node.meta)?;
        owners.extend([node.meta.uid, node.meta.gid]);
        if path.depth() > DEPTH_LIMIT {
            return Err(Error::TooDeep { path: path.clone() });
        }
        match &node.kind {
            Kind::Symlink(target) if target.is_empty() || target.len() > LINK_LIMIT => {
                return Err(Error::LinkTarget { path: path.clone(), length: target.len() });
            }
            Kind::CharDevice(major, minor) | Kind::BlockDevice(major, minor) => {
                device_number(*major, *minor).ok_or_else(|| Error::DeviceNumber {
                    path: path.clone(),
                    major: *major,
                    minor: *minor,
                })?;
            }
            _ => {}
        }
    }
    if owners.len() > OWNER_LIMIT {
        return Err(Error::TooManyOwners { count: owners.len() });
    }
    Ok(())
}

fn check_meta(path: &ImagePath, meta: &Meta) -> Result<(), Error> {
    if meta.mode > 0o7777 {
        return Err(Error::Mode { path: path.clone(), mode: meta.mode });
    }
    if let Some(name) = meta.xattrs.keys().next() {
        let name = String::from_utf8_lossy(name).into_owned();
        return Err(Error::Xattr { path: path.clone(), name });
    }
    Ok(())
}

/// A device number as SquashFS stores it (Linux's `new_encode_dev`): 12 bits of major number amid
/// 20 bits of minor number. `None` where one does not fit.
pub(crate) fn device_number(major: u32, minor: u32) -> Option<u32> {
    (major <= MAJOR_LIMIT && minor <= MINOR_LIMIT)
        .then_some((minor & 0xff) | (major << 8) | ((minor & !0xff) << 12))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Entry;

    fn entry(kind: Kind) -> Entry {
        Entry::new(Meta::with_mode(0o644), kind)
    }

    fn checked(path: &str, entry: Entry) -> Result<(), Error> {
        let mut archive = Archive::new();
        archive.insert(path, entry).expect("inserted");
        check(&archive)
    }

    #[test]
    fn each_pitfall_is_an_error_that_names_the_path() {
        let link = |length| checked("a/link", entry(Kind::Symlink(vec![b'x'; length])));
        assert!(link(LINK_LIMIT).is_ok());
        for length in [0, LINK_LIMIT + 1] {
            let error = link(length).expect_err("refused");
            assert!(matches!(error, Error::LinkTarget { .. }), "{error}");
            assert!(error.to_string().contains("/a/link"), "{error}");
        }
        let mut typed = entry(Kind::Fifo);
        typed.meta.mode = 0o10644;
        assert!(matches!(checked("f", typed), Err(Error::Mode { mode: 0o10644, .. })));
        let mut capable = entry(Kind::file(""));
        capable.meta.xattrs.insert(b"security.capability".to_vec(), vec![1]);
        let error = checked("bin/ping", capable).expect_err("refused");
        assert!(error.to_string().contains("/bin/ping"), "{error}");
        assert!(error.to_string().contains("security.capability"), "{error}");
        assert!(matches!(
            checked("d", entry(Kind::CharDevice(0x1000, 0))),
            Err(Error::DeviceNumber { .. })
        ));
        let deep = "d/".repeat(DEPTH_LIMIT);
        assert!(checked(&deep, entry(Kind::Directory)).is_ok());
        assert!(matches!(
            checked(&format!("{deep}x"), entry(Kind::Directory)),
            Err(Error::TooDeep { .. })
        ));
    }

    #[test]
    fn owners_are_bounded() {
        let owners = |count: usize| {
            let mut archive = Archive::new();
            // The root has one.
            for n in 1..u32::try_from(count).expect("small") {
                let mut owned = entry(Kind::file(""));
                (owned.meta.uid, owned.meta.gid) = (n, n);
                archive.insert(format!("f{n}"), owned).expect("inserted");
            }
            check(&archive)
        };
        assert!(owners(OWNER_LIMIT).is_ok());
        assert!(matches!(owners(OWNER_LIMIT + 1), Err(Error::TooManyOwners { .. })));
    }

    #[test]
    fn device_numbers_are_packed_as_linux_does() {
        assert_eq!(device_number(5, 1), Some(0x0501));
        assert_eq!(device_number(259, 0x12345), Some(0x1231_0345));
        assert_eq!(device_number(0xfff, 0xf_ffff), Some(0xffff_ffff));
        assert_eq!(device_number(0, 0x10_0000), None);
    }
}
