//! Reads opkg's `Packages` (OpenWrt up to 24.10): deb822 records with opkg's own field names.

use std::io::BufRead;

use super::deb822::{Reader, Record};
use super::dpkg_index::{first_line, join, number};
use super::package::{IndexError, Package, admit};

/// Reads every record of a `Packages` file.
///
/// # Errors
/// [`IndexError`] names the line and the package.
pub fn parse(input: impl BufRead) -> Result<Vec<Package>, IndexError> {
    let mut reader = Reader::new(input).blanks_continue();
    let mut packages = Vec::new();
    while let Some(record) = reader.next_record()? {
        let package = package(&record)?;
        admit(&packages, &package).map_err(|what| record.error(what))?;
        packages.push(package);
    }
    Ok(packages)
}

fn package(record: &Record<'_>) -> Result<Package, IndexError> {
    let mut package = Package::default();
    let mut pre_depends = "";
    for (name, value) in record.fields() {
        match name.to_ascii_lowercase().as_str() {
            "package" => package.name = value.to_owned(),
            "version" => package.version = value.to_owned(),
            "architecture" => package.architecture = value.to_owned(),
            "filename" => package.path = value.to_owned(),
            "size" => package.size = number(record, name, value)?,
            "installed-size" => package.installed_size = number(record, name, value)?,
            "sha256sum" => {
                let digest = value.parse().map_err(|e| record.error(format!("SHA256sum: {e}")))?;
                package.sha256 = Some(digest);
            }
            "pre-depends" => pre_depends = value,
            "depends" => package.depends = value.to_owned(),
            "conflicts" => package.conflicts = value.to_owned(),
            "provides" => package.provides = value.to_owned(),
            "replaces" => package.replaces = value.to_owned(),
            "license" => package.license = value.to_owned(),
            "source" | "sourcename" if package.origin.is_empty() => {
                package.origin = value.to_owned()
            }
            "description" => package.description = first_line(value),
            "essential" => package.essential = value == "yes",
            _ => {}
        }
    }
    if package.name.is_empty() {
        return Err(record.error("the record has no field Package"));
    }
    if package.version.is_empty() {
        return Err(record.error("the record has no field Version"));
    }
    package.depends = join(pre_depends, &package.depends);
    Ok(package)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read() {
        let text = "Package: libubox20230523\nVersion: 2023-05-23-75a3b870-1\nDepends: libc\nProvides: libubox\n\
            License: ISC\nSource: package/libs/libubox\nArchitecture: x86_64\nInstalled-Size: 51200\n\
            Filename: libubox20230523_x86_64.ipk\nSize: 20000\nABIVersion: 20230523\nDescription:  Basic utility library\n";
        let all = parse(text.as_bytes()).expect("packages");
        assert_eq!(all.len(), 1);
        assert_eq!(all[0].provides, "libubox");
        assert_eq!((all[0].size, all[0].installed_size), (20_000, 51_200));
        assert_eq!(all[0].description, "Basic utility library");
        assert!(parse(&b"Package: a\n"[..]).is_err());
    }
}
