//! What the guest says of itself: `status.json` in its share `var` (wifibox-guest(5)), and its kernel's messages.

use serde_json::Value;

use super::capture::Capture;
use super::finding::Finding;

/// How the host of a guest is told things.
pub(super) struct Ways<'a> {
    /// The share `var`.
    pub var: &'a str,
    /// The folder of the configuration.
    pub configuration: &'a str,
    /// The command that restarts the guest.
    pub restart: &'a str,
    /// The command that edits a file.
    pub editor: &'a str,
}

/// What `status.json` says is wrong.
pub(super) fn examine(capture: &Capture, ways: &Ways<'_>, running: bool, list: &mut Vec<Finding>) {
    if !running {
        return;
    }
    let status = capture.file(&format!("{}/log/status.json", ways.var));
    let Some(text) = status else {
        silent(capture, ways, list);
        return;
    };
    let Ok(status) = serde_json::from_str::<Value>(&text) else { return };
    other_build(&status, capture, ways, list);
    radio(&status, ways, list);
    network(&status, ways, list);
    let problems = strings(&status["problems"]);
    if let Some(first) = problems.first() {
        let more = problems.len().saturating_sub(1);
        let more = if more == 0 { String::new() } else { format!(" (and {more} more)") };
        let what = format!("The guest does not understand its configuration{more}.");
        let file = first.split(':').next().unwrap_or_default();
        let path = format!("{}/appliance/{file}", ways.configuration);
        list.push(
            Finding::network("guest-configuration", what)
                .because(first)
                .cure([format!("{} {path}", ways.editor), ways.restart.to_owned()]),
        );
    }
    let dead = status["daemons"].as_array().into_iter().flatten();
    for daemon in dead.filter(|daemon| daemon["running"] == false) {
        let name = daemon["name"].as_str().unwrap_or("a daemon");
        let what = format!("{name} does not run in the guest; its log says why.");
        let log = format!("grep {name} {}/log/messages", ways.var);
        list.push(Finding::network("daemon-down", what).cure([log]));
    }
}

/// Nothing is heard of the guest: its kernel's messages are all there is, if that.
fn silent(capture: &Capture, ways: &Ways<'_>, list: &mut Vec<Finding>) {
    let log = format!("{}/log/dmesg", ways.var);
    let Some(text) = capture.file(&log) else {
        list.push(
            Finding::guest(
                "guest-silent",
                "The guest was started and has written nothing: it does not come up, or it is one without \
                 status files.",
            )
            .cure(["wifibox console".to_owned(), format!("ls -lR {}", ways.var)]),
        );
        return;
    };
    let missing = text.lines().find(|line| line.contains("Direct firmware load for"));
    if let Some(line) = missing.filter(|line| !line.contains(".txt ") && !line.contains("_blob")) {
        list.push(firmware(line, ways));
    }
}

fn other_build(status: &Value, capture: &Capture, ways: &Ways<'_>, list: &mut Vec<Finding>) {
    let images = capture.file("/usr/local/share/wifibox/manifest.json");
    let installed = images.and_then(|text| serde_json::from_str::<Value>(&text).ok());
    let installed = installed.and_then(|value| value["build_id"].as_str().map(str::to_owned));
    let runs = status["build_id"].as_str().unwrap_or_default();
    if let Some(installed) = installed.filter(|id| !runs.is_empty() && id != runs) {
        let short = |id: &str| id.get(..12).unwrap_or(id).to_owned();
        let what =
            "The guest that runs is not the one that is installed: it was not restarted since.";
        list.push(
            Finding::advice("older-guest-runs", what)
                .because(format!("runs {}, installed {}", short(runs), short(&installed)))
                .cure([ways.restart]),
        );
    }
}

fn firmware(evidence: &str, ways: &Ways<'_>) -> Finding {
    Finding::network(
        "firmware-missing",
        "The card's driver misses its firmware: the guest was built for other cards, or the file may not be \
         passed on.",
    )
    .because(evidence)
    .cure([
        "pciconf -lv | wifibox-build detect -".to_owned(),
        format!("grep -i firmware {}/log/dmesg", ways.var),
    ])
}

