//! OpenWrt packages and feeds for tests: usign keys, `.ipk` files, `Packages` indexes, whole releases.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use wifibox_ground::codec::Compression;
use wifibox_ground::digest::{Sha256, hex};

use super::tarball::{Member, Members, add_member, ar, no_members, pack, tarball};

/// A usign key pair, the same for the same seed.
pub struct Signer {
    pub id: [u8; 8],
    pair: Ed25519KeyPair,
}

impl Signer {
    pub fn new(seed: u64) -> Self {
        let digest = *Sha256::of(&seed.to_le_bytes()).as_bytes();
        let id = *Sha256::of(&digest).as_bytes().first_chunk().unwrap();
        Signer { id, pair: Ed25519KeyPair::from_seed_unchecked(&digest).unwrap() }
    }

    /// The same key under another id.
    pub fn called(mut self, id: [u8; 8]) -> Self {
        self.id = id;
        self
    }

    pub fn id(&self) -> String {
        hex(&self.id)
    }

    /// The SHA-256 of the key, which recipes pin.
    pub fn fingerprint(&self) -> String {
        Sha256::of(self.pair.public_key().as_ref()).to_string()
    }

    fn line(&self, bytes: &[u8]) -> String {
        STANDARD.encode([b"Ed", &self.id[..], bytes].concat())
    }

    /// The base64 line of the public key.
    pub fn public_line(&self) -> String {
        self.line(self.pair.public_key().as_ref())
    }

    /// The file of the public key.
    pub fn public_key(&self) -> String {
        format!("untrusted comment: a key for tests\n{}\n", self.public_line())
    }

    /// A signature file over `message`.
    pub fn sign(&self, message: &[u8]) -> String {
        let line = self.line(self.pair.sign(message).as_ref());
        format!("untrusted comment: signed by key {}\n{line}\n", self.id())
    }
}

/// How the members of an `.ipk` are put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A gzipped tar, data before control: OpenWrt's own `ipkg-build`.
    DataFirst,
    /// A gzipped tar, control before data.
    ControlFirst,
    /// An `ar` archive, as early packages.
    Ar,
}

/// A package to be made.
#[derive(Clone)]
pub struct Ipk {
    pub name: String,
    pub version: String,
    pub architecture: String,
    pub form: Form,
    fields: Vec<(String, String)>,
    control: BTreeMap<String, Vec<u8>>,
    data: Members,
}

/// The `postinst` that OpenWrt gives every package.
pub const STANDARD_POSTINST: &str = "#!/bin/sh\n[ \"${IPKG_NO_SCRIPT}\" = \"1\" ] && exit 0\n\
    [ -s ${IPKG_INSTROOT}/lib/functions.sh ] || exit 0\n. ${IPKG_INSTROOT}/lib/functions.sh\n\
    default_postinst $0 $@\n";

/// The `prerm` that OpenWrt gives every package.
pub(crate) const STANDARD_PRERM: &str = "#!/bin/sh\n[ -s ${IPKG_INSTROOT}/lib/functions.sh ] || exit 0\n\
    . ${IPKG_INSTROOT}/lib/functions.sh\ndefault_prerm $0 $@\n";

impl Ipk {
    /// A package as OpenWrt makes them: with the standard scripts, data first.
    pub fn new(name: &str, version: &str, architecture: &str) -> Self {
        let package = Ipk {
            name: name.into(),
            version: version.into(),
            architecture: architecture.into(),
            form: Form::DataFirst,
            fields: Vec::new(),
            control: BTreeMap::new(),
            data: no_members(),
        };
        package
            .control("postinst", STANDARD_POSTINST.as_bytes())
            .control("prerm", STANDARD_PRERM.as_bytes())
    }

