//! Whether a tree of variables describes a machine.

use std::collections::BTreeMap;

use super::keys::{GLOBAL, MODELS, form, global};
use super::tree::{Config, Leaf, place};
use super::values::Form;
use crate::lint::{Problem, did_you_mean};

/// Checks names, values and devices.
pub(super) fn check(config: &Config, problems: &mut Vec<Problem>) {
    for (key, leaf) in &config.leaves {
        if key == "pci" || key.starts_with("pci.") && global(key).is_none() {
            if place(key).is_none() {
                problems.push(Problem::new(
                    leaf.line,
                    format!(
                        "{key} is no variable of a device: expected pci.BUS.SLOT.FUNCTION.NAME, decimal \
                         without padding, with a bus to 255, a slot to 31, a function to 7"
                    ),
                ).warning().from("pci_emul.c"));
            }
            continue;
        }
        match global(key) {
            Some(form) => value(form, key, leaf, problems),
            // A variable of one's own, which others refer to.
            None if config.referred.contains(key) => {}
            None => {
                let known = GLOBAL.iter().map(|(name, _)| *name);
                problems.push(
                    Problem::new(
                        leaf.line,
                        format!(
                            "bhyve knows no {key}, and would say nothing{}",
                            did_you_mean(key, known)
                        ),
                    )
                    .warning(),
                );
            }
        }
    }
    let nodes = nodes(config);
    for (place, variables) in &nodes {
        device(config, *place, variables, problems);
    }
    machine(config, &nodes, problems);
    topology(config, problems);
}

type Place = (u8, u8, u8);
type Node<'a> = BTreeMap<&'a str, &'a Leaf>;

/// The device nodes: their variables by name.
fn nodes(config: &Config) -> BTreeMap<Place, Node<'_>> {
    let mut nodes: BTreeMap<Place, Node<'_>> = BTreeMap::new();
    for (key, leaf) in &config.leaves {
        if let Some((place, name)) = place(key) {
            nodes.entry(place).or_default().insert(name, leaf);
        }
    }
    nodes
}

fn value(form: Form, key: &str, leaf: &Leaf, problems: &mut Vec<Problem>) {
    if let Some(expected) = form.mismatch(&leaf.value) {
        let what = format!("{key} is {:?}: {expected}", leaf.value);
        problems.push(Problem::new(leaf.line, what));
    }
}

fn named((bus, slot, function): Place) -> String {
    format!("pci.{bus}.{slot}.{function}")
}

fn first_line(node: &Node<'_>) -> usize {
    node.values().map(|leaf| leaf.line).min().unwrap_or(0)
}

/// One device: a known model, its own variables, all that it needs.
fn device(config: &Config, place: Place, node: &Node<'_>, problems: &mut Vec<Problem>) {
    let (name, line) = (named(place), first_line(node));
    let Some(said) = node.get("device") else {
        let what = format!("{name} has no {name}.device, which says what it is");
        return problems.push(Problem::new(line, what));
    };
    let Some(model) = MODELS.iter().find(|model| model.name == said.value) else {
        let known = MODELS.iter().map(|model| model.name);
        let what = format!(
            "{name}.device is {:?}, which bhyve does not know{}",
            said.value,
            did_you_mean(&said.value, known)
        );
        return problems.push(Problem::new(said.line, what));
    };
    for (variable, leaf) in node.iter().filter(|(variable, _)| **variable != "device") {
        match form(model, variable) {
            Some(form) => value(form, &format!("{name}.{variable}"), leaf, problems),
            None if config.referred.contains(&format!("{name}.{variable}")) => {}
            None => {
                let known = model.variables.iter().flat_map(|table| table.iter());
                let known = known.map(|(name, _)| *name);
                let what = format!(
                    "{} has no variable {variable}, and bhyve would say nothing{}",
                    model.name,
                    did_you_mean(variable, known)
                );
                problems.push(Problem::new(leaf.line, what).warning());
            }
        }
    }
    for required in model.required.iter().filter(|required| !node.contains_key(*required)) {
        let what = format!("{} cannot be without {name}.{required}", model.name);
        let problem = Problem::new(said.line, what);
        // A card without a cable, a controller without its first disk: bhyve takes both.
        let taken = ["backend", "port.0.type", "port.0.path"].contains(required);
        problems.push(if taken { problem.warning() } else { problem });
    }
    if model.name == "passthru" {
        let numbers = ["bus", "slot", "func"];
        let given = numbers.iter().filter(|number| node.contains_key(**number)).count();
        let by_name = node.contains_key("pptdev");
        if by_name && given > 0 || !by_name && given != numbers.len() {
            let what = format!("{name} needs either bus, slot and func of the card, or its pptdev");
            problems.push(Problem::new(said.line, what));
        }
        if !config.get("memory.wired").is_some_and(Form::is_true) {
            let what = format!("{name} is a card of the host, which needs memory.wired=true");
            problems.push(Problem::new(said.line, what));
        }
    }
    if model.name == "nvme" && node.contains_key("ram") == node.contains_key("path") {
        let what = format!("{name} needs either a path or ram");
        problems.push(Problem::new(said.line, what));
    }
    if model.name == "lpc" && place.0 != 0 {
        problems.push(Problem::new(said.line, format!("lpc is on bus 0 only, and not at {name}")));
    }
}

