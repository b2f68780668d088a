//! The solver against trying every set of packages, on small random universes.

use std::collections::{HashMap, HashSet};

use proptest::prelude::*;

use super::{index, solve};
use crate::Request;
use wifibox_formats::{Constraint, Package, Relation};
use wifibox_ground::version::Scheme;

const NAMES: [&str; 5] = ["a", "b", "c", "v", "w"];

/// A dependency: a name of [`NAMES`] and perhaps a comparison.
fn target(scheme: Scheme) -> impl Strategy<Value = String> {
    let ops: &[&str] = match scheme {
        Scheme::Apk => &["=", "<", ">", "~"],
        Scheme::Dpkg | Scheme::Opkg => &["=", "<<", ">=", "<="],
    };
    (0..NAMES.len(), proptest::option::weighted(0.3, (0..ops.len(), 1..3u8))).prop_map(
        move |(name, bound)| match (scheme, bound) {
            (_, None) => NAMES[name].to_owned(),
            (Scheme::Apk, Some((op, version))) => format!("{}{}{version}", NAMES[name], ops[op]),
            (_, Some((op, version))) => format!("{} ({} {version})", NAMES[name], ops[op]),
        },
    )
}

/// The fields of one record after its name and version.
fn fields(scheme: Scheme) -> BoxedStrategy<String> {
    let provides =
        proptest::option::weighted(0.4, (3..5usize, proptest::option::weighted(0.4, 1..3u8)));
    match scheme {
        Scheme::Apk => {
            let depends =
                proptest::collection::vec((proptest::bool::weighted(0.15), target(scheme)), 0..3);
            (depends, provides, proptest::bool::weighted(0.3))
                .prop_map(|(depends, provides, priority)| {
                    let depend = |(not, text): &(bool, String)| {
                        format!("{}{text}", if *not { "!" } else { "" })
                    };
                    let depends: Vec<String> = depends.iter().map(depend).collect();
                    let provides = provides.map(|(name, version)| {
                        let version = version.map(|v| format!("={v}")).unwrap_or_default();
                        format!("; p:{}{version}", NAMES[name])
                    });
                    let priority = if priority { "; k:1" } else { "" };
                    format!("; D:{}{}{priority}", depends.join(" "), provides.unwrap_or_default())
                })
                .boxed()
        }
        Scheme::Dpkg | Scheme::Opkg => {
            let group = proptest::collection::vec(target(scheme), 1..3).prop_map(|g| g.join(" | "));
            let conflicts = proptest::option::weighted(0.2, target(scheme));
            (proptest::collection::vec(group, 0..3), conflicts, provides)
                .prop_map(|(depends, conflicts, provides)| {
                    let provides = provides.map(|(name, version)| {
                        let version = version.map(|v| format!(" (= {v})")).unwrap_or_default();
                        format!("; Provides: {}{version}", NAMES[name])
                    });
                    let conflicts = conflicts.map(|c| format!("; Conflicts: {c}"));
                    let (provides, conflicts) =
                        (provides.unwrap_or_default(), conflicts.unwrap_or_default());
                    format!("; Depends: {}{provides}{conflicts}", depends.join(", "))
                })
                .boxed()
        }
    }
}

type Case = (Vec<(bool, String)>, Vec<String>);

/// Records (each with whether it is in the tagged repository) and requests.
fn case(scheme: Scheme) -> impl Strategy<Value = Case> {
    let tagged = if scheme == Scheme::Apk { 0.2 } else { 0.0 };
    let record = (proptest::bool::weighted(tagged), 0..NAMES.len(), 1..3u8, fields(scheme));
    let record = record.prop_map(|(tag, name, version, fields)| {
        (tag, format!("{} {version}{fields}", NAMES[name]))
    });
    let wanted = (target(scheme), proptest::bool::weighted(tagged / 2.0 + f64::EPSILON));
    let request = wanted.prop_map(move |(text, tag)| {
        if scheme != Scheme::Apk || !tag {
            return text;
        }
        let (name, bound) = text.split_at(1);
        format!("{name}@t{bound}")
    });
    (proptest::collection::vec(record, 1..8), proptest::collection::vec(request, 1..3))
}

/// A set of packages, judged by the rules alone.
struct Judge<'a> {
    scheme: Scheme,
    /// Each package and whether it is in the tagged repository.
    all: Vec<(bool, &'a Package)>,
    requests: Vec<Relation<'a>>,
}

