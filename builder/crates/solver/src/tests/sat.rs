//! The SAT core against trying every assignment.

use proptest::prelude::*;

use crate::sat::{Impossible, Lit, Sat};

/// Decides every open variable false, then asks whether the clauses can hold.
fn solve(variables: usize, clauses: &[Vec<Lit>]) -> Result<Vec<bool>, Impossible> {
    let mut sat = Sat::new(variables);
    for clause in clauses {
        sat.add(clause.clone());
    }
    loop {
        sat.propagate()?;
        let open = (0..variables as u32).find(|v| sat.value(*v).is_none());
        match open {
            Some(variable) => sat.decide(Lit::no(variable)),
            None => {
                return Ok((0..variables as u32).map(|v| sat.value(v) == Some(true)).collect());
            }
        }
    }
}

fn holds(clauses: &[Vec<Lit>], value: impl Fn(u32) -> bool) -> bool {
    clauses.iter().all(|clause| clause.iter().any(|lit| value(lit.variable()) == lit.is_yes()))
}

fn by_trying_all(variables: usize, clauses: &[Vec<Lit>]) -> bool {
    (0..1u32 << variables).any(|bits| holds(clauses, |variable| bits >> variable & 1 == 1))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn a_solution_is_found_exactly_when_there_is_one(
        spec in proptest::collection::vec(proptest::collection::vec((0u32..6, any::<bool>()), 0..4), 0..24)
    ) {
        let lit = |(variable, yes): &(u32, bool)| if *yes { Lit::yes(*variable) } else { Lit::no(*variable) };
        let clauses: Vec<Vec<Lit>> = spec.iter().map(|clause| clause.iter().map(lit).collect()).collect();
        match solve(6, &clauses) {
            Ok(values) => prop_assert!(holds(&clauses, |variable| values[variable as usize])),
            Err(Impossible(core)) => {
                prop_assert!(!by_trying_all(6, &clauses));
                // Numbers of clauses count those learned too; all given ones come first here.
                let core: Vec<Vec<Lit>> = core.iter().map(|id| clauses[*id as usize].clone()).collect();
                prop_assert!(!by_trying_all(6, &core), "the core alone is contradictory");
            }
        }
    }
}