fn radio(status: &Value, ways: &Ways<'_>, list: &mut Vec<Finding>) {
    let radio = &status["radio"];
    let missing = strings(&radio["firmware_missing"]);
    if let Some(card) = status["cards_without_driver"].as_str() {
        list.push(
            Finding::network(
                "no-driver",
                "The guest has no driver for the card: it is of another flavor than the card needs.",
            )
            .because(card)
            .cure(["pciconf -lv | wifibox-build detect -"]),
        );
    } else if radio["driver"].is_null() && !missing.is_empty() {
        list.push(firmware(&missing.join(" "), ways));
    } else if radio["driver"].is_null() {
        list.push(
            Finding::network(
                "guest-sees-no-card",
                "The guest does not see the card that it was given.",
            )
            .cure(["pciconf -lv", ways.restart]),
        );
    }
    match radio["blocked"].as_str() {
        Some("hard") => list.push(
            Finding::network(
                "rfkill-hard",
                "A switch or key of the machine has the radio off: press it.",
            )
            .cure([ways.restart]),
        ),
        Some(_) => list.push(
            Finding::network("rfkill-soft", "The radio is switched off in the guest.")
                .cure(["wifibox console", "rfkill unblock wifi"]),
        ),
        None => {}
    }
}

/// Why the guest is in no network.
fn network(status: &Value, ways: &Ways<'_>, list: &mut Vec<Finding>) {
    let radio = &status["radio"];
    let Some(reason) = status["network"]["reason"].as_str() else { return };
    if radio["driver"].is_null() || !radio["blocked"].is_null() {
        return;
    }
    let file = if status["role"] == "access-point" { "hostapd" } else { "wpa_supplicant" };
    let path = format!("{}/{file}/{file}.conf", ways.configuration);
    let edit = format!("{} {path}", ways.editor);
    let lower = reason.to_lowercase();
    let (cause, what, cure) = if lower.contains("password") || lower.contains("wrong key") {
        ("wrong-password", format!("The network refuses the password of {file}.conf."), vec![edit])
    } else if lower.contains("in sight") {
        let country = status["regulatory_domain"].as_str();
        let hint = match country {
            Some("00") | None => " Without country=, channels above 11 and of 5 GHz stay off.",
            Some(_) => "",
        };
        let what = format!("No network of {file}.conf is in sight.{hint}");
        ("no-network-in-sight", what, vec![edit])
    } else if lower.contains("names no network") {
        ("no-network-named", format!("{file}.conf names no network."), vec![edit])
    } else if lower.contains("dhcp") {
        let what = "The wireless network gives the guest no address.";
        ("no-dhcp-answer", what.to_owned(), vec![ways.restart.to_owned()])
    } else if lower.contains("portal") {
        let what =
            "The network wants its portal's page seen first: open any http: page in a browser.";
        ("captive-portal", what.to_owned(), vec!["fetch -o - http://example.com/".to_owned()])
    } else if lower.contains("certificate") || lower.contains("eap") {
        let what = format!("The network's server, or its certificate, does not suit {file}.conf.");
        ("certificate", what, vec![edit])
    } else if lower.contains("does not run") {
        let log = format!("grep {file} {}/log/messages", ways.var);
        ("daemon-down", format!("{file} does not run in the guest."), vec![log, edit])
    } else {
        ("not-joined", "The guest is in no network.".to_owned(), vec![edit])
    };
    if !list.iter().any(|finding| finding.cause == cause) {
        list.push(Finding::network(cause, what).because(reason).cure(cure));
    }
}

fn strings(value: &Value) -> Vec<String> {
    let words = value.as_array().into_iter().flatten();
    words.filter_map(|word| word.as_str().map(str::to_owned)).collect()
}
