//! `.PKGINFO`, the metadata file of an apk package: apk-package(5).
//!
//! Lines of `key = value`; `#` begins a comment, lines without ` = ` and unknown keys say nothing to
//! apk. Lists may stand in one line or in many.

use crate::apkindex;
use crate::package::Package;
use wifibox_ground::digest::Sha256;

/// The fields of `.PKGINFO`. Lists are text as in the index, separated by spaces.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PkgInfo {
    /// `pkgname`.
    pub name: String,
    /// `pkgver`, with the release: `1.37.0-r12`.
    pub version: String,
    /// `pkgdesc`: one line on what it is.
    pub description: String,
    /// `url`: the project's home page.
    pub url: String,
    /// `builddate`: seconds since 1970; 0 if not said.
    pub build_time: u64,
    /// `packager`: who built it.
    pub packager: String,
    /// `size`: the space that its files take, in bytes.
    pub installed_size: u64,
    /// `arch`.
    pub architecture: String,
    /// `origin`: the source package.
    pub origin: String,
    /// `commit` of the repository that it was built from.
    pub commit: String,
    /// `maintainer`.
    pub maintainer: String,
    /// `license`.
    pub license: String,
    /// `depend`.
    pub depends: String,
    /// `provides`.
    pub provides: String,
    /// `provider_priority`.
    pub provider_priority: u32,
    /// `replaces`.
    pub replaces: String,
    /// `replaces_priority`.
    pub replaces_priority: u32,
    /// `install_if`.
    pub install_if: String,
    /// `triggers`: the folders for whose changes the trigger script is run.
    pub triggers: String,
    /// `datahash`: the SHA-256 of the compressed data members.
    pub data_hash: Option<Sha256>,
}

impl PkgInfo {
    /// Reads the file.
    ///
    /// # Errors
    /// The reason, for a message: a line that is not UTF-8, a number or hash that cannot be parsed,
    /// no name or version.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let mut info = PkgInfo::default();
        for (line, text) in bytes.split(|byte| *byte == b'\n').enumerate() {
            let in_line = |what: String| format!("line {}: {what}", line + 1);
            let text = std::str::from_utf8(text).map_err(|_| in_line("it is not UTF-8".into()))?;
            let text = text.trim_end_matches('\r');
            if text.starts_with('#') {
                continue;
            }
            if let Some((key, value)) = text.split_once(" = ") {
                info.field(key, value).map_err(|what| in_line(format!("{key} is {what}")))?;
            }
        }
        if info.name.is_empty() || info.version.is_empty() {
            return Err("it does not give the package's name and version".to_owned());
        }
        Ok(info)
    }

    fn field(&mut self, key: &str, value: &str) -> Result<(), String> {
        match key {
            "pkgname" => value.trim().clone_into(&mut self.name),
            "pkgver" => value.trim().clone_into(&mut self.version),
            "pkgdesc" => value.trim().clone_into(&mut self.description),
            "url" => value.trim().clone_into(&mut self.url),
            "packager" => value.trim().clone_into(&mut self.packager),
            "arch" => value.trim().clone_into(&mut self.architecture),
            "origin" => value.trim().clone_into(&mut self.origin),
            "commit" => value.trim().clone_into(&mut self.commit),
            "maintainer" => value.trim().clone_into(&mut self.maintainer),
            "license" => value.trim().clone_into(&mut self.license),
            "depend" => add(&mut self.depends, value),
            "provides" => add(&mut self.provides, value),
            "replaces" => add(&mut self.replaces, value),
            "install_if" => add(&mut self.install_if, value),
            "triggers" => add(&mut self.triggers, value),
            "builddate" => self.build_time = number(value)?,
            "size" => self.installed_size = number(value)?,
            "provider_priority" => self.provider_priority = priority(value)?,
            "replaces_priority" => self.replaces_priority = priority(value)?,
            "datahash" => {
                self.data_hash = Some(value.trim().parse().map_err(|_| {
                    format!("{value:?}; a SHA-256 in 64 hexadecimal digits is expected")
                })?);
            }
            _ => {}
        }
        Ok(())
    }

    /// The record that an index would have of this package, but for its identity
    /// (which the reader of packages adds) and the size of its file, which it cannot know.
    pub fn to_package(&self) -> Package {
        let package = Package {
            name: self.name.clone(),
            version: self.version.clone(),
            architecture: self.architecture.clone(),
            installed_size: self.installed_size,
            depends: self.depends.clone(),
            provides: self.provides.clone(),
            replaces: self.replaces.clone(),
            replaces_priority: self.replaces_priority,
            install_if: self.install_if.clone(),
            provider_priority: self.provider_priority,
            description: self.description.clone(),
            license: self.license.clone(),
            origin: self.origin.clone(),
            build_time: self.build_time,
            ..Package::default()
        };
        apkindex::judged(package)
    }
}

