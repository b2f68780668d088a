//! From the variants that have something to the conditions under which it is there.
//!
//! A file belongs to some combinations of flavor, kernel, role and features. Package systems want
//! conditions instead ("with IPV6 and the role of a station"), so the set of combinations is taken apart
//! into conjunctions, exactly: no combination is covered twice, and none that does not belong.

use std::collections::{BTreeMap, BTreeSet};

/// A combination: on each axis, the number of a value.
pub(crate) type Point = Vec<usize>;

/// A conjunction: the axes that matter, and the values of each that fit.
pub type Condition = BTreeMap<usize, BTreeSet<usize>>;

/// Conditions that exclude each other and together hold for exactly those of `points` for which `inside`
/// does. Combinations that are not among `points` cannot be chosen, and do not count. One empty condition
/// holds always; none, never.
pub fn cover(points: &[Point], inside: &dyn Fn(usize) -> bool) -> Vec<Condition> {
    let all: Vec<(&Point, bool)> =
        points.iter().enumerate().map(|(place, point)| (point, inside(place))).collect();
    let axes = points.first().map_or(0, Vec::len);
    split(&all, &(0..axes).collect())
}

fn split(points: &[(&Point, bool)], axes: &BTreeSet<usize>) -> Vec<Condition> {
    if points.iter().all(|(_, inside)| !inside) {
        return Vec::new();
    }
    if points.iter().all(|(_, inside)| *inside) {
        return vec![Condition::new()];
    }
    // The axis that leaves the fewest values undecided; of several, the first.
    let undecided = |axis: &usize| {
        let parts = parts(points, *axis);
        let mixed = parts.values().filter(|part| {
            part.iter().any(|(_, inside)| *inside) && part.iter().any(|(_, inside)| !inside)
        });
        // An axis with one value left decides nothing.
        if parts.len() < 2 { (1, 1, *axis) } else { (mixed.count(), parts.len(), *axis) }
    };
    let share = |axis: &&usize| {
        let (mixed, parts, axis) = undecided(axis);
        (mixed * 1000 / parts, axis)
    };
    let Some(axis) = axes.iter().min_by_key(share).copied() else { return Vec::new() };
    let mut rest = axes.clone();
    rest.remove(&axis);
    let mut alike: BTreeMap<Vec<Condition>, BTreeSet<usize>> = BTreeMap::new();
    let parts = parts(points, axis);
    for (value, part) in &parts {
        alike.entry(split(part, &rest)).or_default().insert(*value);
    }
    let mut found = Vec::new();
    for (conditions, values) in alike {
        for mut condition in conditions {
            if values.len() < parts.len() {
                condition.insert(axis, values.clone());
            }
            found.push(condition);
        }
    }
    found.sort();
    found
}

fn parts<'a>(points: &[(&'a Point, bool)], axis: usize) -> BTreeMap<usize, Vec<(&'a Point, bool)>> {
    let mut parts: BTreeMap<usize, Vec<(&Point, bool)>> = BTreeMap::new();
    for (point, inside) in points {
        let value = point.get(axis).copied().unwrap_or_default();
        parts.entry(value).or_default().push((point, *inside));
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every combination of axes with so many values.
    fn space(sizes: &[usize]) -> Vec<Point> {
        sizes.iter().fold(vec![Vec::new()], |points, size| {
            points
                .iter()
                .flat_map(|point| (0..*size).map(|value| [point.as_slice(), &[value]].concat()))
                .collect()
        })
    }

    fn condition(axes: &[(usize, &[usize])]) -> Condition {
        axes.iter().map(|(axis, values)| (*axis, values.iter().copied().collect())).collect()
    }

    fn holds(condition: &Condition, point: &Point) -> bool {
        condition.iter().all(|(axis, values)| values.contains(&point[*axis]))
    }

    #[test]
    fn simple_sets_have_simple_conditions() {
        let points = space(&[3, 2, 2]);
        let of = |wanted: &dyn Fn(&Point) -> bool| cover(&points, &|place| wanted(&points[place]));
        assert_eq!(of(&|_| true), [Condition::new()]);
        assert!(of(&|_| false).is_empty());
        assert_eq!(of(&|p| p[2] == 1), [condition(&[(2, &[1])])]);
        assert_eq!(of(&|p| p[0] != 1 && p[1] == 0), [condition(&[(0, &[0, 2]), (1, &[0])])]);
        // One of two features: with the first, or without it and with the second.
        assert_eq!(of(&|p| p[1] == 1 || p[2] == 1).len(), 2);
    }

    #[test]
    fn what_cannot_be_chosen_does_not_complicate() {
        // The second feature requires the first.
        let points: Vec<Point> = space(&[2, 2]).into_iter().filter(|p| p[1] <= p[0]).collect();
        assert_eq!(cover(&points, &|place| points[place][1] == 1), [condition(&[(1, &[1])])]);
    }

    proptest::proptest! {
        #[test]
        fn every_point_is_covered_once_or_not_at_all(bits in proptest::collection::vec(proptest::bool::ANY, 48)) {
            let points = space(&[3, 2, 2, 2, 2]);
            let found = cover(&points, &|place| bits[place]);
            for (point, inside) in points.iter().zip(&bits) {
                let times = found.iter().filter(|condition| holds(condition, point)).count();
                proptest::prop_assert_eq!(times, usize::from(*inside));
            }
        }
    }
}
