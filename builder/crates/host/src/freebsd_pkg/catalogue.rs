//! The catalogue of a repository, its signatures, and what a host needs to know of it.
//!
//! Each archive of the catalogue is signed for both kinds of trust that pkg.conf(5) has, so that users choose:
//! `signature` is for `signature_type: "pubkey"`, `NAME.sig` and `NAME.pub` are for `"fingerprints"`. What is signed is
//! the hexadecimal SHA-256 of the file beside them.

use std::io::{BufWriter, Seek as _};

use wifibox_ground::digest::Sha256;
use wifibox_ground::output::{OutputError, OutputFolder};

use super::Request;
use super::archive::Archive;
use super::error::PackageError;
use super::manifest::Listed;

/// What pkg reads first.
const META: &str = "version = 2;\npacking_format = \"tzst\";\nmanifests = \"packagesite.yaml\";\n\
                    manifests_archive = \"packagesite\";\ndata = \"data\";\ndata_archive = \"data\";\n";
/// The name under which hosts know the repository.
const NAME: &str = "wifibox";
/// The public key's file.
const PUBLIC: &str = "wifibox.pub";

/// Writes all but the packages; returns the key's fingerprint.
pub(super) fn write(
    folder: &OutputFolder,
    listed: &[Listed],
    request: &Request<'_>,
) -> Result<Sha256, PackageError> {
    let entries = listed.iter().map(Listed::entry).collect::<Result<Vec<_>, _>>()?;
    let public = request.key.public_pem();
    // pkg reads one line.
    let data = [b"{\"groups\":[],\"packages\":[", &entries.join(&b","[..])[..], b"]}"].concat();
    let site = entries.iter().flat_map(|entry| [&entry[..], b"\n"]).collect::<Vec<_>>().concat();
    for (archive, name, bytes) in
        [("data.pkg", "data", data), ("packagesite.pkg", "packagesite.yaml", site)]
    {
        let signature = request.key.sign(Sha256::of(&bytes).to_string().as_bytes())?;
        // pkg cuts a zero off the end of this one: it used to write the end of a string there.
        let terminated = [&signature[..], b"\0"].concat();
        folder.write(archive, 0o644, |file| -> Result<(), PackageError> {
            let mut members = Archive::begin(BufWriter::new(&mut *file), 0)?;
            members.bytes("signature", &terminated)?;
            members.bytes(&format!("{name}.sig"), &signature)?;
            members.bytes(&format!("{name}.pub"), public.as_bytes())?;
            members.bytes(name, &bytes)?;
            members.finish()?;
            file.rewind().map_err(OutputError::io("cannot write")).map_err(PackageError::from)
        })?;
    }
    let fingerprint = Sha256::of(public.as_bytes());
    folder.write_bytes("meta.conf", 0o644, META.as_bytes())?;
    folder.write_bytes(PUBLIC, 0o644, public.as_bytes())?;
    let trusted = format!("function: \"sha256\"\nfingerprint: \"{fingerprint}\"\n");
    folder.write_bytes("fingerprint", 0o644, trusted.as_bytes())?;
    if let Some(url) = request.url {
        let text = configuration(&request.layout.prefix, url);
        folder.write_bytes("wifibox.conf", 0o644, text.as_bytes())?;
    }
    Ok(fingerprint)
}

/// The configuration of a repository at `url`, for a host whose packages are below `prefix`.
#[must_use]
pub fn configuration(prefix: &str, url: &str) -> String {
    format!(
        "# {prefix}/etc/pkg/repos/{NAME}.conf\n{NAME}: {{\n  url: \"{url}\",\n  signature_type: \"fingerprints\",\n  \
         fingerprints: \"{prefix}/etc/pkg/fingerprints/{NAME}\",\n  enabled: yes\n}}\n"
    )
}
