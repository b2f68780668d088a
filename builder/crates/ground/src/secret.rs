//! A key that only this user has. What caches hold counts only with a seal made with it (HMAC-SHA-256, RFC 2104): who
//! can write to a cache folder, but is another user, cannot change what is built.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::digest::{Hasher, Sha256, hex, unhex};
use crate::output::NewFile;
use crate::progress::Progress;

/// How long the key is, in bytes.
const LENGTH: usize = 32;
/// The first line of its file.
const HEAD: &str = "wifibox-build: seals what this folder keeps. Secret.\n";

/// The key of one user for one cache folder.
#[derive(Clone)]
pub struct Secret([u8; LENGTH]);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(...)")
    }
}

impl Secret {
    /// The key of this user in `folder`, which is made with the folder if need be. A file that is not this user's own, or
    /// that others may read, is no key; another one takes its place.
    ///
    /// # Errors
    /// It can be neither read nor made.
    pub fn of_folder(folder: &Path) -> io::Result<Self> {
        let user = user()?;
        let path = folder.join(format!("key-{user}"));
        if let Some(known) = read(&path, user)? {
            return Ok(known);
        }
        fs::create_dir_all(folder)?;
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let made = Secret::random()?;
        let new = NewFile::beside(&path)?;
        new.file().write_all(format!("{HEAD}{}\n", hex(&made.0)).as_bytes())?;
        match new.keep_new() {
            Ok(()) => Ok(made),
            // Another builder was first, if there is a key now.
            Err(error) => read(&path, user)?.ok_or(error),
        }
    }

    /// One that nobody will have again: nothing that is kept counts.
    ///
    /// # Errors
    /// The system has no random numbers.
    pub fn random() -> io::Result<Self> {
        let mut bytes = [0; LENGTH];
        File::open("/dev/urandom")?.read_exact(&mut bytes)?;
        Ok(Secret(bytes))
    }

    /// The seal over `parts`, whose lengths count, too. `purpose` says what it is a seal of: others are no good for that.
    pub fn seal(&self, purpose: &str, parts: &[&[u8]]) -> Sha256 {
        let keyed = |pad: u8| {
            let mut block = [pad; 64];
            block.iter_mut().zip(&self.0).for_each(|(byte, key)| *byte ^= key);
            let mut hasher = Hasher::default();
            hasher.update(&block);
            hasher
        };
        let mut inner = keyed(0x36);
        for part in std::iter::once(purpose.as_bytes()).chain(parts.iter().copied()) {
            inner.update(&(part.len() as u64).to_le_bytes());
            inner.update(part);
        }
        let mut outer = keyed(0x5c);
        outer.update(inner.finish().as_bytes());
        outer.finish()
    }
}

/// The number of the user that this process works as.
fn user() -> io::Result<u32> {
    Ok(tempfile::tempfile()?.metadata()?.uid())
}

/// The key in a file; `None` where there is none that counts.
fn read(path: &Path, user: u32) -> io::Result<Option<Secret>> {
    if !path.symlink_metadata().is_ok_and(|data| data.is_file()) {
        return Ok(None);
    }
    let nofollow = rustix::fs::OFlags::NOFOLLOW.union(rustix::fs::OFlags::NONBLOCK);
    let opened =
        OpenOptions::new().read(true).custom_flags(nofollow.bits().cast_signed()).open(path);
    let file = match opened {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Ok(None),
        Err(error) => return Err(error),
    };
    let data = file.metadata()?;
    let own = data.uid() == user && data.nlink() == 1 && data.permissions().mode() & 0o077 == 0;
    if !own || !data.is_file() {
        return Ok(None);
    }
    let mut text = String::new();
    if file.take(1024).read_to_string(&mut text).is_err() {
        return Ok(None);
    }
    let bytes = text.strip_prefix(HEAD).and_then(|text| unhex(text.strip_suffix('\n')?));
    Ok(bytes.and_then(|bytes| bytes.try_into().ok()).map(Secret))
}

/// The key of a cache folder, read or made when it is first wanted.
#[derive(Debug)]
pub struct LazySecret {
    folder: Option<PathBuf>,
    secret: OnceLock<Option<Secret>>,
}

impl LazySecret {
    /// That of `folder`; without one there is no key.
    pub fn new(folder: Option<&Path>) -> Self {
        LazySecret { folder: folder.map(Path::to_owned), secret: OnceLock::new() }
    }