impl Judge<'_> {
    /// In which versions `package` provides the name of `target`.
    fn provided<'p>(&self, package: &'p Package, target: &Constraint<'_>) -> Vec<Option<&'p str>> {
        let provides = package.provides(self.scheme).expect("provides");
        let mut versions: Vec<Option<&str>> = Vec::new();
        if package.name == target.name {
            versions.push(Some(&package.version));
        }
        let opkg = self.scheme == Scheme::Opkg;
        let others = provides.iter().filter(|p| p.name == target.name);
        versions
            .extend(others.map(|p| if opkg { Some(package.version.as_str()) } else { p.version }));
        versions
    }

    fn satisfies(&self, package: &Package, target: &Constraint<'_>) -> bool {
        self.provided(package, target).into_iter().any(|version| target.accepts(version))
    }

    fn is_asked_by(&self, package: &Package, target: &Constraint<'_>) -> bool {
        let with_reason =
            |version: &Option<&str>| version.is_some() || package.provider_priority > 0;
        let fitting = self.provided(package, target).into_iter().filter(|v| target.accepts(*v));
        fitting.collect::<Vec<_>>().iter().any(with_reason)
    }

    fn is_valid(&self, set: &[usize]) -> bool {
        let packages: Vec<&Package> = set.iter().map(|at| self.all[*at].1).collect();
        self.no_rivals(&packages) && self.no_conflicts(&packages) && self.is_closed(set)
    }

    fn no_rivals(&self, packages: &[&Package]) -> bool {
        let mut owners: HashMap<&str, Vec<bool>> = HashMap::new();
        for package in packages {
            owners.entry(&package.name).or_default().push(true);
            if self.scheme == Scheme::Apk {
                for provide in package.provides(self.scheme).expect("provides") {
                    owners.entry(provide.name).or_default().push(provide.version.is_some());
                }
            }
        }
        owners.values().all(|versioned| versioned.len() == 1 || versioned.iter().all(|v| !v))
    }

    fn no_conflicts(&self, packages: &[&Package]) -> bool {
        packages.iter().enumerate().all(|(at, package)| {
            let mut relations = package.depends(self.scheme).expect("depends");
            relations.retain(|relation| relation.negated);
            relations.extend(package.conflicts(self.scheme).expect("conflicts"));
            let mut targets = relations.iter().flat_map(|relation| &relation.alternatives);
            targets.all(|target| {
                let mut others = packages.iter().enumerate().filter(|(other, _)| *other != at);
                others.all(|(_, other)| {
                    let concerned = self.scheme != Scheme::Opkg || other.name == target.name;
                    !concerned || !self.satisfies(other, target)
                })
            })
        })
    }

    fn needs(&self, at: usize) -> Vec<Relation<'_>> {
        let mut needs = self.all[at].1.depends(self.scheme).expect("depends");
        needs.retain(|relation| !relation.negated);
        needs
    }

    /// Everything needed is there, and (apk) everything there has a reason.
    fn is_closed(&self, set: &[usize]) -> bool {
        let owned: Vec<(usize, Vec<Relation<'_>>)> =
            set.iter().map(|at| (*at, self.needs(*at))).collect();
        let mut demands: Vec<(Option<usize>, &Relation<'_>)> =
            self.requests.iter().map(|r| (None, r)).collect();
        demands.extend(
            owned.iter().flat_map(|(at, needs)| needs.iter().map(|need| (Some(*at), need))),
        );
        let any = |relation: &Relation<'_>, of: &dyn Fn(usize, &Constraint<'_>) -> bool| {
            set.iter().any(|at| relation.alternatives.iter().any(|target| of(*at, target)))
        };
        let fits = |at: usize, target: &Constraint<'_>| self.satisfies(self.all[at].1, target);
        if !demands.iter().all(|(_, relation)| any(relation, &fits)) {
            return false;
        }
        if self.scheme != Scheme::Apk {
            return true;
        }
        let asked: HashSet<usize> = set
            .iter()
            .copied()
            .filter(|at| {
                let by = |target: &Constraint<'_>| self.is_asked_by(self.all[*at].1, target);
                demands.iter().any(|(_, relation)| relation.alternatives.iter().any(by))
            })
            .collect();
        self.is_reached(set, &owned) && asked.len() == set.len()
    }

    /// The requests lead to everything, with the tag to what is in the tagged repository.
    fn is_reached(&self, set: &[usize], owned: &[(usize, Vec<Relation<'_>>)]) -> bool {
        let mut reached: HashMap<usize, bool> = HashMap::new();
        let mut todo: Vec<(&Relation<'_>, bool)> = Vec::new();
        for request in &self.requests {
            todo.push((request, request.alternatives.iter().any(|c| c.qualifier.is_some())));
        }
        let mut leads: HashMap<usize, bool> = HashMap::new();
        while let Some((relation, tag)) = todo.pop() {
            for at in set.iter().copied() {
                let fits = relation
                    .alternatives
                    .iter()
                    .any(|target| self.satisfies(self.all[at].1, target));
                let seen = leads.get(&at).copied();
                if !fits || (self.all[at].0 && !tag) || seen.is_some_and(|seen| seen || !tag) {
                    continue;
                }
                leads.insert(at, tag);
                reached.insert(at, true);
                let needs =
                    owned.iter().filter(|(owner, _)| *owner == at).flat_map(|(_, needs)| needs);
                todo.extend(needs.map(|need| (need, tag)));
            }
        }
        reached.len() == set.len()
    }
}

fn compare_with_brute_force(
    scheme: Scheme,
    (records, requests): &Case,
) -> Result<(), TestCaseError> {
    let text = |tagged: bool| {
        let lines = records.iter().filter(|(tag, _)| *tag == tagged).map(|(_, line)| line.as_str());
        lines.collect::<Vec<_>>().join("\n")
    };
    let (plain, tagged) = (text(false), text(true));
    let world = requests.join(if scheme == Scheme::Apk { " " } else { "," });
    let (universe, outcome) = solve(scheme, &[(None, &plain), (Some("t"), &tagged)], &[], &world);

    let (plain, tagged) = (index(scheme, &plain), index(scheme, &tagged));
    let requests: Vec<Request> =
        requests.iter().map(|wish| Request::parse(scheme, wish).expect("a request")).collect();
    let mut all: Vec<(bool, &Package)> = plain.iter().map(|p| (false, p)).collect();
    all.extend(tagged.iter().map(|p| (true, p)));
    let requests = requests.iter().filter_map(Request::relation).collect();
    let judge = Judge { scheme, all, requests };
    let exists = (0u32..1 << judge.all.len()).any(|bits| {
        let set: Vec<usize> = (0..judge.all.len()).filter(|at| bits >> at & 1 == 1).collect();
        judge.is_valid(&set)
    });
    match outcome {
        Ok(solution) => {
            let place = |chosen: &crate::Chosen| {
                let record = universe.package(chosen.item);
                judge.all.iter().position(|(tag, p)| {
                    *p == record && *tag == (universe.repository(chosen.item) == 1)
                })
            };
            let set: Vec<usize> = solution.packages.iter().filter_map(place).collect();
            let names: Vec<String> = set.iter().map(|at| judge.all[*at].1.full_name()).collect();
            prop_assert!(judge.is_valid(&set), "chosen but not valid: {names:?}");
        }
        Err(error) => prop_assert!(!exists, "there is a solution, but: {error}"),
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 4000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn apk_finds_a_valid_solution_exactly_when_there_is_one(case in case(Scheme::Apk)) {
        compare_with_brute_force(Scheme::Apk, &case)?;
    }

    #[test]
    fn apt_finds_a_valid_solution_exactly_when_there_is_one(case in case(Scheme::Dpkg)) {
        compare_with_brute_force(Scheme::Dpkg, &case)?;
    }

    #[test]
    fn opkg_finds_a_valid_solution_exactly_when_there_is_one(case in case(Scheme::Opkg)) {
        compare_with_brute_force(Scheme::Opkg, &case)?;
    }

    /// A lock file keeps only the chosen records.
    #[test]
    fn resolving_over_the_chosen_records_chooses_them_again(
        (scheme, (records, requests)) in prop_oneof![
            case(Scheme::Apk).prop_map(|c| (Scheme::Apk, c)),
            case(Scheme::Dpkg).prop_map(|c| (Scheme::Dpkg, c)),
            case(Scheme::Opkg).prop_map(|c| (Scheme::Opkg, c)),
        ]
    ) {
        let text = records.iter().map(|(_, line)| line.as_str()).collect::<Vec<_>>().join("\n");
        let world = requests.join(if scheme == Scheme::Apk { " " } else { "," });
        let world = world.replace("@t", "");
        let (universe, outcome) = solve(scheme, &[(None, &text)], &[], &world);
        if let Ok(solution) = outcome {
            let chosen: Vec<Package> =
                solution.packages.iter().map(|c| universe.package(c.item).clone()).collect();
            let stored = serde_json::to_string(&chosen).expect("JSON");
            let locked: Vec<Package> = serde_json::from_str(&stored).expect("packages");
            let repository = crate::Repository::new(locked.into());
            let universe = crate::Universe::new(scheme, None, vec![repository], vec![]).expect("a universe");
            let separator = if scheme == Scheme::Apk { ' ' } else { ',' };
            let requests: Vec<Request> =
                world.split(separator).map(|w| Request::parse(scheme, w).expect("a request")).collect();
            let again = crate::resolve(&universe, &requests).expect("a solution");
            let again: Vec<Package> =
                again.packages.iter().map(|c| universe.package(c.item).clone()).collect();
            prop_assert_eq!(again, chosen);
        }
    }
}
