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

/// Seeds that are not understood reach nothing but the first check.
#[test]
fn every_seed_is_understood() {
    for target in &TARGETS {
        let (seeds, run) = ((target.seeds)(), (target.run)());
        assert!(!seeds.is_empty(), "{} has no seed", target.name);
        for (number, seed) in seeds.iter().enumerate() {
            assert!(run(seed), "seed {number} of {}", target.name);
        }
    }
}