    /// Adds a control field (`Depends`, `Require-User`, `Alternatives`).
    pub fn field(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.into(), value.into()));
        self
    }

    /// Adds a control file (`postinst-pkg`, `conffiles`).
    pub fn control(mut self, name: &str, content: &[u8]) -> Self {
        self.control.insert(name.into(), content.into());
        self
    }

    /// Adds a file; `path` without a leading `/`. Directories on the way come along.
    pub fn file(self, path: &str, mode: u32, content: impl Into<Vec<u8>>) -> Self {
        self.member(path, Member::File(mode, content.into()))
    }

    pub fn directory(self, path: &str, mode: u32) -> Self {
        self.member(path, Member::Directory(mode))
    }

    pub fn symlink(self, path: &str, target: &str) -> Self {
        self.member(path, Member::Symlink(target.into()))
    }

    pub fn form(mut self, form: Form) -> Self {
        self.form = form;
        self
    }

    fn member(mut self, path: &str, member: Member) -> Self {
        add_member(&mut self.data, path, member);
        self
    }

    /// The control fields; those of the index leave out what only the package says.
    fn stanza(&self, index: bool) -> String {
        let Ipk { name, version, architecture, .. } = self;
        let mut text = format!("Package: {name}\nVersion: {version}\n");
        for (field, value) in
            self.fields.iter().filter(|(name, _)| !index || name != "Require-User")
        {
            text.push_str(&format!("{field}: {value}\n"));
        }
        text.push_str(&format!("Architecture: {architecture}\nInstalled-Size: 1\n"));
        text
    }

    pub fn file_name(&self) -> String {
        format!("{}_{}_{}.ipk", self.name, self.version, self.architecture)
    }

    pub fn build(&self) -> Vec<u8> {
        let gzip = |bytes: &[u8]| pack(Compression::Gzip, bytes);
        let stanza = format!(
            "{}Description:  a package for tests\n \n with paragraphs\n",
            self.stanza(false)
        );
        let mut files = self.control.clone();
        files.insert("control".into(), stanza.into_bytes());
        let control = files.into_iter().map(|(name, content)| (name, Member::File(0o755, content)));
        let version = ("debian-binary".to_owned(), b"2.0\n".to_vec());
        let control = ("control.tar.gz".to_owned(), gzip(&tarball(control)));
        let data = ("data.tar.gz".to_owned(), gzip(&tarball(self.data.clone())));
        match self.form {
            Form::DataFirst => outer(&[version, data, control]),
            Form::ControlFirst => outer(&[version, control, data]),
            Form::Ar => ar(&[version, control, data]),
        }
    }
}

/// A gzipped tar of these files, in this order.
pub fn outer(members: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, content) in members {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_size(content.len() as u64);
        tar.append_data(&mut header, format!("./{name}"), &content[..]).unwrap();
    }
    pack(Compression::Gzip, &tar.into_inner().unwrap())
}

/// The text of the index of `packages`.
pub fn index(packages: &[Ipk]) -> String {
    let mut text = String::new();
    for package in packages {
        let bytes = package.build();
        text.push_str(&format!(
            "{}Filename: {}\nSize: {}\nSHA256sum: {}\nDescription:  a package for tests\n \n with paragraphs\n\n",
            package.stanza(true),
            package.file_name(),
            bytes.len(),
            Sha256::of(&bytes)
        ));
    }
    text
}

fn write(folder: &Path, name: &str, bytes: &[u8]) {
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join(name), bytes).unwrap();
}

/// Writes a feed into `folder`: the packages, `Packages`, `Packages.gz` and `Packages.sig`.
pub(crate) fn publish_feed(folder: &Path, packages: &[Ipk], signer: &Signer) {
    for package in packages {
        write(folder, &package.file_name(), &package.build());
    }
    let text = index(packages);
    write(folder, "Packages", text.as_bytes());
    write(folder, "Packages.gz", &pack(Compression::Gzip, text.as_bytes()));
    write(folder, "Packages.sig", signer.sign(text.as_bytes()).as_bytes());
}

