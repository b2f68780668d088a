//! A repository as pkg(8) reads it: a stand-in written from the sources of pkg 2.8. It panics where pkg would refuse, and
//! where pkg would pass over something that no repository should have.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read as _;
use std::path::Path;

use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use rsa::RsaPublicKey;
use rsa::pkcs1::EncodeRsaPublicKey as _;
use rsa::pkcs8::DecodePublicKey as _;
use serde_json::Value;
use wifibox_ground::digest::Sha256;

/// The kinds of trust that pkg.conf(5) has.
pub enum Trust<'a> {
    /// `pubkey`: the host has the key.
    Key(&'a str),
    /// `fingerprints`: the host has its hash, the repository brings the key.
    Fingerprint(&'a str),
}

/// An entry of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub kind: tar::EntryType,
    pub mode: u32,
    pub target: Option<String>,
    pub bytes: Vec<u8>,
}

/// An installed package.
pub struct Installed {
    pub manifest: Value,
    pub entries: BTreeMap<String, Entry>,
}

/// The members of an archive, in their order.
fn members(archive: &[u8]) -> Vec<(String, Entry)> {
    let tar = zstd::decode_all(archive).expect("one zstd frame");
    let mut tar = tar::Archive::new(&tar[..]);
    let read = |entry: std::io::Result<tar::Entry<'_, &[u8]>>| {
        let mut entry = entry.unwrap();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        let header = entry.header();
        assert_eq!(header.username().unwrap(), Some("root"));
        assert_eq!(header.groupname().unwrap(), Some("wheel"));
        let path = String::from_utf8(header.path_bytes().into_owned()).unwrap();
        let target =
            header.link_name_bytes().map(|name| String::from_utf8(name.into_owned()).unwrap());
        (path, Entry { kind: header.entry_type(), mode: header.mode().unwrap(), target, bytes })
    };
    tar.entries().unwrap().map(read).collect()
}

/// pkg_repo_archive_extract_check_archive: the member `name` of the archive, if its signature is good.
fn checked(archive: &[u8], name: &str, trust: &Trust<'_>) -> Result<Vec<u8>, String> {
    let members: BTreeMap<String, Entry> = members(archive).into_iter().collect();
    let member = |name: &str| members.get(name).map(|entry| entry.bytes.clone());
    let (key, signature) = match trust {
        Trust::Key(pem) => {
            let mut signature = member("signature").ok_or("no signature")?;
            // ossl_verify cuts off a zero, whether it is the end of a string or of the signature.
            if signature.last() == Some(&0) {
                signature.pop();
            }
            ((*pem).to_owned(), signature)
        }
        Trust::Fingerprint(fingerprint) => {
            let key = member(&format!("{name}.pub")).ok_or("no key")?;
            if Sha256::of(&key).to_string() != *fingerprint {
                return Err("no trusted public keys found".to_owned());
            }
            (String::from_utf8(key).unwrap(), member(&format!("{name}.sig")).ok_or("no signature")?)
        }
    };
    let bytes = member(name).ok_or("no such member")?;
    // ossl_verify_cert_cb: the hash of the hexadecimal hash.
    let message = Sha256::of(&bytes).to_string();
    let key = RsaPublicKey::from_public_key_pem(&key).unwrap().to_pkcs1_der().unwrap();
    UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.as_bytes())
        .verify(message.as_bytes(), &signature)
        .map_err(|_| "signature verification failure".to_owned())?;
    Ok(bytes)
}

/// `pkg update`: the entries of the catalogue, which both its forms must have.
pub fn update(repository: &Path, trust: &Trust<'_>) -> Result<Vec<Value>, String> {
    let read = |name: &str| fs::read(repository.join(name)).unwrap();
    let meta = String::from_utf8(read("meta.conf")).unwrap();
    let meta: BTreeMap<&str, &str> =
        meta.lines().map(|line| line.trim_end_matches(';').split_once(" = ").unwrap()).collect();
    assert_eq!((meta["version"], meta["packing_format"]), ("2", "\"tzst\""));
    let named = |key: &str| meta[key].trim_matches('"').to_owned();
    let data = checked(&read(&(named("data_archive") + ".pkg")), &named("data"), trust)?;
    let site = checked(&read(&(named("manifests_archive") + ".pkg")), &named("manifests"), trust)?;
    assert!(!data.contains(&b'\n'), "pkg reads the first line");
    let data: Value = serde_json::from_slice(&data).unwrap();
    let packages = data["packages"].as_array().unwrap().clone();
    let lines = site.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let lines: Vec<Value> = lines.map(|line| serde_json::from_slice(line).unwrap()).collect();
    assert_eq!(lines, packages);
    Ok(packages)
}

