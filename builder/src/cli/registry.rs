//! What verbs that speak to a registry share: who asks, and how; and how a guest is taken out of it.

use std::env;
use std::io::Read as _;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;

use super::context::{Context, cache_folder};
use super::render::failure::Failure;
use super::trust::TrustArgs;
use wifibox_fetch::registry::{Login, Reference, stored_login};
use wifibox_fetch::{Access, HttpOptions, Network, Options, ProxyChoice};
use wifibox_ground::regular;
use wifibox_ground::work::Work;
use wifibox_pipeline::transfer::{PullReport, PullRequest, RegistryChoice, pull};

/// The variable with the password of `--username`.
const PASSWORD: &str = "WIFIBOX_BUILD_REGISTRY_PASSWORD";
/// The longest password, and the largest file of logins, that is read, in bytes.
const LIMIT: u64 = 1 << 20;

/// Who asks a registry, and how.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Registry")]
pub struct RegistryArgs {
    /// Log in with this name; its password comes by --password-stdin or in WIFIBOX_BUILD_REGISTRY_PASSWORD [default:
    /// what `docker login` or `podman login` wrote down]
    #[arg(
        long,
        value_name = "NAME",
        env = "WIFIBOX_BUILD_REGISTRY_USERNAME",
        hide_env_values = true
    )]
    pub username: Option<String>,
    /// Read the password from standard input
    #[arg(long, requires = "username")]
    pub password_stdin: bool,
    /// Speak to the registry without TLS, although it is not on this machine: whoever sits between reads the password
    #[arg(long)]
    pub plain_http: bool,
    /// Do not touch the network
    #[arg(long)]
    pub offline: bool,
    /// Where downloads are kept [default: the user's cache folder]
    #[arg(long, value_name = "DIR", env = "WIFIBOX_BUILD_CACHE")]
    pub cache_dir: Option<PathBuf>,
}

impl RegistryArgs {
    /// The cache, and how the network is used.
    ///
    /// # Errors
    /// There is no home folder.
    pub fn access(&self) -> Result<Access, Failure> {
        let http = HttpOptions { proxy: ProxyChoice::System, ..HttpOptions::default() };
        let network = if self.offline { Network::Offline } else { Network::Online };
        Ok(Access {
            cache: cache_folder(self.cache_dir.as_deref())?,
            mirrors: Vec::new(),
            apt_folder: None,
            trust_keys: Vec::new(),
            allow_expired_index: false,
            fetch: Options { network, http, ..Options::default() },
            now: 0,
        })
    }

    /// How the work is done.
    pub fn work<'a>(&self, context: &'a Context) -> Work<'a> {
        let jobs = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        Work { jobs, progress: &context.printer, cancel: &context.cancel }
    }

    /// Who asks the registry of `reference`, and how.
    ///
    /// # Errors
    /// There is a name without a password, or a file of logins cannot be read.
    pub fn choice(&self, reference: &Reference) -> Result<RegistryChoice, Failure> {
        let login = match &self.username {
            // Nobody is asked, so nobody has to say who they are.
            _ if self.offline => None,
            Some(username) => {
                Some(Login { username: username.clone(), password: self.password(username)? })
            }
            None => written_down(reference)?,
        };
        Ok(RegistryChoice { login, plain_http: self.plain_http })
    }

    fn password(&self, username: &str) -> Result<String, Failure> {
        if !self.password_stdin {
            return env::var(PASSWORD).map_err(|_| {
                Failure::usage(format!("there is no password for {username}")).with_hint(format!(
                    "give it by --password-stdin, or in the variable {PASSWORD}"
                ))
            });
        }
        let mut text = String::new();
        std::io::stdin().take(LIMIT).read_to_string(&mut text).map_err(|error| {
            Failure::usage(format!("cannot read the password from standard input: {error}"))
        })?;
        let password = text.strip_suffix('\n').unwrap_or(&text);
        let password = password.strip_suffix('\r').unwrap_or(password);
        match password.is_empty() {
            true => Err(Failure::usage("standard input has no password")),
            false => Ok(password.to_owned()),
        }
    }
}

/// An address that was given.
///
/// # Errors
/// It is none.
pub fn address(text: &str) -> Result<Reference, Failure> {
    text.parse().map_err(|error| Failure::usage(format!("{error}")))
}

/// A guest in a registry, as verbs ask for it.
pub struct Wanted<'a> {
    /// Its address.
    pub address: &'a str,
    /// Which one of several.
    pub flavor: Option<&'a str>,
    /// Whose.
    pub trust: &'a TrustArgs,
    /// Who asks.
    pub registry: &'a RegistryArgs,
}

impl Wanted<'_> {
    /// Pulls it into the folder that `out` names.
    ///
    /// # Errors
    /// The registry has no such guest, or it is not the one that was signed (exit code 4).
    pub fn pull(
        &self,
        context: &Context,
        out: impl FnOnce(&Reference, &Access) -> Result<PathBuf, Failure>,
    ) -> Result<PullReport, Failure> {
        let reference = address(self.address)?;
        let key = self.trust.key()?;
        let choice = self.registry.choice(&reference)?;
        let access = self.registry.access()?;
        let request = PullRequest {
            reference: &reference,
            flavor: self.flavor,
            out: &out(&reference, &access)?,
            key: key.as_ref(),
            registry: &choice,
        };
        Ok(pull(&request, &access, &self.registry.work(context))?)
    }
}

/// The login that podman or docker wrote down for a registry.
fn written_down(reference: &Reference) -> Result<Option<Login>, Failure> {
    for path in files() {
        let bytes = match regular::read(&path, LIMIT) {
            Ok(bytes) => bytes,
            Err(error) if regular::is_missing(&error) => continue,
            Err(error) => {
                let why = format!("cannot read the login in {}: {error}", path.display());
                return Err(Failure::usage(why).with_hint(HINT));
            }
        };
        let text = String::from_utf8_lossy(&bytes);
        let login = stored_login(&text, &reference.host, &reference.repository);
        let login = login.map_err(|error| {
            Failure::usage(format!("{} {error}", path.display())).with_hint(HINT)
        })?;
        if login.is_some() {
            return Ok(login);
        }
    }
    Ok(None)
}

const HINT: &str = "log in with --username NAME --password-stdin instead";

/// Where they write it: podman's files go first, as it does it itself.
fn files() -> Vec<PathBuf> {
    let variable =
        |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = variable("HOME");
    let config =
        variable("XDG_CONFIG_HOME").or_else(|| home.as_ref().map(|home| home.join(".config")));
    let docker = variable("DOCKER_CONFIG").or_else(|| home.map(|home| home.join(".docker")));
    [
        variable("REGISTRY_AUTH_FILE"),
        variable("XDG_RUNTIME_DIR").map(|folder| folder.join("containers/auth.json")),
        config.map(|folder| folder.join("containers/auth.json")),
        docker.map(|folder| folder.join("config.json")),
    ]
    .into_iter()
    .flatten()
    .collect()
}
