//! The table of targets.

use super::*;

#[test]
fn every_name_is_given_once() {
    let mut names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), TARGETS.len());
    assert!(!names.contains(&"all"));
}

/// A target that understands none of its seeds reaches nothing but the first check.
#[test]
fn every_target_understands_a_seed() {
    for target in &TARGETS {
        let (seeds, run) = ((target.seeds)(), (target.run)());
        let understood = seeds.iter().filter(|seed| run(seed)).count();
        assert!(understood > 0, "{}: none of {} seeds", target.name, seeds.len());
    }
}
