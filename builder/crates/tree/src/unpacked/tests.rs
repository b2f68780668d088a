//! The cache of unpacked packages: what comes back, several builders, killed ones, damage, the limit.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::sync::OnceLock;

use super::*;
use wifibox_ground::entry::{Entry, EntryKind};
use wifibox_ground::path::GuestPath;

fn key(n: u8) -> Sha256 {
    Sha256::of(&[n])
}

fn secret() -> Secret {
    static SECRET: OnceLock<Secret> = OnceLock::new();
    SECRET.get_or_init(|| Secret::random().expect("random")).clone()
}

fn entry<'a>(path: &[u8], kind: EntryKind<'a>) -> Entry<'a> {
    Entry {
        path: GuestPath::new(path).expect("a path"),
        dotted: path.starts_with(b"."),
        mode: 0o4755,
        uid: 7,
        gid: 8,
        uname: b"us\xe9r".to_vec(),
        gname: Vec::new(),
        mtime: 1_700_000_000,
        xattrs: [(b"security.capability".to_vec(), vec![0, 255, 128])].into(),
        checksum: Some([1; 20]),
        held: None,
        kind,
    }
}

fn bytes(n: u8) -> Vec<u8> {
    (0..200_000u32).flat_map(|i| (i / u32::from(n + 1)).to_le_bytes()).collect()
}

fn fill(cache: &Unpacked, n: u8) -> Pack {
    let mut writer = cache.begin(&key(n)).expect("begun");
    let (large, small) = (bytes(n), [n; 3]);
    let link = GuestPath::new("usr/bin/large").expect("a path");
    let mut add = |path: &[u8], kind: EntryKind<'_>| writer.add(entry(path, kind)).expect("added");
    add(b"usr", EntryKind::Directory);
    add(
        b"usr/bin/large",
        EntryKind::File { size: large.len() as u64, content: &mut large.as_slice() },
    );
    add(b"usr/bin/sm\xffll", EntryKind::File { size: 3, content: &mut small.as_slice() });
    add(b"empty", EntryKind::File { size: 0, content: &mut io::empty() });
    add(b"sym", EntryKind::Symlink(b"../\xfe".to_vec()));
    add(b"hard", EntryKind::HardLink(link));
    add(b"tty", EntryKind::CharDevice(5, 1));
    add(b"sda", EntryKind::BlockDevice(8, 0));
    add(b".pipe", EntryKind::Fifo);
    writer.finish().expect("finished")
}

/// Everything that a pack hands out, as text.
fn told(pack: &Pack) -> Vec<String> {
    let mut lines = Vec::new();
    pack.replay(&mut |entry| {
        let held = entry.held.as_ref().map(|content| content.digests().expect("known"));
        let what = match entry.kind {
            EntryKind::File { size, content } => {
                let mut read = Vec::new();
                content.read_to_end(&mut read)?;
                assert_eq!(read.len() as u64, size);
                assert_eq!(held.map(|held| held.sha256), Some(Sha256::of(&read)));
                format!("file {:?}", Sha256::of(&read))
            }
            EntryKind::Symlink(target) => format!("link {target:?}"),
            EntryKind::HardLink(target) => format!("hard link {target}"),
            EntryKind::CharDevice(a, b) | EntryKind::BlockDevice(a, b) => format!("device {a} {b}"),
            other => other.describe().to_owned(),
        };
        lines.push(format!(
            "{:?} {} {:o} {} {} {:?} {:?} {} {:?} {what}",
            entry.path.as_bytes(),
            entry.dotted,
            entry.mode,
            entry.uid,
            entry.gid,
            entry.uname,
            entry.gname,
            entry.mtime,
            entry.xattrs
        ));
        Ok::<(), io::Error>(())
    })
    .expect("told");
    lines
}

fn names(folder: &Path) -> usize {
    fs::read_dir(folder).expect("a folder").count()
}

#[test]
fn what_was_unpacked_comes_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let cache = Unpacked::open(folder.path(), &secret()).expect("opened");
    assert!(cache.get(&key(1)).is_none());
    let first = told(&fill(&cache, 1));
    assert_eq!(first.len(), 9);
    assert!(
        first[2].starts_with("[117, 115, 114, 47, 98, 105, 110, 47, 115, 109, 255, 108, 108] ")
    );
    let again = Unpacked::open(folder.path(), &secret()).expect("opened");
    assert_eq!(told(&again.get(&key(1)).expect("there")), first);
    assert!(again.get(&key(2)).is_none());
    assert!(!again.damaged());
    let size = Unpacked::size(folder.path()).expect("measured");
    assert_eq!(size.packages, 1);
    assert!(size.bytes > 800_000 && size.bytes < 810_000, "{size:?}");
}

#[test]
fn an_unfinished_pack_is_not_there_and_an_abandoned_one_goes() {
    let folder = tempfile::tempdir().expect("a folder");
    let cache = Unpacked::open(folder.path(), &secret()).expect("opened");
    let mut writer = cache.begin(&key(1)).expect("begun");
    writer.add(entry(b"a", EntryKind::Directory)).expect("added");
    assert!(cache.get(&key(1)).is_none());
    assert_eq!(names(folder.path()), 1);
    drop(writer);
    assert_eq!(names(folder.path()), 0, "a build that fails leaves nothing");
    // A builder that is killed leaves its file.
    let left = folder.path().join("x.unfinished");
    fs::write(&left, b"half").expect("written");
    cache.tidy(1 << 30).expect("tidied");
    assert!(left.exists(), "it may be just begun");
    let file = File::options().write(true).open(&left).expect("opened");
    file.set_modified(SystemTime::now() - 2 * JUST_BEGUN).expect("aged");
    let living = cache.begin(&key(2)).expect("begun");
    living.age(2 * JUST_BEGUN);
    cache.tidy(1 << 30).expect("tidied");
    assert!(!left.exists());
    assert_eq!(names(folder.path()), 1, "that of the living builder stays");
    drop(living.finish().expect("finished"));
    assert!(cache.get(&key(2)).is_some());
}

