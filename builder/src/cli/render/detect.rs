//! The answers of `detect` as text for people.

use wifibox_host::detect::answer::{Answer, Guest};

/// How many names of a list are shown; `--json` has them all.
const SHOWN: usize = 6;
/// How many characters a line of prose may have behind its label.
const WIDTH: usize = 86;

/// The answers, one paragraph for each card; `devices` were in `source`.
pub fn text(answers: &[Answer], devices: usize, source: &str) -> String {
    let mut text = String::new();
    for answer in answers {
        if !text.is_empty() {
            text += "\n";
        }
        text += &heading(answer);
        if let Some(because) = &answer.because {
            prose(&mut text, "no guest", because);
            for advice in &answer.advice {
                prose(&mut text, "", advice);
            }
        }
        for guest in &answer.guests {
            show(&mut text, answer, guest);
        }
        let width =
            answer.passthrough.iter().map(|notation| notation.place.len()).max().unwrap_or(0);
        for (index, notation) in answer.passthrough.iter().enumerate() {
            let label = if index == 0 { "passthrough" } else { "" };
            line(&mut text, label, &format!("{:width$}  {}", notation.place, notation.text));
        }
        for note in &answer.notes {
            prose(&mut text, "note", note);
        }
    }
    if answers.iter().any(|answer| !answer.passthrough.is_empty()) {
        text += "\nHanding over a card takes an IOMMU (VT-d, AMD-Vi), switched on in the firmware; bhyve on \
                 AMD wants\nhw.vmm.amdvi.enable=1 in /boot/loader.conf as well.\n";
    }
    if answers.is_empty() {
        let plural = if devices == 1 { "device" } else { "devices" };
        text += &format!("{source}: {devices} {plural}, and none is a wireless card.\n");
    }
    text
}

fn heading(answer: &Answer) -> String {
    let mut parts = Vec::new();
    parts.extend(answer.address.map(|address| address.to_string()));
    if answer.address.is_none() {
        parts.push(answer.bus.name().to_owned());
    }
    parts.push(answer.id.to_string());
    let chip = || answer.guests.iter().find_map(|guest| guest.chip.clone());
    parts.extend(answer.name.clone().or_else(chip));
    parts.join("  ") + "\n"
}

fn show(text: &mut String, answer: &Answer, guest: &Guest) {
    line(text, "flavor", &format!("{} ({})", guest.flavor, guest.summary));
    let driver = answer.drivers.iter().find(|driver| driver.module == guest.driver);
    // The device may be claimed by a driver below, such as that of its bus.
    let driver =
        driver.or_else(|| answer.drivers.iter().find(|it| guest.modules.contains(&it.module)));
    let seen = match driver {
        Some(driver) => format!("seen in Linux {}", driver.linux.join(", ")),
        None => "not part of Linux".to_owned(),
    };
    line(text, "driver", &format!("{}, {seen}", guest.driver));
    let others = guest.modules.iter().filter(|module| **module != guest.driver);
    let others: Vec<String> = others.cloned().collect();
    if !others.is_empty() {
        line(text, "modules", &format!("{} with {}", guest.driver, others.join(", ")));
    }
    let packages = match guest.firmware_packages.as_slice() {
        [] => String::new(),
        list => format!(" (from {})", list.join(", ")),
    };
    line(
        text,
        "firmware",
        &match guest.firmware.as_slice() {
            [] => "none that the driver names".to_owned(),
            list => some(list) + &packages,
        },
    );
    let memory = match (guest.memory_recommended, guest.memory_smallest) {
        (Some(well), Some(least)) if well > least => format!("{well} MiB, at least {least}"),
        (_, Some(least)) | (Some(least), None) => format!("at least {least} MiB"),
        (None, None) => "not measured".to_owned(),
    };
    line(text, "memory", &memory);
    line(text, "build", &guest.command);
}

/// The first names of a list, and how many more there are.
fn some(list: &[String]) -> String {
    let shown: Vec<&str> = list.iter().take(SHOWN).map(String::as_str).collect();
    match list.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// A line with a label.
fn line(text: &mut String, label: &str, value: &str) {
    *text += &format!("  {label:<11}  {value}\n");
}

/// A line of prose, broken at spaces where it gets longer than [`WIDTH`].
fn prose(text: &mut String, label: &str, value: &str) {
    let mut row = String::new();
    let mut label = label;
    for word in value.split(' ') {
        if !row.is_empty() && row.chars().count() + 1 + word.chars().count() > WIDTH {
            line(text, label, &row);
            row.clear();
            label = "";
        }
        if !row.is_empty() {
            row.push(' ');
        }
        row += word;
    }
    line(text, label, &row);
}
