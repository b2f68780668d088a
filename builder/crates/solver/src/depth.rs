//! The walk of apt and opkg: down the dependencies, depth first, in the order in which they stand.
//!
//! A dependency that something walked past satisfies is done; otherwise the best candidate that is
//! not excluded is tried, and its own dependencies come next. The walk starts over when a choice
//! turned out to be impossible: the search then knows better what is excluded.

use std::collections::{HashMap, HashSet};

use super::policy::Order;
use super::prefer;
use super::search::{By, Candidate, Need, Search};
use super::step::Step;
use super::universe::Item;

/// A piece of the walk that remains to be done.
enum Task<'u> {
    /// Choose what a request names, without going on to its dependencies.
    Choose(Need<'u>),
    /// Walk the dependencies of everything chosen so far.
    Descend,
    /// Satisfy one dependency, and walk those of what is chosen for it.
    Satisfy(Need<'u>),
    /// From here on, this request is the current one.
    Begin(usize),
}

/// The state of the walk.
pub(super) struct DepthWalk<'u> {
    order: Order,
    /// The remaining tasks, next last; empty and not `running` before the start.
    tasks: Vec<Task<'u>>,
    running: bool,
    /// During which request each package was walked past.
    marked: HashMap<Item, usize>,
    descended: HashSet<Item>,
    chosen: Vec<Item>,
    request: usize,
}

impl<'u> DepthWalk<'u> {
    pub(super) fn new(search: &Search<'u>) -> Self {
        DepthWalk {
            order: search.universe.policy.order,
            tasks: Vec::new(),
            running: false,
            marked: HashMap::new(),
            descended: HashSet::new(),
            chosen: Vec::new(),
            request: 0,
        }
    }

    /// Forgets everything; the next step is the first one.
    pub(super) fn restart(&mut self) {
        self.running = false;
    }

    fn begin(&mut self, search: &Search<'u>) {
        self.tasks.clear();
        self.marked.clear();
        self.descended.clear();
        self.chosen.clear();
        self.request = 0;
        self.running = true;
        let numbers = 0..search.requests.len();
        let needs = || numbers.clone().flat_map(|number| search.needs(By::Request(number)));
        if self.order == Order::DepthFirst {
            let single = |need: &Need<'_>| need.relation.alternatives.len() == 1;
            self.tasks.extend(needs().filter(single).map(Task::Choose));
            self.tasks.push(Task::Descend);
            self.tasks.extend(needs().filter(|need| !single(need)).map(Task::Satisfy));
        } else {
            for number in numbers.clone() {
                self.tasks.push(Task::Begin(number));
                self.tasks.extend(search.needs(By::Request(number)).into_iter().map(Task::Satisfy));
            }
        }
        self.tasks.reverse();
    }

    /// The next step of the walk.
    pub(super) fn next(&mut self, search: &Search<'u>) -> Step {
        if !self.running {
            self.begin(search);
        }
        while let Some(task) = self.tasks.pop() {
            let need = match &task {
                Task::Begin(number) => {
                    self.request = *number;
                    continue;
                }
                Task::Descend => {
                    for item in self.chosen.clone().into_iter().rev() {
                        self.descend(search, item);
                    }
                    continue;
                }
                Task::Choose(need) | Task::Satisfy(need) => need,
            };
            if search.stand_in(&need.relation).is_some() {
                continue;
            }
            let candidates = search.candidates(&need.relation);
            if candidates.iter().any(|candidate| self.is_there(candidate.provider.item)) {
                continue;
            }
            let Some(item) = best(search, need, candidates) else { continue };
            if search.value(item).is_none() {
                self.tasks.push(task);
                return Step::Try(item);
            }
            if !self.marked.contains_key(&item) {
                self.marked.insert(item, self.request);
                self.chosen.push(item);
            }
            if matches!(task, Task::Satisfy(_)) {
                self.descend(search, item);
            }
        }
        Step::Done
    }

    /// Whether the package counts as there already.
    fn is_there(&self, item: Item) -> bool {
        let any_time = self.order != Order::RequestByRequest;
        self.marked.get(&item).is_some_and(|request| any_time || *request < self.request)
    }

    /// Makes the dependencies of `item` what is to be done next, once.
    fn descend(&mut self, search: &Search<'u>, item: Item) {
        if self.descended.insert(item) {
            let needs = search.needs(By::Item(item));
            self.tasks.extend(needs.into_iter().rev().map(Task::Satisfy));
        }
    }

    /// Everything walked past, in that order.
    pub(super) fn chosen(&self) -> Vec<Item> {
        self.chosen.clone()
    }
}

/// The best candidate that is not excluded.
fn best(search: &Search<'_>, need: &Need<'_>, mut candidates: Vec<Candidate>) -> Option<Item> {
    candidates.retain(|c| search.value(c.provider.item) != Some(false));
    prefer::sort(search, need, &mut candidates);
    candidates.first().map(|c| c.provider.item)
}
