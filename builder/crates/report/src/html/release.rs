//! `index.html` of a release: which of its guests is for my card. A pasted listing is read in the browser; without script
//! the tables say the same.

use std::collections::BTreeMap;

use super::detect::{SCRIPT, asks, flavor_table, reasons};
use super::page::{Page, escape};
use crate::html::FlavorCards;
use crate::release::{GUESTS, Guest, Index, Kind};

/// The page of this release; `flavors` are the cards of all flavors, `without` those that no guest drives, by the reason.
#[must_use]
pub fn release(
    index: &Index,
    flavors: &[FlavorCards],
    without: &BTreeMap<String, Vec<String>>,
) -> String {
    let mut page = Page::new(
        &format!("Guests for wireless cards, release {}", index.version),
        "Paste what pciconf -lv (FreeBSD) or lspci -nnk (Linux) prints, and take the guest that is named. Nothing leaves this \
         page.",
    );
    page.add(&asks());
    let rows: String = index.guests.iter().map(|guest| row(guest, flavors)).collect();
    page.part(
        "guests",
        "Guests",
        &format!(
            "<div class=\"wide\"><table class=\"data guests\">\n<thead><tr><th scope=\"col\">guest</th>\
             <th scope=\"col\">for</th><th scope=\"col\">packages of</th><th scope=\"col\">role</th>\
             <th scope=\"col\">made for</th><th class=\"number\" scope=\"col\">root image, MiB</th>\
             <th scope=\"col\">booted before the release</th></tr></thead>\n<tbody>\n{rows}</tbody>\n</table></div>\n\
             <p>Each is a folder below <code>{GUESTS}/</code>; where the release is a list of files, it is in \
             <code>wifibox-GUEST.tar</code>.</p>\n"
        ),
    );
    if !index.omitted.is_empty() {
        let line = |(name, why): (&str, &str)| {
            format!("<li><code>{}</code>: {}</li>\n", escape(name), escape(why))
        };
        let lines: String = index.omitted.iter().map(|one| line((&one.name, &one.why))).collect();
        page.part("omitted", "Not in this release", &format!("<ul>\n{lines}</ul>\n"));
    }
    page.part("use", "Check it, and put it in its place", USE);
    let there = |one: &&FlavorCards| {
        !one.ids.is_empty() && index.guests.iter().any(|guest| guest.flavor == one.flavor)
    };
    let there: Vec<FlavorCards> = flavors.iter().filter(there).cloned().collect();
    page.part("flavors", "Flavors and their cards", &flavor_table(&there));
    let reasons = reasons(without);
    if !reasons.is_empty() {
        page.part("none", "Cards that no guest drives", &reasons);
    }
    page.script(SCRIPT);
    page.finish()
}

const USE: &str = "<p>With <code>wifibox-build</code>, in the folder of the release:</p>\n\
    <pre>wifibox-build verify . --public-key KEY\nwifibox-build install guests/GUEST</pre>\n\
    <p>Without it: <code>minisign -V -m SHA256SUMS -P KEY</code>, then <code>sha256sum --check --ignore-missing SHA256SUMS</code>; \
    each guest's folder <code>host/</code> has what its host needs. KEY is the public key that you know from elsewhere.</p>\n";

fn row(guest: &Guest, flavors: &[FlavorCards]) -> String {
    let image = guest.artefacts.iter().find(|file| file.kind == Kind::RootImage);
    let size = image.map_or(0, |file| file.size);
    let summary = flavors.iter().find(|known| known.flavor == guest.flavor);
    let summary = summary.map_or(guest.flavor.as_str(), |known| &known.summary);
    let card = guest.device.as_ref().map(|device| format!(", card {device} only"));
    let name = escape(&guest.name);
    let tested = match guest.boot_tested.as_slice() {
        [] => "no".to_owned(),
        ways => escape(&ways.join(", ")),
    };
    format!(
        "<tr data-flavor=\"{}\"><td><a href=\"{GUESTS}/{name}/\">{name}</a></td><td>{}{}</td><td>{} {}, {}</td><td>{}</td>\
         <td>{}</td><td class=\"number\" data-value=\"{size}\">{:.1}</td><td>{tested}</td></tr>\n",
        escape(&guest.flavor),
        escape(summary),
        escape(&card.unwrap_or_default()),
        escape(&guest.base),
        escape(&guest.release),
        escape(&guest.architecture),
        escape(&guest.role),
        escape(&guest.hypervisor),
        size as f64 / f64::from(1 << 20),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::release::{Artefact, Omitted};
    use wifibox_ground::digest::Sha256;

    #[test]
    fn each_guest_has_a_row_with_its_flavor_and_where_it_is() {
        let guest = Guest {
            name: "debian-iwlwifi".to_owned(),
            build_id: "x".to_owned(),
            base: "debian".to_owned(),
            release: "trixie".to_owned(),
            architecture: "amd64".to_owned(),
            flavor: "iwlwifi".to_owned(),
            device: None,
            role: "station".to_owned(),
            features: Vec::new(),
            hypervisor: "bhyve".to_owned(),
            kernel: "debian".to_owned(),
            kernel_release: "6.12".to_owned(),
            compression: "xz".to_owned(),
            boot_tested: vec!["direct".to_owned(), "uefi".to_owned()],
            artefacts: vec![Artefact {
                path: "guests/debian-iwlwifi/root.img".to_owned(),
                kind: Kind::RootImage,
                size: 10 << 20,
                sha256: Sha256::of(b""),
            }],
        };
        let flavor = |name: &str, id: &str| FlavorCards {
            flavor: name.to_owned(),
            summary: format!("Cards of {name} & others"),
            command: String::new(),
            ids: vec![id.to_owned()],
        };
        let index = Index {
            format: 1,
            version: "1.0".to_owned(),
            builder: "wifibox-build 1.0".to_owned(),
            source: None,
            source_date_epoch: 1,
            guests: vec![guest],
            omitted: vec![Omitted {
                name: "debian-b43".to_owned(),
                why: "no <licence>".to_owned(),
            }],
            tools: Vec::new(),
            files: Vec::new(),
        };
        let flavors = [flavor("iwlwifi", "8086:2723"), flavor("ath9k", "168c:0030")];
        let page = release(&index, &flavors, &BTreeMap::new());
        for words in [
            "data-flavor=\"iwlwifi\"",
            "<a href=\"guests/debian-iwlwifi/\">debian-iwlwifi</a>",
            "Cards of iwlwifi &amp; others",
            "debian trixie, amd64",
            ">10.0<",
            "direct, uefi",
            "data-ids=\"8086:2723\"",
            "no &lt;licence&gt;",
            "<noscript>",
        ] {
            assert!(page.contains(words), "{words}");
        }
        assert!(!page.contains("168c:0030"), "no guest of the release is for that");
    }
}
