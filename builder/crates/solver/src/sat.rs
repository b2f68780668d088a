//! A small SAT core: unit propagation with watched literals and conflict-driven clause learning.
//!
//! It makes no decisions of its own: the walk over the dependencies decides what is tried next, so
//! that the first solution found is the preferred one. Variables are whether a package is chosen.
//! Clauses may be added at any time. Each clause given has a number, and when there is no solution the
//! numbers of those that together rule one out are reported.

/// A variable or its negation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) struct Lit(u32);

impl Lit {
    /// The variable is true.
    pub(super) fn yes(variable: u32) -> Lit {
        Lit(variable << 1)
    }
    /// The variable is false.
    pub(super) fn no(variable: u32) -> Lit {
        Lit(variable << 1 | 1)
    }
    /// The variable.
    pub(super) fn variable(self) -> u32 {
        self.0 >> 1
    }
    /// Whether this is [`Lit::yes`].
    pub(super) fn is_yes(self) -> bool {
        self.0 & 1 == 0
    }
    fn not(self) -> Lit {
        Lit(self.0 ^ 1)
    }
    fn at(self) -> usize {
        self.0 as usize
    }
}

type ClauseId = u32;
const DECIDED: ClauseId = u32::MAX;

struct Clause {
    lits: Box<[Lit]>,
    /// The clauses it was derived from; empty for one that was given.
    because: Box<[ClauseId]>,
}

/// There is no solution; the clauses given that show it, in order of their numbers.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Impossible(pub(super) Vec<u32>);

/// The state of the search.
#[derive(Default)]
pub(super) struct Sat {
    values: Vec<Option<bool>>,
    levels: Vec<u32>,
    reasons: Vec<ClauseId>,
    watches: Vec<Vec<ClauseId>>,
    clauses: Vec<Clause>,
    trail: Vec<Lit>,
    level_starts: Vec<usize>,
    propagated: usize,
    /// Clauses that had no literal left when they were added.
    failed: Vec<ClauseId>,
    seen: Vec<bool>,
}

impl Sat {
    /// A search over `variables` variables, without any clauses.
    pub(super) fn new(variables: usize) -> Sat {
        Sat {
            values: vec![None; variables],
            levels: vec![0; variables],
            reasons: vec![DECIDED; variables],
            watches: vec![Vec::new(); variables * 2],
            seen: vec![false; variables],
            ..Sat::default()
        }
    }

    /// Whether the variable is true, false or open.
    pub(super) fn value(&self, variable: u32) -> Option<bool> {
        self.values[variable as usize]
    }

    /// Everything that is settled, in the order in which it was.
    pub(super) fn trail(&self) -> &[Lit] {
        &self.trail
    }

    fn lit_value(&self, lit: Lit) -> Option<bool> {
        self.value(lit.variable()).map(|value| value == lit.is_yes())
    }

    fn level(&self) -> u32 {
        self.level_starts.len() as u32
    }

    fn level_of(&self, lit: Lit) -> u32 {
        self.levels[lit.variable() as usize]
    }

    /// Tries `lit`, which must be open.
    pub(super) fn decide(&mut self, lit: Lit) {
        self.level_starts.push(self.trail.len());
        self.settle(lit, DECIDED);
    }

    fn settle(&mut self, lit: Lit, reason: ClauseId) {
        let at = lit.variable() as usize;
        self.values[at] = Some(lit.is_yes());
        self.levels[at] = self.level();
        self.reasons[at] = reason;
        self.trail.push(lit);
    }

    /// Adds a clause (at least one of `lits` must hold) and gives its number.
    pub(super) fn add(&mut self, lits: Vec<Lit>) -> u32 {
        self.insert(lits, Box::default())
    }

    /// The literals of a clause.
    pub(super) fn lits(&self, clause: u32) -> &[Lit] {
        &self.clauses[clause as usize].lits
    }

    fn insert(&mut self, mut lits: Vec<Lit>, because: Box<[ClauseId]>) -> ClauseId {
        lits.sort_unstable();
        lits.dedup();
        let id = self.clauses.len() as ClauseId;
        // Watch what can still make it true, else what was settled last.
        lits.sort_by_key(|lit| match self.lit_value(*lit) {
            Some(true) => 0,
            None => 1,
            Some(false) => u32::MAX - self.level_of(*lit),
        });
        for lit in lits.iter().take(2) {
            self.watches[lit.not().at()].push(id);
        }
        self.clauses.push(Clause { lits: lits.into(), because });
        if !self.examine(id) {
            self.failed.push(id);
        }
        id
    }

    /// Draws the conclusion of a clause by itself; `false` when no literal is left.
    fn examine(&mut self, id: ClauseId) -> bool {
        let lits = &self.clauses[id as usize].lits;
        let mut open = lits.iter().filter(|lit| self.lit_value(**lit) != Some(false));
        match (open.next().copied(), open.next()) {
            (None, _) => return false,
            (Some(lit), None) if self.lit_value(lit).is_none() => self.settle(lit, id),
            _ => {}
        }
        true
    }

    /// The next clause that fails, first of those added.
    fn next_failure(&mut self) -> Option<ClauseId> {
        while let Some(id) = self.failed.pop() {
            if !self.examine(id) {
                return Some(id);
            }
        }
        self.conclude()
    }

