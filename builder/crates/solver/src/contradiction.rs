//! A smallest set of facts that together rule out every solution.
//!
//! The facts that the search reports are enough to show that there is no solution, but more than
//! are needed. Here they are left out one by one as long as the rest is still contradictory.

use std::collections::BTreeMap;

use super::sat::{Impossible, Lit, Sat};

/// Above this many facts the set is not made smaller: an explanation is of no use then anyway, and
/// the work grows with the square.
const LIMIT: usize = 400;

/// The clauses with these numbers, less those without which the rest is still contradictory. Later
/// ones are left out first.
pub(super) fn minimal(sat: &Sat, impossible: &Impossible) -> Vec<u32> {
    let mut core = impossible.0.clone();
    if core.len() > LIMIT {
        return core;
    }
    for at in (0..core.len()).rev() {
        let without: Vec<u32> = core.iter().copied().filter(|id| *id != core[at]).collect();
        if is_contradictory(sat, &without) {
            core = without;
        }
    }
    core
}

fn is_contradictory(sat: &Sat, ids: &[u32]) -> bool {
    let mut numbers: BTreeMap<u32, u32> = BTreeMap::new();
    for lit in ids.iter().flat_map(|id| sat.lits(*id)) {
        let next = numbers.len() as u32;
        numbers.entry(lit.variable()).or_insert(next);
    }
    let mut small = Sat::new(numbers.len());
    for id in ids {
        let renumber = |lit: &Lit| match numbers.get(&lit.variable()) {
            Some(number) if lit.is_yes() => Lit::yes(*number),
            number => Lit::no(number.copied().unwrap_or(0)),
        };
        small.add(sat.lits(*id).iter().map(renumber).collect());
    }
    loop {
        if small.propagate().is_err() {
            return true;
        }
        match (0..numbers.len() as u32).find(|variable| small.value(*variable).is_none()) {
            Some(variable) => small.decide(Lit::no(variable)),
            None => return false,
        }
    }
}
