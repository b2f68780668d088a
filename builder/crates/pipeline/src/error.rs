//! Every way in which a build can fail, and which kind of failure it is.

use std::path::PathBuf;
use wifibox_fetch::FetchError;
use wifibox_formats::{adb, apk, deb, opkg};
use wifibox_ground::device::DeviceId;
use wifibox_ground::location::LocationError;
use wifibox_host::HostError;
use wifibox_linux::firmware::FirmwareError;
use wifibox_linux::firmware::archive::ArchiveError;
use wifibox_linux::kernel;
use wifibox_recipe::RecipeError;
use wifibox_report::folder::OutputError;
use wifibox_resolve::Unsatisfiable;
use wifibox_resolve::lock::LockError;
use wifibox_tree::TreeError;
use wifibox_tree::accounts::AccountError;
use wifibox_tree::applets::AppletError;
use wifibox_tree::libraries::LibraryError;
use wifibox_tree::openwrt::OpenWrtError;
use wifibox_tree::scripts::UnknownScripts;
use wifibox_tree::unpack::UnpackError;

/// Why a build, a lock or a question failed.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "each variant says what it is by its message")]
pub enum Error {
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error("the packages of {base} cannot be reached: {source}")]
    Unreachable { base: String, repository: String, others: Vec<String>, source: FetchError },
    #[error("{}: {}", .0, .1)]
    Mirror(String, LocationError),
    #[error("repository {repository}: no mirror is known; name one with --mirror {repository}=URL")]
    NoMirror { repository: String },
    #[error("cannot read the keyring {path}: {source}")]
    ReadKeyring { path: PathBuf, source: std::io::Error },
    #[error(transparent)]
    Keyring(#[from] deb::KeyringError),
    #[error(
        "repository {repository}: none of its signing keys is on this machine; looked in {looked}\n  \
         wanted: {wanted}"
    )]
    NoKeys { repository: String, looked: String, wanted: String },
    #[error("recipe, repository {repository}: {why}")]
    BadKey { repository: String, why: String },
    #[error(transparent)]
    Release(#[from] deb::ReleaseError),
    #[error(transparent)]
    Index(#[from] deb::index::IndexError),
    #[error("{name}: {source}")]
    Records { name: String, source: wifibox_formats::IndexError },
    #[error(transparent)]
    Lock(#[from] LockError),
    #[error("the lock file {path} is out of date:\n{changes}")]
    LockOutdated { path: PathBuf, changes: String },
    #[error("there is no lock file {path}")]
    NoLock { path: PathBuf },
    #[error("{composition}: {source}")]
    Unsatisfiable { composition: String, source: Box<Unsatisfiable> },
    #[error("package {name} {version} has no SHA-256 in its index, so it cannot be trusted")]
    Unhashed { name: String, version: String },
    #[error("package {package} is not in this guest{why}")]
    NotInGuest { package: String, why: String, near: Vec<String> },
    #[error(transparent)]
    Package(#[from] deb::DebError),
    #[error(transparent)]
    Apk(#[from] apk::ApkError),
    #[error(transparent)]
    ApkIndex(#[from] apk::ApkIndexError),
    #[error(transparent)]
    ApkKey(#[from] apk::KeyError),
    #[error(transparent)]
    Ipk(#[from] opkg::IpkError),
    #[error(transparent)]
    Feed(#[from] opkg::FeedError),
    #[error(transparent)]
    FeedKey(#[from] opkg::KeyringError),
    #[error(transparent)]
    FeedTarget(#[from] opkg::feeds::TargetError),
    #[error("repository {repository}: {source}")]
    KernelMismatch { repository: String, source: opkg::KernelMismatch },
    #[error(transparent)]
    Adb(#[from] adb::AdbError),
    #[error(transparent)]
    AdbIndex(#[from] adb::IndexReadError),
    #[error(transparent)]
    AdbKey(#[from] adb::KeyringError),
    #[error(transparent)]
    OpenWrt(#[from] OpenWrtError),
    #[error(transparent)]
    Unpack(#[from] UnpackError),
    #[error(transparent)]
    Licences(#[from] wifibox_report::licences::CollectError),
    #[error(transparent)]
    Scripts(#[from] UnknownScripts),
    #[error("{what}: {source}")]
    Tree { what: String, source: TreeError },
    #[error(transparent)]
    Accounts(#[from] AccountError),
    #[error(transparent)]
    Applets(#[from] AppletError),
    #[error(transparent)]
    Libraries(#[from] LibraryError),
    #[error("cannot use a temporary file in {path}: {source}")]
    Spool { path: PathBuf, source: std::io::Error },
    #[error("cannot read back {what}: {source}")]
    ReadBack { what: String, source: std::io::Error },
    #[error("kernel {kernel}: {why}")]
    KernelFiles { kernel: String, why: String },
    #[error(transparent)]
    Modules(#[from] kernel::closure::ClosureError),
    #[error(transparent)]
    Depmod(#[from] kernel::depmod::DepmodError),
    #[error("{0}")]
    Kernel(String),
    #[error(transparent)]
    Impossible(#[from] kernel::capability::Impossible),
    #[error(transparent)]
    Firmware(#[from] FirmwareError),
    #[error("--firmware-file {globs}: none of the firmware that the modules want matches")]
    NoFirmware { globs: String, wanted: Vec<String> },
    /// An archive of firmware cannot be used.
    #[error(transparent)]
    FirmwareArchive(#[from] ArchiveError),
    #[error("firmware file {}: {why}", .file.display())]
    OwnFirmware { file: PathBuf, why: String },
    #[error(
        "the firmware of {manifest} has a licence that you must agree to: {}", .agreement.trim_end()
    )]
    NotAgreed { manifest: String, agreement: String },
    #[error(
        "no driver of the flavor {flavor} knows the card {device} (kernel {kernel}); \
         'wifibox-build list' shows the other flavors"
    )]
    NoDriver { device: DeviceId, flavor: String, kernel: String },
    #[error(transparent)]
    Squashfs(#[from] wifibox_image::squashfs::Error),
    #[error("root.img does not read back as it was written: {0}")]
    SquashfsVerify(#[from] wifibox_image::squashfs::VerifyError),
    #[error(transparent)]
    Initramfs(#[from] wifibox_image::newc::Error),
    #[error(transparent)]
    Uki(#[from] wifibox_image::uki::Error),
    #[error(transparent)]
    Esp(#[from] wifibox_image::esp::Error),
    #[error(transparent)]
    Output(#[from] OutputError),
    #[error(transparent)]
    Host(#[from] HostError),
    #[error(
        "the recipe's accounts come from packages, but no package of this guest has etc/passwd and \
         etc/group: add the one that does, or take 'accounts_from: recipes'"
    )]
    NoAccounts,
    #[error(
        "{origin} puts the service {service} into the runlevel {level}, but no package of this guest \
         has etc/init.d/{service}: add the package, or remove the service with \"-{service}\""
    )]
    NoInitScript { service: String, level: String, origin: String },
    #[error("{0}")]
    Unsupported(String),
    #[error("interrupted; what was fetched is kept, no output was changed")]
    Interrupted,
}

/// What kind of failure an error is: the exit code says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Something failed.
    Failed,
    /// What was asked for does not exist or makes no sense.
    Usage,
    /// The lock is out of date.
    LockOutdated,
    /// A signature or hash is wrong.
    Verification,
    /// The user ended it.
    Interrupted,
}

impl Error {
    /// Which kind of failure this is.
    pub fn kind(&self) -> Kind {
        match self {
            Error::Recipe(RecipeError::Choice(_)) | Error::NotInGuest { .. } => Kind::Usage,
            Error::Mirror(..)
            | Error::OwnFirmware { .. }
            | Error::NoFirmware { .. }
            | Error::Output(OutputError::NotAFolder { .. } | OutputError::Foreign { .. })
            | Error::NoDriver { .. }
            | Error::NotAgreed { .. } => Kind::Usage,
            Error::LockOutdated { .. } | Error::NoLock { .. } => Kind::LockOutdated,
            Error::Fetch(error) | Error::Unreachable { source: error, .. } => fetch_kind(error),
            Error::ApkIndex(_)
            | Error::Apk(_)
            | Error::Feed(_)
            | Error::Adb(_)
            | Error::AdbIndex(_)
            | Error::Release(_)
            | Error::NoKeys { .. }
            | Error::Unhashed { .. } => Kind::Verification,
            Error::Interrupted => Kind::Interrupted,
            _ => Kind::Failed,
        }
    }

    pub(super) fn tree(what: impl Into<String>) -> impl FnOnce(TreeError) -> Error {
        let what = what.into();
        move |source| Error::Tree { what, source }
    }
}

fn fetch_kind(error: &FetchError) -> Kind {
    match error {
        FetchError::Verification { .. } | FetchError::Unfit { .. } => Kind::Verification,
        FetchError::Interrupted { .. } => Kind::Interrupted,
        FetchError::Several(errors) => {
            let kinds: Vec<Kind> = errors.iter().map(fetch_kind).collect();
            let worst = [Kind::Interrupted, Kind::Verification];
            worst.into_iter().find(|kind| kinds.contains(kind)).unwrap_or(Kind::Failed)
        }
        _ => Kind::Failed,
    }
}
