//! What an output brings to a host: each file with its place there, read through the hashes of its
//! `SHA256SUMS`.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::error::{InstallError, failed};
use super::layout::Layout;
use super::record::{Build, Part};
use crate::{HostError, Hypervisor};
use wifibox_ground::digest::Sha256;
use wifibox_ground::guest::{AppConfig, Guest, Purpose};
use wifibox_ground::regular;
use wifibox_ground::sums::{SUMS, SUMS_LIMIT, Sums};
use wifibox_report::manifest::Manifest;

/// The feature by which the guest's daemons have their sockets on the host, too.
const SOCKETS: &str = "uds_passthru";
/// The largest file of a domain that is read.
const DOMAIN_LIMIT: u64 = 1 << 20;

/// Where the bytes of a file come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// A file of the output.
    File(PathBuf),
    /// Bytes of the program.
    Bytes(Vec<u8>),
}

/// A file for the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// Its place, as the host sees it.
    pub path: String,
    /// What it is for.
    pub part: Part,
    /// Its permissions.
    pub mode: u32,
    /// What it holds.
    pub sha256: Sha256,
    /// Where that comes from.
    pub source: Source,
}

/// All that an output brings.
#[derive(Debug)]
pub(crate) struct Brought {
    pub guest: Guest,
    pub build: Build,
    pub files: Vec<Wanted>,
    /// Links of the configuration, and where they lead.
    pub links: Vec<(String, String)>,
    /// Folders that must be there, with or without files.
    pub folders: BTreeSet<String>,
}

/// Whether samples become files, and what else a package leaves to its package manager.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purposes {
    /// A host: samples become files, settings go where programs look.
    Host,
    /// The staging folder of a package: samples stay samples, and there is no record.
    Package,
}

/// What the output in `folder`, with this manifest, brings.
pub(crate) fn brought(
    folder: &Path,
    manifest: &Manifest,
    layout: &Layout,
    man_page: &str,
    documents: bool,
    purposes: Purposes,
) -> Result<Brought, InstallError> {
    let guest = manifest.guest.clone();
    let guest = guest.ok_or_else(|| HostError::NoGuest { path: folder.to_owned() })?;
    guest.check().map_err(HostError::from)?;
    has_usual_places(folder, layout)?;
    let build = Build { build_id: manifest.build_id.clone(), title: guest.title() };
    let path = folder.join(SUMS);
    let size = fs::metadata(&path).map_err(failed("read", &path))?.len();
    let bytes = if size <= SUMS_LIMIT { fs::read(&path) } else { Ok(Vec::new()) };
    let sums = Sums::parse(&bytes.map_err(failed("read", &path))?)
        .map_err(|why| InstallError::Changed { path, why })?;
    let mut list = List { folder, sums: &sums, files: Vec::new() };

    for name in images(&guest, layout.hypervisor) {
        list.output(name, &format!("{}/{name}", layout.images), Part::Image, 0o644)?;
    }
    list.output("manifest.json", &format!("{}/manifest.json", layout.images), Part::Image, 0o644)?;
    for disk in guest.disks.iter().filter(|disk| disk.purpose == Purpose::Persistent) {
        if sums.hashes.contains_key(&disk.file) {
            let place = format!("{}/{}", layout.images, disk.file);
            list.output(&disk.file, &place, Part::State, 0o600)?;
        }
    }
    for name in sums.hashes.keys() {
        if let Some(path) = name.strip_prefix("etc/wifibox/").filter(|p| p.ends_with(".sample")) {
            let sample = format!("{}/{path}", layout.configuration);
            list.output(name, &sample, Part::Own, 0o640)?;
            if let (Purposes::Host, Some(live)) = (purposes, sample.strip_suffix(".sample")) {
                list.output(name, live, Part::Configuration, 0o640)?;
            }
        } else if let Some(path) = name.strip_prefix("host/") {
            if purposes == Purposes::Host && layout.hypervisor.owns(path) {
                let mode =
                    if path.ends_with(".sh") || path.ends_with("rc.local") { 0o755 } else { 0o644 };
                list.output(name, &format!("{}/{path}", layout.examples()), Part::Own, mode)?;
                if let Some(live) = layout.live(path) {
                    list.output(name, &live, Part::Configuration, 0o644)?;
                }
            }
        } else if documents && (name.starts_with("licenses/") || name.starts_with("sbom.")) {
            list.output(name, &format!("{}/{name}", layout.documents()), Part::Own, 0o644)?;
        } else if let Some(path) = name.strip_prefix("var/") {
            list.output(name, &format!("{}/{path}", layout.var), Part::State, 0o644)?;
        }
    }
    list.bytes(&layout.man_page(), pressed(man_page.as_bytes())?, 0o644);

    let mut folders = BTreeSet::from([layout.var.clone()]);
    let skeleton = folder.join("var");
    if skeleton.is_dir() {
        folders_below(&skeleton, &layout.var, &mut folders)?;
    }
    // Its folder is shared even where it is empty.
    let daemon = guest.application.name();
    folders.insert(format!("{}/{daemon}", layout.configuration));
    folders.insert(format!("{}/appliance", layout.configuration));
    // Where the host's side of hostapd's control sockets appears.
    let passed_on = manifest.recipe.features.iter().any(|feature| feature == SOCKETS);
    if purposes == Purposes::Package && passed_on && guest.application == AppConfig::Hostapd {
        folders.insert(layout.sockets());
    }
    let links = vec![(format!("{}/app_config", layout.configuration), daemon.to_owned())];
    Ok(Brought { build, files: list.files, links, folders, guest })
}

