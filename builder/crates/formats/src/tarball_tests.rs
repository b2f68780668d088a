//! Limits of an archive, each reached and passed by one, and what of a member counts.

use wifibox_testkit::rawtar::{Member, tar};

use super::*;

/// The paths of the members, and the targets of those that are symbolic links.
fn listed(members: &[Member], limits: TarLimits) -> Result<Vec<(GuestPath, Vec<u8>)>, TarError> {
    let mut found = Vec::new();
    read(&tar(members, true)[..], limits, &mut |entry| -> Result<(), TarError> {
        let target = match entry.kind {
            EntryKind::Symlink(target) => target,
            _ => Vec::new(),
        };
        found.push((entry.path, target));
        Ok(())
    })?;
    Ok(found)
}

fn file(content: &[u8]) -> Member {
    Member::new("file", EntryType::Regular, content)
}

#[test]
fn members_and_files_may_reach_their_limits() {
    let files = |count: usize, size: usize| vec![file(&vec![b'x'; size]); count];
    let limits = TarLimits { entries: 3, file_size: 1000 };
    assert_eq!(listed(&files(3, 1000), limits).map(|found| found.len()).ok(), Some(3));
    let error = listed(&files(4, 1000), limits).expect_err("a member too many");
    assert!(matches!(error, TarError::TooManyMembers(3)), "{error}");
    let error = listed(&files(1, 1001), limits).expect_err("a byte too many");
    assert!(matches!(error, TarError::TooLarge { .. }), "{error}");
}

#[test]
fn links_may_be_as_long_as_paths() {
    for long in [
        |target: &[u8]| vec![Member::new("link", EntryType::GNULongLink, target)],
        |target: &[u8]| vec![Member::new("link", EntryType::GNULongLink, [target, b"\0"].concat())],
    ] {
        let to = |length: usize| {
            let target = vec![b'a'; length];
            let link = Member::new("link", EntryType::Symlink, b"").to("short");
            listed(&[long(&target), vec![link]].concat(), TarLimits::default())
        };
        let found = to(PATH_LIMIT).expect("as long as a path may be");
        assert_eq!(found.len(), 1);
        assert!(found.iter().all(|(_, target)| *target == vec![b'a'; PATH_LIMIT]));
        let error = to(PATH_LIMIT + 1).expect_err("a byte too many");
        assert!(matches!(error, TarError::TooLarge { .. }), "{error}");
    }
}

#[test]
fn extensions_may_reach_their_limit() {
    let comment = |size: u64| {
        let head = format!("{size} comment=");
        let text = vec![b'x'; usize::try_from(size).expect("small") - head.len() - 1];
        let records = [head.as_bytes(), &text, b"\n"].concat();
        listed(&[Member::new("pax", EntryType::XHeader, records), file(b"")], TarLimits::default())
    };
    assert_eq!(comment(EXTENSION_LIMIT).map(|found| found.len()).ok(), Some(1));
    let error = comment(EXTENSION_LIMIT + 1).expect_err("a byte too many");
    assert!(matches!(error, TarError::TooLarge { .. }), "{error}");
}

#[test]
fn names_targets_and_attributes_count() {
    let path = |text: &str| GuestPath::new(text).expect("a path");
    let mut content = &b"content"[..];
    let file = EntryKind::File { size: 7, content: &mut content };
    for (kind, bytes) in [
        (file, 0),
        (EntryKind::Directory, 0),
        (EntryKind::Symlink(b"../target".to_vec()), 9),
        (EntryKind::HardLink(path("bin/sh")), 6),
    ] {
        let mut entry = Entry::new(path("name"), 0o644, kind);
        assert_eq!(kept(&entry), bytes);
        entry.uname = b"owner".to_vec();
        entry.gname = b"all".to_vec();
        entry.xattrs.insert(b"user.x".to_vec(), vec![0; 20]);
        assert_eq!(kept(&entry), bytes + 5 + 3 + 6 + 20);
    }
}