fn number(value: &str) -> Result<u64, String> {
    value.trim().parse().map_err(|_| format!("{value:?}; a whole number is expected"))
}

fn priority(value: &str) -> Result<u32, String> {
    number(value).map(|number| number.try_into().unwrap_or(u32::MAX))
}

fn add(list: &mut String, value: &str) {
    for item in value.split_whitespace() {
        if !list.is_empty() {
            list.push(' ');
        }
        list.push_str(item);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_read() {
        let hash = Sha256::of(b"data");
        let text = format!(
            "# made by hand\npkgname = busybox\npkgver = 1.37.0-r12\npkgdesc = tools = all of them\n\
             url = https://busybox.net/\nbuilddate = 1700000000\npackager = Build <b@example.org>\n\
             size = 1000\narch = x86_64\norigin = busybox\ncommit = abc\nmaintainer = M <m@example.org>\n\
             license = GPL-2.0-only\ndepend = so:libc.musl-x86_64.so.1\ndepend = !busybox-suid<2\n\
             provides = /bin/sh cmd:sh=1.37.0-r12\nprovides = x\nprovider_priority = 100\n\
             replaces = busybox-initscripts\nreplaces_priority = 5\ninstall_if = a b\n\
             triggers = /bin /usr/bin\ndatahash = {hash}\nsomething = else\nnonsense\n"
        );
        let info = PkgInfo::parse(text.as_bytes()).expect("fields");
        let expected = PkgInfo {
            name: "busybox".into(),
            version: "1.37.0-r12".into(),
            description: "tools = all of them".into(),
            url: "https://busybox.net/".into(),
            build_time: 1_700_000_000,
            packager: "Build <b@example.org>".into(),
            installed_size: 1000,
            architecture: "x86_64".into(),
            origin: "busybox".into(),
            commit: "abc".into(),
            maintainer: "M <m@example.org>".into(),
            license: "GPL-2.0-only".into(),
            depends: "so:libc.musl-x86_64.so.1 !busybox-suid<2".into(),
            provides: "/bin/sh cmd:sh=1.37.0-r12 x".into(),
            provider_priority: 100,
            replaces: "busybox-initscripts".into(),
            replaces_priority: 5,
            install_if: "a b".into(),
            triggers: "/bin /usr/bin".into(),
            data_hash: Some(hash),
        };
        assert_eq!(info, expected);
    }

    #[test]
    fn it_says_the_same_as_an_index() {
        let info = "pkgname = a\npkgver = 1-r0\npkgdesc = d\nsize = 7\narch = x86_64\norigin = o\n\
            license = MIT\ndepend = b>1\ndepend = c\nprovides = so:x=1\nreplaces = e\n\
            replaces_priority = 2\nprovider_priority = 3\ninstall_if = f g\nbuilddate = 9\n";
        let index = "P:a\nV:1-r0\nA:x86_64\nI:7\nT:d\nL:MIT\no:o\nt:9\nD:b>1 c\np:so:x=1\nr:e\nq:2\n\
            k:3\ni:f g\n";
        let indexed = apkindex::parse(index.as_bytes()).expect("a record");
        let info = PkgInfo::parse(info.as_bytes()).expect("fields");
        assert_eq!(indexed, [info.to_package()]);
        let tagged = PkgInfo { depends: "c@tag".into(), ..info };
        assert!(tagged.to_package().refused.is_some_and(|why| why.contains("c@tag")));
    }

    #[test]
    fn errors_name_the_line() {
        for (text, expected) in [
            ("pkgname = a\nsize = big\n", "line 2: size is \"big\"; a whole number"),
            ("datahash = 00\n", "line 1: datahash is \"00\"; a SHA-256"),
            ("pkgname = a\n", "name and version"),
        ] {
            let error = PkgInfo::parse(text.as_bytes()).expect_err("an error");
            assert!(error.contains(expected), "{error}");
        }
        let error = PkgInfo::parse(b"pkgname = \xff").expect_err("an error");
        assert_eq!(error, "line 1: it is not UTF-8");
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..60), text in "(pkgname|pkgver|size|datahash|x) = .{0,9}\n") {
            let _ = (PkgInfo::parse(&bytes), PkgInfo::parse(text.as_bytes()));
        }
    }
}
