//! The host's side of the network: service, bridge, address, routes, name servers.

use std::net::Ipv4Addr;

use super::{Finding, Host, RESTART};
use crate::bhyve::{BRIDGE, CONFIGURATION, VAR};

/// An interface, as ifconfig(8) prints it.
#[derive(Debug, Default)]
struct Interface {
    name: String,
    members: Vec<String>,
    addresses: Vec<(Ipv4Addr, u32)>,
}

/// The addresses of the guest as it comes.
const GUEST: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);

pub(super) fn examine(host: &Host<'_>, list: &mut Vec<Finding>) {
    let enabled = host.rc.get("wifibox_enable").map(|value| value.to_lowercase());
    let enabled = enabled.is_some_and(|value| ["yes", "true", "on", "1"].contains(&value.as_str()));
    if !enabled && !host.running {
        let what = "The guest is not started with the machine: rc.conf does not ask for it.";
        let cure = ["sysrc wifibox_enable=\"YES\"", "service wifibox start"];
        list.push(Finding::guest("service-off", what).cure(cure));
    }
    let Some(text) = host.capture.find("ifconfig") else { return };
    let interfaces = interfaces(&text);
    clash(host, &interfaces, list);
    if !host.running {
        return;
    }
    let Some(bridge) = interfaces.iter().find(|interface| interface.name == BRIDGE) else {
        let what = "The guest runs, and its bridge wifibox0 is not there.";
        list.push(Finding::network("no-bridge", what).cure(["wifibox restart netif", RESTART]));
        return;
    };
    if !bridge.members.iter().any(|member| member.starts_with("tap")) {
        let what = "The bridge wifibox0 has no tap interface: nothing leads to the guest.";
        let evidence = format!("members of wifibox0: {}", bridge.members.join(" "));
        let cure = ["wifibox restart netif", RESTART];
        list.push(Finding::network("no-tap", what).because(evidence).cure(cure));
        return;
    }
    let manifest = host.manifest().unwrap_or_default();
    let station = manifest["guest"]["role"] != "access-point";
    if bridge.addresses.is_empty() || bridge.addresses.iter().all(|(ip, _)| ip.is_unspecified()) {
        address(host, list);
    } else if station {
        routes(host, list);
    }
    if station {
        name_servers(host, list);
    }
}

/// Reads ifconfig(8).
fn interfaces(text: &str) -> Vec<Interface> {
    let mut list: Vec<Interface> = Vec::new();
    for line in text.lines() {
        if !line.starts_with([' ', '\t']) {
            let name = line.split(':').next().unwrap_or_default().to_owned();
            list.push(Interface { name, ..Interface::default() });
            continue;
        }
        let Some(last) = list.last_mut() else { continue };
        let words: Vec<&str> = line.split_whitespace().collect();
        match *words.as_slice() {
            ["member:", name, ..] => last.members.push(name.to_owned()),
            ["inet", address, ref rest @ ..] => {
                let (address, prefix) = match address.split_once('/') {
                    Some((address, prefix)) => (address, prefix.parse().ok()),
                    None => (address, netmask(rest)),
                };
                if let Ok(address) = address.parse() {
                    last.addresses.push((address, prefix.unwrap_or(24)));
                }
            }
            _ => {}
        }
    }
    list
}

fn netmask(words: &[&str]) -> Option<u32> {
    let mask = words.iter().skip_while(|word| **word != "netmask").nth(1)?;
    let bits = u32::from_str_radix(mask.strip_prefix("0x")?, 16).ok()?;
    Some(bits.count_ones())
}

/// Whether two addresses are in one network of the shorter prefix.
fn together(a: (Ipv4Addr, u32), b: (Ipv4Addr, u32)) -> bool {
    let prefix = a.1.min(b.1).min(32);
    let mask = u32::MAX.checked_shl(32 - prefix).unwrap_or(0);
    u32::from(a.0) & mask == u32::from(b.0) & mask
}

/// The guest's address towards the host.
fn guest_address(host: &Host<'_>) -> (Ipv4Addr, u32) {
    let path = format!("{CONFIGURATION}/appliance/interfaces.conf");
    let text = host.capture.file(&path).unwrap_or_default();
    let mut eth0 = false;
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match *words.as_slice() {
            ["iface", name, ..] => eth0 = name == "eth0",
            ["address", address, ..] if eth0 => {
                let (ip, prefix) = address.split_once('/').unwrap_or((address, "24"));
                if let Ok(ip) = ip.parse() {
                    return (ip, prefix.parse().unwrap_or(24));
                }
            }
            _ => {}
        }
    }
    (GUEST, 24)
}