#[test]
fn every_damaged_byte_is_found() {
    let folder = tempfile::tempdir().expect("a folder");
    let cache = Unpacked::open(folder.path(), &secret()).expect("opened");
    drop(fill(&cache, 1));
    let path = cache.path_of(&key(1));
    let length = fs::metadata(&path).expect("there").len();
    let mut open_failures = 0;
    // Content, list, footer.
    for at in
        [0, 5000, 799_999, 800_001, 800_004, length - 300, length - 60, length - 50, length - 1]
    {
        drop(fill(&cache, 1));
        let mut file = File::options().read(true).write(true).open(&path).expect("opened");
        let mut byte = [0];
        file.seek(SeekFrom::Start(at)).expect("there");
        file.read_exact(&mut byte).expect("read");
        file.seek(SeekFrom::Start(at)).expect("there");
        file.write_all(&[byte[0] ^ 0x10]).expect("written");
        match cache.get(&key(1)) {
            None => open_failures += 1,
            Some(pack) => {
                let sound = pack.replay(&mut |entry| match entry.kind {
                    EntryKind::File { content, .. } => io::copy(content, &mut io::sink()).map(drop),
                    _ => Ok(()),
                });
                let error = sound.expect_err("damaged").to_string();
                assert!(error.contains("build again"), "{error}");
                assert!(cache.damaged() && !cache.damaged());
            }
        }
        assert!(!path.exists(), "byte {at}: it is gone");
    }
    assert_eq!(open_failures, 5, "the list and the footer are checked when it is opened");
    for length in [0, 10, 56, 60, length - 1, length - 400] {
        drop(fill(&cache, 1));
        File::options().write(true).open(&path).expect("opened").set_len(length).expect("cut");
        assert!(cache.get(&key(1)).is_none(), "{length}");
        assert!(!path.exists());
    }
}

/// Whoever can write to the folder makes a pack of other bytes, with hashes that are right.
#[test]
fn a_pack_that_somebody_else_made_is_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let cache = Unpacked::open(folder.path(), &secret()).expect("opened");
    let path = cache.path_of(&key(1));
    let forge = |secret: &Secret, package: Sha256| {
        let out = tempfile::NamedTempFile::new_in(folder.path()).expect("made");
        let damaged = Arc::default();
        let mut writer = PackWriter::new(out, path.clone(), package, secret.clone(), damaged);
        let kind = EntryKind::File { size: 4, content: &mut &b"evil"[..] };
        writer.add(entry(b"usr/bin/x", kind)).expect("added");
        drop(writer.finish().expect("finished"));
    };
    forge(&secret(), key(1));
    assert!(cache.get(&key(1)).is_some(), "what this user made is there");
    forge(&Secret::random().expect("random"), key(1));
    assert!(cache.get(&key(1)).is_none(), "another user has another key");
    assert!(!path.exists());
    // A sound pack of another package, under this one's name.
    forge(&secret(), key(2));
    assert!(cache.get(&key(1)).is_none());
    // And what is no file holds nobody up.
    let made = std::process::Command::new("mkfifo").arg(&path).status();
    assert!(made.expect("mkfifo").success());
    assert!(cache.get(&key(1)).is_none());
    assert!(!path.exists());
}

#[test]
fn what_was_not_used_for_longest_goes() {
    let folder = tempfile::tempdir().expect("a folder");
    let cache = Unpacked::open(folder.path(), &secret()).expect("opened");
    let open = fill(&cache, 0);
    for n in 1..5 {
        fill(&cache, n);
        let file = File::options().write(true).open(cache.path_of(&key(n))).expect("opened");
        let age = Duration::from_secs(60 * u64::from(n));
        file.set_modified(SystemTime::now() - age).expect("aged");
    }
    assert!(cache.get(&key(4)).is_some(), "the oldest is used now");
    cache.tidy(3 << 20).expect("tidied");
    let there = |n: u8| cache.path_of(&key(n)).exists();
    assert_eq!([0, 1, 2, 3, 4].map(there), [true, true, false, false, true]);
    cache.tidy(0).expect("tidied");
    assert_eq!(names(folder.path()), 0);
    assert_eq!(told(&open).len(), 9, "whoever has it open keeps it");
    let none = folder.path().join("none");
    assert_eq!(Unpacked::size(&none).expect("nothing"), UnpackedSize::default());
    Unpacked::prune(&none, 0).expect("nothing to do");
}

#[test]
fn builders_at_one_time_do_not_disturb_each_other() {
    let folder = tempfile::tempdir().expect("a folder");
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let cache = Unpacked::open(folder.path(), &secret()).expect("opened");
                for n in 0..3 {
                    let pack = cache.get(&key(n)).unwrap_or_else(|| fill(&cache, n));
                    assert_eq!(told(&pack).len(), 9);
                    cache.tidy(1 << 20).expect("tidied");
                }
                assert!(!cache.damaged());
            });
        }
    });
}
