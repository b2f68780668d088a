//! Repositories in OpenWrt's formats: a release with its target, or feeds one by one.

use super::feeds::{Feeds, keyring};
use super::{Offered, fingerprints, no_keys, release, v3};
use crate::mirrors::mirrors;
use crate::source::Source;
use crate::{Context, Error};
use wifibox_fetch::Fetcher;
use wifibox_formats::opkg::feeds::Packing;
use wifibox_recipe::{Format, Repository};

/// Adds what the feeds of `repository` offer.
///
/// # Errors
/// [`Error`]: a mirror, a key, a signature, a hash or a record is wrong, or kernel and modules do not
/// belong together.
pub fn load(
    source: &Source,
    repository: &Repository,
    context: &Context<'_>,
    fetcher: &Fetcher<'_>,
    offered: &mut Offered,
) -> Result<(), Error> {
    let feeds = feeds(source, repository, context, fetcher)?;
    if !feeds.has_keys() {
        return Err(no_keys(source.format, repository, context, &[]));
    }
    match repository.targets.get(&source.target.architecture) {
        Some(target) => release::load(&feeds, target, offered),
        None => {
            for suite in &repository.suites {
                let components = repository.components.iter().map(|name| format!("{suite}/{name}"));
                let mut folders: Vec<String> = components.collect();
                if folders.is_empty() {
                    folders.push(suite.clone());
                }
                for folder in folders {
                    let feed = feeds.read(&feeds.plan(&folder)?)?;
                    feeds.offer(feed, 0, None, offered);
                }
            }
            Ok(())
        }
    }
}

fn feeds<'a>(
    source: &'a Source,
    repository: &'a Repository,
    context: &'a Context<'a>,
    fetcher: &'a Fetcher<'a>,
) -> Result<Feeds<'a>, Error> {
    Ok(Feeds {
        source,
        repository,
        mirrors: mirrors(repository, source.format, context)?,
        packing: if source.format == Format::Adb { Packing::Apk } else { Packing::Opkg },
        context,
        fetcher,
        usign: keyring(source.format, repository, context)?,
        pinned: fingerprints(repository)?,
        pem: v3::keyring(repository, context)?,
    })
}

/// Whether the mirrors of `source` have its release: that of the signed sums of a target's folder, whose profiles.json has
/// the number of the release in it. The name of a folder proves nothing.
///
/// # Errors
/// [`Error`]: what they have under this name is not signed, or is another release.
pub(crate) fn has_release(
    source: &Source,
    context: &Context<'_>,
    fetcher: &Fetcher<'_>,
) -> Result<bool, Error> {
    let mut any = false;
    for repository in &source.repositories {
        let Some(target) = repository.targets.get(&source.target.architecture) else { continue };
        let feeds = feeds(source, repository, context, fetcher)?;
        if !feeds.has_usign() || !release::is_there(&feeds, target)? {
            return Ok(false);
        }
        any = true;
    }
    Ok(any)
}