    /// The key. Where there can be none `progress` is told why, once.
    pub fn get(&self, progress: &dyn Progress) -> Option<&Secret> {
        let open = || {
            let folder = self.folder.as_ref()?;
            Secret::of_folder(folder)
                .map_err(|error| {
                    progress.warn(&format!(
                        "there is no key for what {} keeps ({error}): the build goes on without it",
                        folder.display()
                    ));
                })
                .ok()
        };
        self.secret.get_or_init(open).as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::{Silent, Task};

    #[test]
    fn seals_are_of_all_parts_and_of_the_purpose() {
        let secret = Secret([7; LENGTH]);
        let seal = secret.seal("p", &[b"a", b"bc"]);
        assert_eq!(seal, secret.seal("p", &[b"a", b"bc"]));
        for (purpose, parts) in [("p", [&b"ab"[..], b"c"]), ("q", [b"a", b"bc"])] {
            assert_ne!(seal, secret.seal(purpose, &parts));
        }
        assert_ne!(seal, secret.seal("p", &[b"a", b"bc", b""]));
        assert_ne!(seal, Secret([8; LENGTH]).seal("p", &[b"a", b"bc"]));
        // Python: hmac.new(b"\x07" * 32, (1).to_bytes(8, "little") + b"p", "sha256").hexdigest()
        let expected = "c202b68d8d833b7b571422e268fc7e17dccd795e857b8768d0830e5dc0832ae4";
        assert_eq!(secret.seal("p", &[]).to_string(), expected);
    }

    #[test]
    fn a_key_is_opened_once_and_its_absence_is_told() {
        #[derive(Default)]
        struct Told(std::sync::Mutex<Vec<String>>);
        impl Progress for Told {
            fn begin(&self, what: &str, total: Option<u64>) -> Box<dyn Task> {
                Silent.begin(what, total)
            }
            fn note(&self, _: &str) {}
            fn warn(&self, message: &str) {
                self.0.lock().expect("not poisoned").push(message.to_owned());
            }
        }
        let folder = tempfile::tempdir().expect("a folder");
        let told = Told::default();
        let seal = |secret: &LazySecret| secret.get(&told).map(|secret| secret.seal("p", &[]));
        let known = Secret::of_folder(folder.path()).expect("made").seal("p", &[]);
        assert_eq!(seal(&LazySecret::new(Some(folder.path()))), Some(known));
        assert_eq!(seal(&LazySecret::new(None)), None);
        assert!(told.0.lock().expect("not poisoned").is_empty());
        // A folder in the place of the key is not removed.
        let path = folder.path().join(format!("key-{}", user().expect("known")));
        fs::remove_file(&path).expect("removed");
        fs::create_dir(&path).expect("made");
        let error = Secret::of_folder(folder.path()).expect_err("in the way");
        assert_ne!(error.kind(), io::ErrorKind::AlreadyExists);
        let none = LazySecret::new(Some(folder.path()));
        assert_eq!([seal(&none), seal(&none)], [None, None]);
        let told = told.0.into_inner().expect("not poisoned");
        let [once] = &told[..] else { panic!("{told:?}") };
        assert!(once.contains("there is no key for what"), "{once}");
        assert_eq!(format!("{:?}", Secret([7; LENGTH])), "Secret(...)");
    }

    #[test]
    fn a_key_is_made_once_and_is_nobody_elses() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = folder.path().join("cache");
        let seal = |secret: Secret| secret.seal("p", &[]);
        let first = seal(Secret::of_folder(&cache).expect("made"));
        assert_eq!(first, seal(Secret::of_folder(&cache).expect("read")));
        let path = cache.join(format!("key-{}", user().expect("known")));
        assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
        let planted: [&dyn Fn(&Path); 5] = [
            // Only root can read it, and refuses it for its second name.
            &|path| {
                fs::set_permissions(path, fs::Permissions::from_mode(0o000)).expect("set");
                fs::hard_link(path, path.with_extension("none")).expect("linked");
            },
            &|path| fs::set_permissions(path, fs::Permissions::from_mode(0o644)).expect("set"),
            &|path| fs::hard_link(path, path.with_extension("more")).expect("linked"),
            &|path| fs::write(path, "short").expect("written"),
            &|path| {
                fs::rename(path, path.with_extension("away")).expect("renamed");
                std::os::unix::fs::symlink(path.with_extension("away"), path).expect("linked");
            },
        ];
        let mut last = first;
        for plant in planted {
            plant(&path);
            let now = seal(Secret::of_folder(&cache).expect("made anew"));
            assert_ne!(now, last);
            last = now;
        }
    }
}
