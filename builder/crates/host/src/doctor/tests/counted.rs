//! How much `doctor` knows, in numbers that documents give: a capture each, which the other tests make.

use std::collections::BTreeSet;

use super::freebsd::{network, starting};
use super::{SEEN, freebsd, others};

/// All that the doctor reads for its causes.
const SOURCES: [&str; 10] = [
    include_str!("../configuration.rs"),
    include_str!("../guest.rs"),
    include_str!("../linux.rs"),
    include_str!("../xen.rs"),
    include_str!("../freebsd/card.rs"),
    include_str!("../freebsd/files.rs"),
    include_str!("../freebsd/log.rs"),
    include_str!("../freebsd/machine.rs"),
    include_str!("../freebsd/mod.rs"),
    include_str!("../freebsd/network.rs"),
];

/// The causes that a text makes findings of: the first words between quotation marks behind `guest(` and the like.
fn causes(text: &str) -> impl Iterator<Item = &str> {
    let calls = ["Finding::guest(", "Finding::network(", "Finding::advice("];
    calls.into_iter().flat_map(move |call| text.split(call).skip(1)).filter_map(|rest| {
        let (cause, _) = rest.trim_start().strip_prefix('"')?.split_once('"')?;
        Some(cause)
    })
}

#[test]
fn every_cause_has_a_capture_and_there_are_many() {
    SEEN.take();
    freebsd::nothing_is_found_in_sound_hosts();
    freebsd::what_works_but_not_well_is_advice();
    network::the_hosts_side();
    network::what_the_guest_says();
    network::why_the_guest_is_in_no_network();
    starting::the_machine_and_its_kernel();
    starting::what_is_missing_on_the_disk();
    starting::settings_and_the_card();
    starting::what_only_the_log_tells_is_named();
    starting::a_guest_that_runs_without_its_card_or_says_nothing_is_named();
    others::linux_with_vfio();
    others::dom0_of_xen();
    let (captures, sound) = SEEN.take();
    let named: BTreeSet<&str> = captures.iter().map(String::as_str).collect();
    let known: BTreeSet<&str> = SOURCES.iter().flat_map(|text| causes(text)).collect();
    let without: Vec<&&str> = known.difference(&named).collect();
    assert!(without.is_empty(), "causes without a capture: {without:?}");
    // README.md says so.
    assert_eq!((captures.len(), named.len(), sound), (91, 67, 6));
}