/// Another network with the same addresses.
fn clash(host: &Host<'_>, interfaces: &[Interface], list: &mut Vec<Finding>) {
    let own = guest_address(host);
    let mut found = None;
    for interface in interfaces.iter().filter(|one| one.name != BRIDGE && one.name != "lo0") {
        let address = interface.addresses.iter().find(|address| together(**address, own));
        if let Some((ip, prefix)) = address {
            found = Some(format!("{}: {ip}/{prefix}", interface.name));
        }
    }
    if host.running && found.is_none() {
        found = air(host, own);
    }
    let Some(evidence) = found else { return };
    let [a, b, c, _] = own.0.octets();
    let files = ["interfaces.conf", "udhcpd.conf", "uds_passthru.conf"];
    let folder = format!("{CONFIGURATION}/appliance");
    let there: Vec<String> = files
        .iter()
        .map(|name| format!("{folder}/{name}"))
        .filter(|path| host.capture.file(path).is_some())
        .collect();
    let what = "Another network of this machine has the addresses of the network with the guest: change the guest's.";
    list.push(Finding::network("address-clash", what).because(evidence).cure([
        format!("sed -i '' 's/{a}\\.{b}\\.{c}\\./10.77.7./g' {}", there.join(" ")),
        RESTART.to_owned(),
        format!("service dhclient restart {BRIDGE}"),
    ]));
}

/// What the guest got from the wireless network, where that is in the host's network, too.
fn air(host: &Host<'_>, own: (Ipv4Addr, u32)) -> Option<String> {
    let text = host.capture.file(&format!("{VAR}/log/status.json"))?;
    let status: serde_json::Value = serde_json::from_str(&text).ok()?;
    status["addresses"].as_array()?.iter().find_map(|entry| {
        let interface = entry["interface"].as_str().filter(|name| *name != "eth0")?;
        let address = entry["address"].as_str()?;
        let (ip, prefix) = address.split_once('/')?;
        let found = (ip.parse().ok()?, prefix.parse().ok()?);
        together(found, own).then(|| format!("{interface} of the guest: {address}"))
    })
}

fn address(host: &Host<'_>, list: &mut Vec<Finding>) {
    let setting = format!("ifconfig_{BRIDGE}");
    let Some(value) = host.rc.get(&setting) else {
        let what = "Nothing gives wifibox0 an address: rc.conf does not name it.";
        list.push(Finding::network("interface-not-configured", what).cure([
            format!("sysrc {setting}=\"SYNCDHCP\" background_dhclient_{BRIDGE}=\"YES\" defaultroute_delay=\"0\""),
            format!("service netif start {BRIDGE}"),
        ]));
        return;
    };
    let what =
        "wifibox0 has no address: the guest has not answered, or was asked before it was up.";
    list.push(Finding::network("no-address", what).because(format!("{setting}=\"{value}\"")).cure(
        [format!("service dhclient restart {BRIDGE}"), format!("grep udhcpd {VAR}/log/messages")],
    ));
}

fn routes(host: &Host<'_>, list: &mut Vec<Finding>) {
    let Some(text) = host.capture.find("routes") else { return };
    let defaults: Vec<&str> =
        text.lines().filter(|line| line.starts_with("default") && line.contains('.')).collect();
    let ours = |line: &&str| line.split_whitespace().any(|word| word == BRIDGE);
    if defaults.iter().any(ours) {
        return;
    }
    let renew = format!("service dhclient restart {BRIDGE}");
    match defaults.first() {
        None => {
            let what = "No route leads out by the guest.";
            let cure = [renew, format!("route add default {}", guest_address(host).0)];
            list.push(Finding::network("no-default-route", what).cure(cure));
        }
        Some(line) => {
            let what = "The way out is another interface, and not the guest: its default route came first.";
            let cure = ["route delete default".to_owned(), renew];
            list.push(Finding::network("other-default-route", what).because(*line).cure(cure));
        }
    }
}

fn name_servers(host: &Host<'_>, list: &mut Vec<Finding>) {
    let Some(text) = host.capture.file("/etc/resolv.conf") else { return };
    let named = |line: &str| line.split_whitespace().next() == Some("nameserver");
    if !text.lines().any(named) && !list.iter().any(|finding| finding.cause == "no-address") {
        let what = "resolv.conf names no server: addresses work, names do not.";
        let cure = [
            format!("service dhclient restart {BRIDGE}"),
            format!("echo nameserver {} | resolvconf -a {BRIDGE}", guest_address(host).0),
        ];
        list.push(Finding::network("no-name-server", what).cure(cure));
    }
}
