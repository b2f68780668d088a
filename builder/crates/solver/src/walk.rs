//! The walks: in which order each package manager chooses packages.

use super::by_rank::ByRank;
use super::depth::DepthWalk;
use super::policy::Order;
use super::search::Search;
use super::step::Step;
use super::universe::Item;

/// The walk that the ecosystem's package manager makes.
pub(super) enum Walk<'u> {
    Depth(DepthWalk<'u>),
    Ranked(Box<ByRank<'u>>),
}

impl<'u> Walk<'u> {
    pub(super) fn new(search: &Search<'u>) -> Self {
        match search.universe.policy.order {
            Order::ByRank => Walk::Ranked(Box::new(ByRank::new(search))),
            Order::DepthFirst | Order::RequestByRequest => Walk::Depth(DepthWalk::new(search)),
        }
    }

    pub(super) fn restart(&mut self) {
        match self {
            Walk::Depth(walk) => walk.restart(),
            Walk::Ranked(walk) => walk.restart(),
        }
    }

    pub(super) fn next(&mut self, search: &mut Search<'u>) -> Step {
        match self {
            Walk::Depth(walk) => walk.next(search),
            Walk::Ranked(walk) => walk.next(search),
        }
    }

    pub(super) fn chosen(&self) -> Vec<Item> {
        match self {
            Walk::Depth(walk) => walk.chosen(),
            Walk::Ranked(walk) => walk.chosen(),
        }
    }
}