/// fnmatch(3) of the package's ABI, as is_valid_abi has it, on the host's.
pub fn suits(package: &Value, host: &str) -> bool {
    let parts = |text: &str| text.split(':').map(str::to_owned).collect::<Vec<_>>();
    let (wanted, host) = (parts(package["abi"].as_str().unwrap()), parts(host));
    wanted.len() == host.len() && wanted.iter().zip(&host).all(|(a, b)| a == "*" || a == b)
}

/// `pkg install`: checks the file by the catalogue's entry, and what is in it by its manifest.
pub fn install(repository: &Path, package: &Value) -> Result<Installed, String> {
    let path = package["repopath"].as_str().unwrap();
    assert_eq!(package["path"], path);
    let bytes = fs::read(repository.join(path)).unwrap();
    assert_eq!(package["pkgsize"], bytes.len() as u64);
    if package["sum"] != format!("1${}", Sha256::of(&bytes)) {
        return Err("checksum mismatch".to_owned());
    }
    let mut members = members(&bytes).into_iter();
    let mut own = |name: &str| {
        let (path, entry) = members.next().unwrap();
        assert_eq!(path, name);
        serde_json::from_slice::<Value>(&entry.bytes).unwrap()
    };
    let (mut compact, manifest) = (own("+COMPACT_MANIFEST"), own("+MANIFEST"));
    // pkg_is_valid.
    for key in ["origin", "name", "comment", "version", "desc", "maintainer", "www", "prefix"] {
        assert!(!manifest[key].as_str().unwrap().is_empty(), "{key}");
    }
    let object = compact.as_object_mut().unwrap();
    for key in ["files", "directories"] {
        assert!(!object.contains_key(key));
        object.insert(key.to_owned(), manifest[key].clone());
    }
    assert_eq!(compact, manifest);
    for (key, value) in manifest.as_object().unwrap() {
        assert!(
            ["files", "directories"].contains(&key.as_str()) || &package[key] == value,
            "{key}"
        );
    }
    let (files, folders) = (&manifest["files"], &manifest["directories"]);
    let (mut entries, mut flatsize) = (BTreeMap::new(), 0);
    for (path, entry) in members {
        let known =
            if entry.kind == tar::EntryType::Directory { &folders[&path] } else { &files[&path] };
        assert_eq!(known["perm"], format!("{:04o}", entry.mode), "{path}");
        assert_eq!(
            (known["uname"].as_str(), known["gname"].as_str()),
            (Some("root"), Some("wheel"))
        );
        let summed = match entry.kind {
            tar::EntryType::Regular => entry.bytes.clone(),
            tar::EntryType::Symlink => {
                assert_eq!(known["symlink_target"].as_str(), entry.target.as_deref());
                entry.target.clone().unwrap().into_bytes()
            }
            tar::EntryType::Directory => Vec::new(),
            other => panic!("{path}: {other:?} is an unsupported file type"),
        };
        flatsize += summed.len() as u64;
        if entry.kind != tar::EntryType::Directory {
            assert_eq!(known["sum"], format!("1${}", Sha256::of(&summed)), "{path}");
        }
        assert!(entries.insert(path.clone(), entry).is_none(), "{path} twice");
    }
    assert_eq!(manifest["flatsize"], flatsize);
    let all = [files, folders].map(|map| map.as_object().unwrap().keys().cloned());
    let all: BTreeSet<String> = all.into_iter().flatten().collect();
    assert_eq!(all, entries.keys().cloned().collect::<BTreeSet<_>>());
    Ok(Installed { manifest, entries })
}
