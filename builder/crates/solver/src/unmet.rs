//! Why a need can be met only by packages without a reason to be there (see [`super::reason`]), and what
//! would give them one.
//!
//! The result is a clause that holds in every solution and fails now: one of the packages that could
//! give a reason must be there, but all of them are excluded. Or it is a package that may be tried.

use std::collections::HashSet;

use super::rank::Ranks;
use super::reached::{Dependents, Reached, comes_first, fitting, is_reason, tag_fits};
use super::sat::Lit;
use super::search::{By, Need, Search};
use super::universe::{Item, Tags};

/// The reason that a package lacks.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Want {
    /// Something that asks for it in a way that brings it in, so that it may answer the need.
    Asked(Item),
    /// The same, or that its conditions are met.
    Reason(Item),
    /// Something that leads to it at all.
    Way(Item),
    /// Something that leads to it from a request with one of these tags.
    Tag(Item, Tags),
}

/// An inquiry into one unmet need.
pub(super) struct Unmet<'s, 'u> {
    pub(super) search: &'s Search<'u>,
    pub(super) ranks: &'s Ranks,
    pub(super) dependents: &'s Dependents,
    /// The packages that the requests lead to, with or without a reason.
    pub(super) reached: &'s Reached<'s, 'u>,
    /// The packages that have a reason.
    pub(super) founded: &'s Reached<'s, 'u>,
}

/// The clause so far, and what is still to be looked into.
#[derive(Default)]
struct State {
    clause: Vec<Lit>,
    todo: Vec<Want>,
    /// Open packages that could meet the need if they had a reason.
    candidates: HashSet<Item>,
}

impl Unmet<'_, '_> {
    /// A clause that holds in every solution and fails now.
    ///
    /// # Errors
    /// A package that may be tried instead.
    pub(super) fn look_into(&self, need: &Need<'_>) -> Result<Vec<Lit>, Item> {
        let (search, mut state) = (self.search, State::default());
        let mut tags = 0;
        match need.by {
            By::Item(item) => {
                state.clause.push(Lit::no(item.0));
                tags = self.founded.allowed(item);
            }
            By::Request(number) => {
                let request = search.requests.get(number);
                tags |= request.and_then(|request| search.request_tag(request)).unwrap_or(0);
            }
        }
        for candidate in search.candidates(&need.relation) {
            let (item, value) = (candidate.provider.item, search.value(candidate.provider.item));
            let fits = tag_fits(search, item, self.founded.allowed(item) | tags);
            if value == Some(false) {
                state.clause.push(Lit::yes(item.0));
            } else if !fits {
                state.todo.push(Want::Tag(item, search.universe.tags_of(item)));
                state.candidates.extend(value.is_none().then_some(item));
            } else if value.is_none() && is_reason(search, candidate.provider) {
                return Err(item);
            } else {
                let first = comes_first(search, self.ranks, item, &need.relation);
                state.todo.push(if first { Want::Reason(item) } else { Want::Asked(item) });
                state.candidates.extend(value.is_none().then_some(item));
            }
        }
        let mut seen = HashSet::new();
        while let Some(want) = state.todo.pop() {
            if seen.insert(want) {
                self.step(want, &mut state)?;
            }
        }
        Ok(state.clause)
    }

    /// Looks for what could give what is wanted: what is excluded goes into the clause, what lacks
    /// something itself is looked into next.
    fn step(&self, want: Want, state: &mut State) -> Result<(), Item> {
        let (search, universe) = (self.search, self.search.universe);
        let (Want::Asked(item) | Want::Reason(item) | Want::Way(item) | Want::Tag(item, _)) = want;
        for name in universe.names_of(item) {
            for owner in self.dependents.of(search, name).iter().copied() {
                let leads = search.needs(By::Item(owner)).iter().any(|need| {
                    let mut providers = fitting(search, &need.relation).filter(|p| p.item == item);
                    let any_will_do = matches!(want, Want::Way(_) | Want::Tag(..));
                    providers.any(|p| any_will_do || is_reason(search, p))
                });
                if leads {
                    self.lead_back(want, item, owner, state)?;
                }
            }
        }
        for condition in universe.package(item).install_if(universe.scheme) {
            if matches!(want, Want::Asked(_)) {
                break;
            }
            for provider in fitting(search, &condition) {
                match (condition.negated, search.value(provider.item)) {
                    (true, Some(true)) => state.clause.push(Lit::no(provider.item.0)),
                    (true, _) => {}
                    (false, _) => self.lead_back(want, item, provider.item, state)?,
                }
            }
        }
        Ok(())
    }

    /// `owner` could give `item` what is wanted.
    fn lead_back(
        &self,
        want: Want,
        item: Item,
        owner: Item,
        state: &mut State,
    ) -> Result<(), Item> {
        let search = self.search;
        if search.value(owner) == Some(false) {
            state.clause.push(Lit::yes(owner.0));
            return Ok(());
        }
        let is_there = self.reached.items.contains(&owner);
        if state.candidates.contains(&owner) {
            return Err(owner);
        }
        if let Want::Tag(_, tags) = want {
            let could_lead =
                self.reached.allowed(owner) & tags != 0 && search.value(owner).is_none();
            state.todo.push(if could_lead { Want::Reason(owner) } else { Want::Tag(owner, tags) });
            return Ok(());
        }
        let tags = self.reached.allowed(item) | self.reached.allowed(owner);
        if is_there && search.value(item).is_none() && tag_fits(search, item, tags) {
            return Err(item);
        }
        state.todo.push(if is_there { Want::Reason(owner) } else { Want::Way(owner) });
        Ok(())
    }
}
