//! stub
use super::sat::Impossible;
use super::search::Search;
/// Why there is no solution.
#[derive(Debug, thiserror::Error)]
#[error("{}", lines.join("\n"))]
pub struct Unsatisfiable {
    /// The explanation.
    pub lines: Vec<String>,
}
pub(super) fn explain(search: &Search<'_>, impossible: &Impossible) -> Unsatisfiable {
    let lines =
        impossible.0.iter().map(|id| format!("{:?}", search.facts.get(*id as usize))).collect();
    Unsatisfiable { lines }
}
