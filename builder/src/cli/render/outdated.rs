//! What is newer than a lock, as a table.

use wifibox_resolve::outdated::{Newer, Outdated};

/// The table for people, with a line that counts at its end.
pub fn text(outdated: &Outdated) -> String {
    let (locked, offered) = (&outdated.locked_release, &outdated.offered_release);
    let is_other = locked.is_some() && locked != offered;
    let offered = outdated.offered_release.as_ref().filter(|_| is_other);
    let offered = offered.map(|offered| format!(" (offered: {offered})")).unwrap_or_default();
    let locked = outdated.locked_release.as_ref().map(|release| format!(", release {release}"));
    let locked = locked.unwrap_or_default();
    let lock = format!("{}{locked}{offered}", outdated.lock.display());
    if outdated.is_current() {
        // A point release in which nothing of these guests changed.
        return match is_other {
            true => format!("{lock}: no package is newer\n"),
            false => format!("{lock} has what is offered now\n"),
        };
    }
    let all = outdated.guests.len();
    let guests = |row: &Newer| match row.guests {
        0 => "none".to_owned(),
        count if count == all => "all".to_owned(),
        1 => only(outdated, &row.name),
        count => format!("{count} of {all}"),
    };
    let version = |version: &Option<String>| version.clone().unwrap_or_else(|| "-".to_owned());
    let head = ["PACKAGE", "LOCKED", "OFFERED", "ARCHIVE", "GUESTS"].map(str::to_owned);
    let rows = outdated.packages.iter().map(|row| {
        let (locked, offered) = (version(&row.locked), version(&row.offered));
        [row.name.clone(), locked, offered, row.archive.clone(), guests(row)]
    });
    let rows: Vec<[String; 5]> = std::iter::once(head).chain(rows).collect();
    let mut widths = [0; 5];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let line = |row: &[String; 5]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    let table: String = rows.iter().map(line).collect();
    let security = outdated.packages.iter().filter(|row| row.security).count();
    let changed = outdated.guests.iter().filter(|guest| !guest.changes.is_empty()).count();
    format!(
        "{table}{lock}: {} newer, {security} of them security updates; {changed} of {all} guests change\n",
        outdated.packages.len()
    )
}

/// The only guest with a package that changes.
fn only(outdated: &Outdated, package: &str) -> String {
    let mut with =
        outdated.guests.iter().filter(|guest| guest.changes.iter().any(|p| p == package));
    with.next().map(|guest| format!("{}, {}", guest.flavor, guest.kernel)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use wifibox_resolve::outdated::{FORMAT, Guest};

    fn outdated() -> Outdated {
        let newer = |name: &str, locked: Option<&str>, archive: &str, security, guests| Newer {
            name: name.into(),
            locked: locked.map(str::to_owned),
            offered: Some("2".into()),
            archive: archive.into(),
            security,
            guests,
        };
        let guest = |flavor: &str, changes: &[&str]| Guest {
            flavor: flavor.into(),
            kernel: "own".into(),
            changes: changes.iter().map(|name| (*name).to_owned()).collect(),
        };
        Outdated {
            format: FORMAT,
            lock: "locks/a.lock".into(),
            locked_release: None,
            offered_release: None,
            packages: vec![
                newer("libssl3t64", Some("1"), "debian-security", true, 2),
                newer("firmware-x", None, "debian", false, 1),
                newer("unused", Some("1"), "debian", false, 0),
            ],
            guests: vec![guest("a", &["libssl3t64"]), guest("b", &["firmware-x", "libssl3t64"])],
        }
    }

    #[test]
    fn a_table_for_people() {
        let expected = "PACKAGE     LOCKED  OFFERED  ARCHIVE          GUESTS\n\
            libssl3t64  1       2        debian-security  all\n\
            firmware-x  -       2        debian           b, own\n\
            unused      1       2        debian           none\n\
            locks/a.lock: 3 newer, 1 of them security updates; 2 of 2 guests change\n";
        assert_eq!(text(&outdated()), expected);
        let released = Outdated {
            locked_release: Some("13.7".into()),
            offered_release: Some("13.8".into()),
            ..outdated()
        };
        let said = text(&released);
        assert!(said.contains("\nlocks/a.lock, release 13.7 (offered: 13.8): 3 newer, "), "{said}");
        let nothing = Outdated { packages: Vec::new(), ..outdated() };
        assert_eq!(text(&nothing), "locks/a.lock has what is offered now\n");
    }
}
