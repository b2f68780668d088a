//! Why a guest was not pushed or pulled, with advice.

use super::failure::{Failure, fetch_hints};
use wifibox_fetch::registry::RegistryError;
use wifibox_pipeline::transfer::TransferError;

impl From<TransferError> for Failure {
    fn from(error: TransferError) -> Self {
        let kind = error.kind();
        let mut hints = Vec::new();
        match &error {
            TransferError::Registry(error) => hints.extend(registry_hint(error).map(str::to_owned)),
            TransferError::Store(error) => fetch_hints(error, &mut hints),
            TransferError::Unsigned { .. } => hints.push(
                "ask who made it for a signed one; --dangerously-allow-unsigned takes whatever is there".to_owned(),
            ),
            TransferError::BadSignature { .. }
            | TransferError::Hostile { .. }
            | TransferError::Unsound { .. } => hints.push(
                "nothing was put in place; tell who made the guest: the registry does not have what was built, or \
                 the key is another one"
                    .to_owned(),
            ),
            _ => {}
        }
        Failure { hints, ..Failure::new(error, kind) }
    }
}

fn registry_hint(error: &RegistryError) -> Option<&'static str> {
    Some(match error {
        RegistryError::NoLogin { .. } | RegistryError::WrongLogin { .. } => {
            "log in with --username NAME --password-stdin, or with 'docker login' or 'podman login' before"
        }
        RegistryError::NotAllowed { .. } => {
            "this login may not do that in this repository: ask who runs the registry"
        }
        RegistryError::NotFound { .. } => "look at the repository's and the tag's spelling",
        RegistryError::Offline { .. } => {
            "pull it once with a network, and name the folder; or leave --offline out"
        }
        RegistryError::Network { .. } => {
            "look at the address; a registry without TLS that is not on this machine needs --plain-http"
        }
        RegistryError::Changed { .. } | RegistryError::Malformed { .. } => {
            "the registry, or somebody between, changed what was pushed: nothing was put in place"
        }
        _ => return None,
    })
}