/// Files for dom0 may be those of a guest with another name or folder, which have their images elsewhere.
fn has_usual_places(folder: &Path, layout: &Layout) -> Result<(), HostError> {
    if layout.hypervisor != Hypervisor::Xen {
        return Ok(());
    }
    let domain =
        regular::read(&folder.join("host/xen/wifibox.cfg"), DOMAIN_LIMIT).unwrap_or_default();
    let domain = String::from_utf8_lossy(&domain);
    if !domain.is_empty() && !domain.contains(&format!("{}/", layout.images)) {
        return Err(HostError::Unfit {
            hypervisor: Hypervisor::Xen,
            why: "its host/xen/wifibox.cfg was written with another --name or --folder; \
                  host/xen/setup.sh installs such a one"
                .to_owned(),
        });
    }
    Ok(())
}

/// The files that the guest is started from. Where its data stay, they are not replaced.
fn images(guest: &Guest, hypervisor: Hypervisor) -> Vec<&str> {
    let disks = guest.disks.iter();
    let disks = disks.filter(|disk| matches!(disk.purpose, Purpose::Efi | Purpose::Root));
    let mut names: Vec<&str> = disks.map(|disk| disk.file.as_str()).collect();
    // bhyve starts the firmware only.
    if let Some(direct) = guest.boot.direct.as_ref().filter(|_| hypervisor != Hypervisor::Bhyve) {
        names.push(&direct.kernel);
        names.extend(direct.initramfs.as_deref());
    }
    names.sort_unstable();
    names.dedup();
    names
}

struct List<'a> {
    folder: &'a Path,
    sums: &'a Sums,
    files: Vec<Wanted>,
}

impl List<'_> {
    fn output(
        &mut self,
        name: &str,
        path: &str,
        part: Part,
        mode: u32,
    ) -> Result<(), InstallError> {
        let source = self.folder.join(name);
        let Some(sha256) = self.sums.hashes.get(name).copied() else {
            let why = format!("{SUMS} does not list it");
            return Err(InstallError::Changed { path: source, why });
        };
        let source = Source::File(source);
        self.files.push(Wanted { path: path.to_owned(), part, mode, sha256, source });
        Ok(())
    }

    fn bytes(&mut self, path: &str, bytes: Vec<u8>, mode: u32) {
        let sha256 = Sha256::of(&bytes);
        let (path, source) = (path.to_owned(), Source::Bytes(bytes));
        self.files.push(Wanted { path, part: Part::Own, mode, sha256, source });
    }
}

/// gzip without a name or time, so that the same page is the same file.
fn pressed(bytes: &[u8]) -> Result<Vec<u8>, InstallError> {
    let mut writer =
        flate2::GzBuilder::new().mtime(0).write(Vec::new(), flate2::Compression::best());
    let written = writer.write_all(bytes).and_then(|()| writer.finish());
    written.map_err(failed("compress", Path::new("the man page")))
}

/// The folders below `folder`, by the names that they have below `place`.
fn folders_below(
    folder: &Path,
    place: &str,
    list: &mut BTreeSet<String>,
) -> Result<(), InstallError> {
    for entry in fs::read_dir(folder).map_err(failed("list", folder))? {
        let entry = entry.map_err(failed("list", folder))?;
        let path = entry.path();
        if !entry.file_type().map_err(failed("examine", &path))?.is_dir() {
            continue;
        }
        let Ok(name) = entry.file_name().into_string() else { continue };
        let place = format!("{place}/{name}");
        folders_below(&path, &place, list)?;
        list.insert(place);
    }
    Ok(())
}