/// The machine as a whole.
fn machine(config: &Config, nodes: &BTreeMap<Place, Node<'_>>, problems: &mut Vec<Problem>) {
    let model =
        |node: &Node<'_>| node.get("device").map(|leaf| leaf.value.clone()).unwrap_or_default();
    for (place, node) in nodes {
        let (bus, slot, function) = *place;
        if function > 0 && !nodes.contains_key(&(bus, slot, 0)) {
            let what = format!(
                "{} has no function 0 beside it, without which no guest looks for others",
                named(*place)
            );
            problems.push(Problem::new(first_line(node), what).warning());
        }
    }
    if nodes.is_empty() {
        return problems.push(Problem::new(0, "it has no device at all".to_owned()));
    }
    if !nodes.values().any(|node| model(node).ends_with("hostbridge")) {
        let what =
            "it has no hostbridge, without which guests find no PCI: pci.0.0.0.device=hostbridge";
        problems.push(Problem::new(0, what).warning());
    }
    let bridges: Vec<_> = nodes.iter().filter(|(_, node)| model(node) == "lpc").collect();
    if let [_, (place, node), ..] = bridges.as_slice() {
        let what = format!("{} is a second lpc: there can be one", named(**place));
        problems.push(Problem::new(first_line(node), what));
    }
    let of_lpc = config.leaves.iter().find(|(key, _)| key.starts_with("lpc."));
    if let (Some((key, leaf)), true) = (of_lpc, bridges.is_empty()) {
        let what = format!("{key} says something about the lpc bridge, which is not there");
        problems.push(Problem::new(leaf.line, what).warning());
    }
    for (old, new) in [("lpc.bootrom", "bootrom"), ("lpc.bootvars", "bootvars")] {
        if let (Some(leaf), true) = (config.leaves.get(new), config.leaves.contains_key(old)) {
            let what = format!("{old} and {new} say the same of the guest: it cannot be both");
            problems.push(Problem::new(leaf.line, what).warning());
        }
    }
    if config.get("lpc.bootrom").or(config.get("bootrom")).is_none() {
        let what = "nothing starts the guest: expected bootrom (lpc.bootrom before FreeBSD 15), unless \
                    bhyveload(8) has loaded it";
        problems.push(Problem::new(0, what).warning().from("bhyve(8)"));
    }
    only_once(nodes, problems);
}

/// Things of the host, of which a guest can have one.
fn only_once(nodes: &BTreeMap<Place, Node<'_>>, problems: &mut Vec<Problem>) {
    let mut taken: BTreeMap<(&str, String), Place> = BTreeMap::new();
    for (place, node) in nodes {
        let get = |name: &str| node.get(name).map(|leaf| leaf.value.as_str());
        let writable = !get("ro").is_some_and(Form::is_true);
        let things = match get("device").unwrap_or_default() {
            "passthru" => match (get("bus"), get("slot"), get("func"), get("pptdev")) {
                (Some(bus), Some(slot), Some(func), _) => {
                    vec![("the card", format!("{bus}/{slot}/{func}"))]
                }
                (_, _, _, Some(name)) => vec![("the card", name.to_owned())],
                _ => Vec::new(),
            },
            "e1000" | "virtio-net" => {
                let mac = get("mac").map(|mac| ("the address", mac.to_ascii_lowercase()));
                let backend = get("backend").filter(|backend| !backend.starts_with("slirp"));
                let backend = backend.map(|backend| ("the interface", backend.to_owned()));
                mac.into_iter().chain(backend).collect()
            }
            "virtio-9p" => {
                get("sharename").map(|tag| ("the share", tag.to_owned())).into_iter().collect()
            }
            "virtio-blk" | "nvme" if writable => {
                get("path").map(|path| ("the writable disk", path.to_owned())).into_iter().collect()
            }
            _ => Vec::new(),
        };
        for (kind, thing) in things {
            if let Some(other) = taken.insert((kind, thing.clone()), *place) {
                let what =
                    format!("{kind} {thing} is at {} and at {}", named(other), named(*place));
                let problem = Problem::new(first_line(node), what);
                let taken = ["the card", "the interface"].contains(&kind);
                problems.push(if taken { problem } else { problem.warning() });
            }
        }
    }
}

/// Processors: what is said about them must agree.
fn topology(config: &Config, problems: &mut Vec<Problem>) {
    let get = |key: &str| config.get(key).and_then(|text| text.parse::<u64>().ok());
    let Some(cpus) = get("cpus") else { return };
    let (cores, threads) = (get("cores").unwrap_or(1), get("threads").unwrap_or(1));
    let sockets = get("sockets").unwrap_or(cpus);
    let product = sockets.checked_mul(cores).and_then(|n| n.checked_mul(threads));
    if product != Some(cpus) {
        let line = config.leaves.get("cpus").map_or(0, |leaf| leaf.line);
        let what = format!(
            "cpus is {cpus}, but {sockets} sockets of {cores} cores of {threads} threads are not: \
             bhyve refuses that"
        );
        problems.push(Problem::new(line, what));
    }
}