/// A release for one target, as a mirror has it.
#[derive(Clone)]
pub struct Release {
    /// `23.05.2`
    pub release: String,
    /// `x86/64`
    pub target: String,
    /// `x86_64`
    pub architecture: String,
    /// Version, release and vermagic of its kernel.
    pub kernel: (String, String, String),
    /// Packages by feed; `core` and `kmods` are those of the target.
    pub feeds: BTreeMap<String, Vec<Ipk>>,
    /// Packages that lie beside those of `core` but in no index: `libc`, `kernel`.
    pub unlisted: Vec<Ipk>,
    /// Other files in the folder of the target: kernel images.
    pub files: BTreeMap<String, Vec<u8>>,
}

impl Default for Release {
    fn default() -> Self {
        Release::new()
    }
}

impl Release {
    /// 23.05.2 for x86/64, with the feeds of a release, all empty.
    pub fn new() -> Self {
        let feeds = ["core", "kmods", "base", "luci", "packages", "routing", "telephony"];
        Release {
            release: "23.05.2".into(),
            target: "x86/64".into(),
            architecture: "x86_64".into(),
            kernel: ("5.15.137".into(), "1".into(), "0123456789abcdef".repeat(2)),
            feeds: feeds.map(|feed| (feed.to_owned(), Vec::new())).into(),
            unlisted: Vec::new(),
            files: BTreeMap::new(),
        }
    }

    /// Adds packages to a feed.
    pub fn with(mut self, feed: &str, packages: impl IntoIterator<Item = Ipk>) -> Self {
        self.feeds.entry(feed.to_owned()).or_default().extend(packages);
        self
    }

    /// The version of the kernel that kernel modules depend on.
    pub fn kernel_version(&self) -> String {
        let (version, release, vermagic) = &self.kernel;
        format!("{version}-{release}-{vermagic}")
    }

    /// Writes all of it below `folder`, the root of a mirror; everything signed by `signer`.
    pub fn publish(&self, folder: &Path, signer: &Signer) {
        let release = folder.join("releases").join(&self.release);
        let target = release.join("targets").join(&self.target);
        for (feed, packages) in &self.feeds {
            let place = match &**feed {
                "core" => target.join("packages"),
                "kmods" => target.join("kmods").join(self.kernel_version()),
                feed => release.join("packages").join(&self.architecture).join(feed),
            };
            publish_feed(&place, packages, signer);
        }
        let profiles = profiles(&self.release, &self.target, &self.architecture, &self.kernel);
        let mut files = BTreeMap::from([("profiles.json".to_owned(), profiles)]);
        files.extend(self.files.clone());
        for package in &self.unlisted {
            files.insert(format!("packages/{}", package.file_name()), package.build());
        }
        publish_target(&target, &files, signer);
    }
}

/// The file `profiles.json` of a target, with version, release and vermagic of its kernel.
pub fn profiles(
    release: &str,
    target: &str,
    architecture: &str,
    (version, revision, vermagic): &(String, String, String),
) -> Vec<u8> {
    let profiles = serde_json::json!({
        "arch_packages": architecture,
        "default_packages": ["base-files", "libc"],
        "linux_kernel": { "release": revision, "vermagic": vermagic, "version": version },
        "profiles": {},
        "target": target,
        "version_code": "r1-0123456789",
        "version_number": release,
    });
    profiles.to_string().into_bytes()
}

/// Writes the files of a target into its folder, with their signed `sha256sums`.
pub fn publish_target(target: &Path, files: &BTreeMap<String, Vec<u8>>, signer: &Signer) {
    let mut sums = String::new();
    for (name, bytes) in files {
        let path = target.join(name);
        write(path.parent().unwrap(), path.file_name().unwrap().to_str().unwrap(), bytes);
        sums.push_str(&format!("{} *{name}\n", Sha256::of(bytes)));
    }
    write(target, "sha256sums", sums.as_bytes());
    write(target, "sha256sums.sig", signer.sign(sums.as_bytes()).as_bytes());
}
