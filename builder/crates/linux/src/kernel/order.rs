//! The order in which modules are to be loaded: what a module needs comes before it.
//!
//! The order is modprobe's: soft dependencies `pre:`, then dependencies, then the module, then soft
//! dependencies `post:`; it depends on nothing but names and what the modules say.

use std::collections::{BTreeSet, VecDeque};

use super::closure::{Closure, ClosureError};
use super::name::ModuleName;

impl Closure {
    /// The order in which to load `roots` and all that they need, each module once. Roots that are
    /// built in, or that are not of the closure, need no loading and are passed over.
    ///
    /// # Errors
    /// [`ClosureError::Cycle`] when modules depend on each other.
    pub fn load_order<'a>(
        &self,
        roots: impl IntoIterator<Item = &'a ModuleName>,
    ) -> Result<Vec<ModuleName>, ClosureError> {
        let mut order = Order {
            closure: self,
            done: Vec::new(),
            seen: BTreeSet::new(),
            path: Vec::new(),
            later: VecDeque::new(),
        };
        for root in roots {
            order.visit(root)?;
            while let Some(soft) = order.later.pop_front() {
                order.visit(&soft)?;
            }
        }
        Ok(order.done)
    }

    /// Whether `name` is one of `those` or needs one of them, through dependencies alone.
    fn needs_one_of(&self, name: &ModuleName, those: &[ModuleName]) -> bool {
        let mut seen = BTreeSet::from([name]);
        let mut todo = vec![name];
        while let Some(at) = todo.pop() {
            if those.contains(at) {
                return true;
            }
            for needed in self.members.get(at).map_or(&[][..], |member| &member.depends) {
                if seen.insert(needed) {
                    todo.push(needed);
                }
            }
        }
        false
    }
}

struct Order<'a> {
    closure: &'a Closure,
    done: Vec<ModuleName>,
    seen: BTreeSet<ModuleName>,
    /// The modules whose needs are being visited: not loaded yet.
    path: Vec<ModuleName>,
    /// Soft dependencies that need a module of the path themselves: to load once it is there.
    later: VecDeque<ModuleName>,
}

impl Order<'_> {
    fn visit(&mut self, name: &ModuleName) -> Result<(), ClosureError> {
        let Some(member) = self.closure.members.get(name) else { return Ok(()) };
        if let Some(from) = self.path.iter().position(|above| above == name) {
            return Err(ClosureError::Cycle(self.path.get(from..).unwrap_or_default().to_vec()));
        }
        if !self.seen.insert(name.clone()) {
            return Ok(());
        }
        self.path.push(name.clone());
        self.soft(&member.before)?;
        for needed in &member.depends {
            self.visit(needed)?;
        }
        self.path.pop();
        self.done.push(name.clone());
        self.soft(&member.after)
    }

    fn soft(&mut self, names: &[ModuleName]) -> Result<(), ClosureError> {
        for name in names {
            if self.closure.needs_one_of(name, &self.path) {
                self.later.push_back(name.clone());
            } else {
                self.visit(name)?;
            }
        }
        Ok(())
    }
}
