//! A demand of apk that clauses cannot express: every chosen package has a reason to be there.
//!
//! The requests must lead to it, along dependencies. Some dependency must ask for its own name, or for
//! a name that it provides with a version or a provider priority; or its `install_if` conditions must
//! be met. And a package of a tagged repository needs a request with that tag to lead to it. Clauses
//! cannot say that, so it is checked once everything else fits. Where it fails, [`super::unmet`] derives
//! a clause that holds in every solution and fails now.

use std::collections::{HashMap, HashSet};

use super::rank::{Ranks, Triggers};
use super::reached::{Dependents, Reached, comes_first, fitting, is_met, is_reason};
use super::search::{By, Fact, Search};
use super::universe::{Item, Provider};
use super::unmet::Unmet;

/// The result of the check.
pub(super) enum Verdict {
    /// Everything needed is there and has a reason: these packages, each after what leads to it.
    Founded(Vec<Item>),
    /// This package is needed and may be chosen.
    Try(Item),
    /// A clause was added that the present choice violates.
    Refuted,
}

/// Checks the present choice.
pub(super) fn check(
    search: &mut Search<'_>,
    triggers: &Triggers,
    ranks: &Ranks,
    dependents: &Dependents,
    decided: &[Item],
) -> Verdict {
    let reached = Reached::new(search, triggers, HashSet::new());
    let mut founded = reached.clone();
    loop {
        let without = founded.without_reason();
        if without.is_empty() {
            break;
        }
        let banned = founded.banned.union(&without).copied().collect();
        founded = Reached::new(search, triggers, banned);
    }
    let unasked = founded.unasked();
    let mut owners: Vec<By> = (0..search.requests.len()).map(By::Request).collect();
    owners.extend(chosen_in_order(search).filter(|i| founded.items.contains(i)).map(By::Item));
    for by in owners {
        for need in search.needs(by) {
            let answers = |p: Provider| {
                founded.items.contains(&p.item)
                    && (is_reason(search, p)
                        || !unasked.contains(&p.item)
                        || by == By::Item(p.item)
                        || comes_first(search, ranks, p.item, &need.relation))
            };
            if search.stand_in(&need.relation).is_some()
                || fitting(search, &need.relation).any(answers)
            {
                continue;
            }
            let unmet = Unmet { search, ranks, dependents, reached: &reached, founded: &founded };
            return match unmet.look_into(&need) {
                Ok(clause) => {
                    search.add_clause(clause, Fact::NoReason { by, relation: need.number });
                    Verdict::Refuted
                }
                Err(item) => Verdict::Try(item),
            };
        }
    }
    let needed = needed(search, &founded.items, decided);
    let others = chosen_in_order(search).filter(|item| !needed.contains(item)).collect();
    let alone = Reached::new(search, triggers, others);
    if alone.items.len() == needed.len() && alone.without_reason().is_empty() {
        Verdict::Founded(needed)
    } else {
        Verdict::Founded(chosen_in_order(search).filter(|i| founded.items.contains(i)).collect())
    }
}

fn chosen_in_order<'s>(search: &'s Search<'_>) -> impl Iterator<Item = Item> + use<'s> {
    search.sat.trail().iter().filter(|lit| lit.is_yes()).map(|lit| Item(lit.variable()))
}

/// The founded packages that the requests really lead to: of several providers of a name the one that
/// was decided on first counts.
fn needed(search: &Search<'_>, founded: &HashSet<Item>, decided: &[Item]) -> Vec<Item> {
    let in_order = decided.iter().copied().chain(chosen_in_order(search));
    let mut place: HashMap<Item, usize> = HashMap::new();
    for (at, item) in in_order.enumerate() {
        place.entry(item).or_insert(at);
    }
    let mut needed = Vec::new();
    let mut known = HashSet::new();
    let mut todo: Vec<By> = (0..search.requests.len()).rev().map(By::Request).collect();
    loop {
        while let Some(by) = todo.pop() {
            for need in search.needs(by) {
                let there =
                    fitting(search, &need.relation).map(|p| p.item).filter(|i| founded.contains(i));
                let first = there.min_by_key(|item| place.get(item).copied());
                if let Some(item) = first.filter(|_| search.stand_in(&need.relation).is_none())
                    && known.insert(item)
                {
                    needed.push(item);
                    todo.push(By::Item(item));
                }
            }
        }
        let triggered = chosen_in_order(search)
            .filter(|i| founded.contains(i) && !known.contains(i))
            .find(|item| {
                let conditions = search.universe.package(*item).install_if(search.universe.scheme);
                !conditions.is_empty()
                    && conditions.iter().all(|c| is_met(search, c, |item| known.contains(&item)))
            });
        let Some(item) = triggered else { return needed };
        known.insert(item);
        needed.push(item);
        todo.push(By::Item(item));
    }
}
