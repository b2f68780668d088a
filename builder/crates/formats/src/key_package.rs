//! apk's packages that hold the keys of a distribution.

use std::io::Read;

use crate::apk::ApkError;
use crate::apk::keys::{KeyError, Keyring, SIZE_LIMIT};
use crate::reader::{PackageError, PackageReader};
use wifibox_ground::entry::EntryKind;

/// A key package holds at most this many keys; Alpine's has some 30.
const COUNT_LIMIT: usize = 4096;

/// Where key packages hold keys.
const FOLDERS: [&str; 2] = ["etc/apk/keys/", "usr/share/apk/keys/"];

/// The RSA keys that a key package such as `alpine-keys` holds, `package` in errors.
///
/// The package's signature is not looked at, for it is made by the very keys that are sought: keep
/// of them only those that are pinned ([`Keyring::pinned`]). Keys of other kinds are passed over.
///
/// # Errors
/// [`PackageError`] when the package, or an RSA key in it, cannot be read.
pub fn keys_of_package(
    package: &str,
    reader: Box<dyn PackageReader + '_>,
) -> Result<Keyring, PackageError> {
    let wrong =
        |why: String| PackageError::from(ApkError::Format { package: package.to_owned(), why });
    let mut keyring = Keyring::default();
    reader.read_data(&mut |entry| -> Result<(), PackageError> {
        let Some(path) = entry.path.as_str() else { return Ok(()) };
        let Some((_, name)) = path.rsplit_once('/') else { return Ok(()) };
        let EntryKind::File { content, .. } = entry.kind else { return Ok(()) };
        if !FOLDERS.iter().any(|folder| path.starts_with(folder)) || !name.ends_with(".pub") {
            return Ok(());
        }
        let mut bytes = Vec::new();
        content
            .take(SIZE_LIMIT + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| wrong(format!("{path}: {error}")))?;
        match Keyring::parse_pem(name, &bytes) {
            Ok(found) => keyring.extend(found),
            Err(KeyError::NotRsa { .. }) => {}
            Err(error) => return Err(wrong(error.to_string())),
        }
        if keyring.keys().len() > COUNT_LIMIT {
            return Err(wrong(format!("it holds more than {COUNT_LIMIT} keys")));
        }
        Ok(())
    })?;
    if keyring.is_empty() {
        return Err(wrong("it holds no key of format v2 (etc/apk/keys/*.rsa.pub)".to_owned()));
    }
    Ok(keyring)
}
