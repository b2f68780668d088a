//! The options of verbs that take guests which somebody else made: whose key must have signed them.

use std::path::Path;

use clap::Args;

use super::render::failure::Failure;
use wifibox_report::signature::{PublicKey, SIZE_LIMIT};

/// Whose guests are taken.
#[derive(Debug, Clone, Default, Args)]
pub struct TrustArgs {
    /// The key of minisign that must have signed the guest: the 56 characters, or the file minisign.pub
    #[arg(long, value_name = "FILE|KEY")]
    pub public_key: Option<String>,
    /// Take a guest from a registry although no key says who made it: whoever can write to the registry may then
    /// give you any guest
    #[arg(long, conflicts_with = "public_key")]
    pub dangerously_allow_unsigned: bool,
}

impl TrustArgs {
    /// The key; `None` where none is wanted.
    ///
    /// # Errors
    /// It is no key; or there is none, and that was not said to be meant.
    pub fn key(&self) -> Result<Option<PublicKey>, Failure> {
        match &self.public_key {
            Some(given) => public_key(given).map(Some),
            None if self.dangerously_allow_unsigned => Ok(None),
            None => Err(Failure::usage("a guest from a registry is taken only with the key of who made it")
                .with_hint(
                    "name it with --public-key: the 56 characters, or the file minisign.pub; who makes guests publishes \
                     it beside them",
                )
                .with_hint(
                    "--dangerously-allow-unsigned takes whatever is there: whoever can write to the registry may then \
                     give you any guest",
                )),
        }
    }
}

/// The key that was given: a file of that name, or its characters.
///
/// # Errors
/// It is neither.
pub fn public_key(given: &str) -> Result<PublicKey, Failure> {
    let path = Path::new(given);
    if !path.is_file() {
        return PublicKey::parse(given).map_err(|error| {
            Failure::usage(format!("--public-key {given}: there is no such file, and {error}"))
        });
    }
    let size = path.metadata().map_or(0, |data| data.len());
    let text = match std::fs::read_to_string(path) {
        Ok(text) if size <= SIZE_LIMIT => text,
        Ok(_) => String::new(),
        Err(error) => return Err(Failure::usage(format!("cannot read {given}: {error}"))),
    };
    PublicKey::parse(&text)
        .map_err(|error| Failure::usage(format!("--public-key {given}: {error}")))
}
