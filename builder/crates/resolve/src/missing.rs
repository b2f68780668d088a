//! The requests that a lock cannot serve: a mirror may hold a part of a distribution, and then some
//! compositions cannot be built from it. The others can, with all that they ask for.

use std::collections::{BTreeMap, BTreeSet};

use super::choice::Records;
use super::source::Source;
use super::world::{FromArchive, StandsIn, World};
use super::{Context, Error};
use crate::lock::Stock;
use wifibox_ground::version::Scheme;

/// The names that the builder stands in for, and the archive that goes before others: a request is served, or
/// is not, in all worlds that share them.
type Kind<'a> = (&'a [StandsIn], Option<&'a FromArchive>);

fn kind(world: &World) -> Kind<'_> {
    (&world.stand_ins, world.archive.as_ref())
}

/// For each request and each kind of world that has it, whether it is served.
type Served<'a> = BTreeMap<&'a str, BTreeMap<Kind<'a>, bool>>;

/// The worlds that have all they ask for where this is `missing`, and what the others ask for
/// besides. Each once, in the order of their requests.
pub fn split(worlds: &[World], missing: &[String]) -> (BTreeSet<World>, BTreeSet<World>) {
    let (mut whole, mut partial) = (BTreeSet::new(), BTreeSet::new());
    for world in worlds {
        let rest = world.only(|request| !world.lacks(missing, request));
        if rest == *world {
            whole.insert(rest);
        } else {
            partial.insert(rest);
        }
    }
    (whole, partial)
}

/// The requests of `worlds` that `offered` cannot serve, neither alone nor beside the composition's
/// other requests: of several packages that provide a name, apk takes the one that something else
/// wants. A request that is served with some kernels only is reported for the others.
///
/// # Errors
/// [`Error::Interrupted`].
pub fn missing(
    worlds: &[World],
    source: &Source,
    offered: Stock<'_>,
    context: &Context<'_>,
) -> Result<Vec<String>, Error> {
    let records = Records::new(source, offered);
    let mut served = Served::new();
    for world in worlds {
        for request in &world.requests {
            context.work.check()?;
            let of_kind = served.entry(request).or_default();
            of_kind.entry(kind(world)).or_insert_with(|| {
                world.only(|other| other == request).resolve(&records, source).is_ok()
            });
        }
    }
    while beside_others(worlds, source, &records, &mut served, context)? {}
    let mut missing = BTreeSet::new();
    for (request, kinds) in served {
        if kinds.values().all(|served| !served) {
            missing.insert(request.to_owned());
        } else {
            let lacking = |world: &&World| kinds.get(&kind(world)) == Some(&false);
            missing.extend(worlds.iter().filter(lacking).map(|world| world.lacking(request)));
        }
    }
    Ok(missing.into_iter().collect())
}

/// Marks requests that are served beside a composition's other ones; whether there were any.
fn beside_others<'a>(
    worlds: &'a [World],
    source: &Source,
    records: &Records,
    served: &mut Served<'a>,
    context: &Context<'_>,
) -> Result<bool, Error> {
    let mut found = false;
    // Only apk wants a choice to be made by something else; many compositions ask for the same.
    let apk = if source.scheme() == Scheme::Apk { worlds } else { &[] };
    let distinct: BTreeMap<_, _> =
        apk.iter().map(|world| ((&world.in_order, kind(world)), world)).collect();
    for world in distinct.into_values() {
        for request in &world.requests {
            let lacking = |name: &str| {
                served.get(name).and_then(|kinds| kinds.get(&kind(world))) == Some(&false)
            };
            if !lacking(request) || !records.offer(source.scheme(), request) {
                continue;
            }
            context.work.check()?;
            let beside = world.only(|other| other == request || !lacking(other));
            if beside.resolve(records, source).is_ok() {
                served.entry(request).or_default().insert(kind(world), true);
                found = true;
            }
        }
    }
    Ok(found)
}