    /// Draws every conclusion. Where there is a contradiction it learns why and takes all decisions
    /// back, so that they are made anew knowing that; gives whether it did.
    ///
    /// # Errors
    /// [`Impossible`] when the clauses contradict each other whatever is decided.
    pub(super) fn propagate(&mut self) -> Result<bool, Impossible> {
        let mut any = false;
        while let Some(failing) = self.next_failure() {
            self.learn(failing)?;
            self.back_to(0);
            any = true;
        }
        Ok(any)
    }

    /// Unit propagation; gives the clause that fails, if one does.
    fn conclude(&mut self) -> Option<ClauseId> {
        while let Some(lit) = self.trail.get(self.propagated).copied() {
            self.propagated += 1;
            let watching = std::mem::take(&mut self.watches[lit.at()]);
            let mut kept = Vec::with_capacity(watching.len());
            let mut conflict = None;
            for (at, id) in watching.iter().copied().enumerate() {
                if self.visit(id, lit.not(), &mut kept) {
                    continue;
                }
                conflict = Some(id);
                kept.extend_from_slice(&watching[at + 1..]);
                break;
            }
            self.watches[lit.at()] = kept;
            if conflict.is_some() {
                return conflict;
            }
        }
        None
    }

    /// Looks at a clause whose watched literal `fell`; `false` when no literal is left.
    fn visit(&mut self, id: ClauseId, fell: Lit, kept: &mut Vec<ClauseId>) -> bool {
        let values = &self.values;
        let value = |lit: Lit| values[lit.variable() as usize].map(|value| value == lit.is_yes());
        let lits = &mut self.clauses[id as usize].lits;
        if lits[0] == fell && lits.len() > 1 {
            lits.swap(0, 1);
        }
        let first = lits[0];
        if value(first) != Some(true) {
            let other = (2..lits.len()).find(|at| value(lits[*at]) != Some(false));
            if let Some(at) = other {
                lits.swap(1, at);
                let watched = lits[1].not();
                self.watches[watched.at()].push(id);
                return true;
            }
        }
        kept.push(id);
        match value(first) {
            Some(true) => true,
            Some(false) => false,
            None => {
                self.settle(first, id);
                true
            }
        }
    }

    /// Derives from a failing clause one that forbids what led to it, and goes back to where that
    /// clause settles something.
    fn learn(&mut self, failing: ClauseId) -> Result<(), Impossible> {
        let level = self.highest_level(failing);
        if level == 0 {
            return Err(Impossible(self.origins(failing)));
        }
        self.back_to(level);
        let (mut learned, mut because) = (Vec::new(), vec![failing]);
        let mut open = self.absorb(failing, None, &mut learned, &mut because);
        for at in (0..self.trail.len()).rev() {
            let lit = self.trail[at];
            if !self.seen[lit.variable() as usize] || self.level_of(lit) < level {
                continue;
            }
            open -= 1;
            if open == 0 {
                learned.push(lit.not());
                break;
            }
            let reason = self.reasons[lit.variable() as usize];
            because.push(reason);
            open += self.absorb(reason, Some(lit), &mut learned, &mut because);
        }
        self.seen.fill(false);
        let asserting = learned.last().copied();
        let others = learned.iter().filter(|lit| Some(**lit) != asserting);
        let back = others.map(|lit| self.level_of(*lit)).max().unwrap_or(0);
        self.back_to(back);
        self.insert(learned, because.into());
        Ok(())
    }

    /// Takes the literals of a clause into the derivation: those of the current level are only
    /// marked (and counted), those of level 0 leave their reason, the rest go into `learned`.
    fn absorb(
        &mut self,
        clause: ClauseId,
        settled: Option<Lit>,
        learned: &mut Vec<Lit>,
        because: &mut Vec<ClauseId>,
    ) -> usize {
        let mut open = 0;
        for at in 0..self.clauses[clause as usize].lits.len() {
            let lit = self.clauses[clause as usize].lits[at];
            let variable = lit.variable() as usize;
            if Some(lit) == settled || self.seen[variable] {
                continue;
            }
            self.seen[variable] = true;
            if self.levels[variable] == self.level() {
                open += 1;
            } else if self.levels[variable] == 0 {
                because.push(self.reasons[variable]);
            } else {
                learned.push(lit);
            }
        }
        open
    }

    fn highest_level(&self, clause: ClauseId) -> u32 {
        let lits = &self.clauses[clause as usize].lits;
        lits.iter().map(|lit| self.level_of(*lit)).max().unwrap_or(0)
    }

    fn back_to(&mut self, level: u32) {
        let Some(start) = self.level_starts.get(level as usize).copied() else { return };
        for lit in self.trail.drain(start..) {
            self.values[lit.variable() as usize] = None;
        }
        self.level_starts.truncate(level as usize);
        self.propagated = self.propagated.min(start);
    }

    /// The clauses given from which it follows that `failing` fails at level 0.
    fn origins(&self, failing: ClauseId) -> Vec<u32> {
        let mut used = vec![false; self.clauses.len()];
        let mut todo = vec![failing];
        let mut origins = Vec::new();
        while let Some(id) = todo.pop() {
            if id == DECIDED || std::mem::replace(&mut used[id as usize], true) {
                continue;
            }
            let clause = &self.clauses[id as usize];
            if clause.because.is_empty() {
                origins.push(id);
            }
            todo.extend_from_slice(&clause.because);
            let at_root = clause
                .lits
                .iter()
                .filter(|lit| self.value(lit.variable()).is_some() && self.level_of(**lit) == 0);
            todo.extend(at_root.map(|lit| self.reasons[lit.variable() as usize]));
        }
        origins.sort_unstable();
        origins
    }
}
