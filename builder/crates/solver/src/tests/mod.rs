//! Tests of the solver on small worlds, and helpers to write those.

mod apk;
mod apt;
mod brute;
mod explain;
mod opkg;
mod sat;

use crate::{Repository, Request, Solution, StandIn, Universe, resolve};
use wifibox_formats::{Package, apkindex, dpkg_index, opkg_index};
use wifibox_ground::version::Scheme;

/// Reads an index written one record a line: `name version; Field: value; ...`. apk's fields are its
/// letters; every record of apk is given a size unless it says `I:`.
pub(super) fn index(scheme: Scheme, text: &str) -> Vec<Package> {
    let mut full = String::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let mut fields = line.split(';').map(str::trim);
        let (name, version) = fields.next().and_then(|f| f.split_once(' ')).expect("name version");
        if scheme == Scheme::Apk {
            full.push_str(&format!("P:{name}\nV:{version}\n"));
            full.push_str(if line.contains("I:") { "" } else { "I:1\n" });
        } else {
            full.push_str(&format!("Package: {name}\nVersion: {version}\n"));
        }
        fields.for_each(|field| full.push_str(&format!("{field}\n")));
        full.push('\n');
    }
    let parsed = match scheme {
        Scheme::Apk => apkindex::parse(full.as_bytes()),
        Scheme::Dpkg => dpkg_index::parse(full.as_bytes()),
        Scheme::Opkg => opkg_index::parse(full.as_bytes()),
    };
    parsed.expect("a readable index")
}

/// Resolves space-separated requests (for Debian and opkg comma-separated) over tagged indexes.
pub(super) fn solve(
    scheme: Scheme,
    repositories: &[(Option<&str>, &str)],
    stand_ins: &[(&str, Option<&str>)],
    world: &str,
) -> (Universe, Result<Solution, String>) {
    let repositories = repositories.iter().map(|(tag, text)| Repository {
        tag: tag.map(str::to_owned),
        ..Repository::new(index(scheme, text).into())
    });
    let stand_ins = stand_ins.iter().map(|(name, version)| StandIn {
        name: (*name).to_owned(),
        version: version.map(str::to_owned),
    });
    let universe =
        Universe::new(scheme, Some("x86_64"), repositories.collect(), stand_ins.collect())
            .expect("a universe");
    let separator = if scheme == Scheme::Apk { ' ' } else { ',' };
    let requests = world.split(separator).filter(|text| !text.trim().is_empty());
    let requests: Vec<Request> =
        requests.map(|text| Request::parse(scheme, text).expect("a request")).collect();
    let outcome = resolve(&universe, &requests).map_err(|error| error.to_string());
    (universe, outcome)
}

/// The packages of a solution as `name-version`, or the explanation.
pub(super) fn names(universe: &Universe, outcome: Result<Solution, String>) -> String {
    match outcome {
        Ok(solution) => {
            let record = |c: &crate::Chosen| universe.package(c.item).full_name();
            solution.packages.iter().map(record).collect::<Vec<_>>().join(" ")
        }
        Err(error) => error,
    }
}

/// Checks what is chosen from one untagged index; `!` stands for "no solution".
#[track_caller]
pub(super) fn check(scheme: Scheme, text: &str, world: &str, expected: &str) {
    let (universe, outcome) = solve(scheme, &[(None, text)], &[], world);
    match outcome {
        Err(error) if expected != "!" => panic!("{world}: {error}"),
        Err(_) => {}
        ok => assert_eq!(names(&universe, ok), expected, "{world}"),
    }
}
