//! Which scripts of OpenWrt's packages do anything to an image, and so need a rule of a recipe.
//!
//! OpenWrt gives every package the same `postinst`, which calls `default_postinst`: what that does to
//! an image is done by this module's neighbours. What a package wants beside that is its own part:
//! `postinst-pkg` in an `.ipk`, the lines after `default_postinst` in a v3 package. Most own parts
//! only tell running daemons; they say so themselves, with a check of `IPKG_INSTROOT`, which is set
//! while an image is built. Only the rest has to be known by hash.

use std::collections::BTreeMap;

use crate::scripts::Script;

/// The standard `postinst` of an `.ipk` (OpenWrt's `include/package-pack.mk`).
const STANDARD: &str = "#!/bin/sh\n[ \"${IPKG_NO_SCRIPT}\" = \"1\" ] && exit 0\n\
    [ -s ${IPKG_INSTROOT}/lib/functions.sh ] || exit 0\n. ${IPKG_INSTROOT}/lib/functions.sh\n\
    default_postinst $0 $@\n";

/// The standard beginning of a v3 package's `post-install`, around the package's name.
const V3_BEGIN: &str = "#!/bin/sh\n[ \"${IPKG_NO_SCRIPT}\" = \"1\" ] && exit 0\n\
    [ -s ${IPKG_INSTROOT}/lib/functions.sh ] || exit 0\n. ${IPKG_INSTROOT}/lib/functions.sh\n\
    export root=\"${IPKG_INSTROOT}\"\nexport pkgname=\"";
const V3_END: &str = "\"\nadd_group_and_user\ndefault_postinst\n";

/// The scripts of `package` that would do something to an image beside what OpenWrt's standard script
/// does: `postinst` is its own part, `preinst` the whole script. Names are those of the package's kind:
/// `preinst` and `postinst` for `.ipk`, `pre-install` and `post-install` for v3. What runs at removal
/// or upgrade is left out.
pub fn own(package: &str, scripts: &BTreeMap<String, Vec<u8>>) -> Vec<Script> {
    let mut own = Vec::new();
    for (name, text) in scripts {
        let (name, text) = match &**name {
            "postinst" if text == STANDARD.as_bytes() => continue,
            // Run by the standard script, as part of it; otherwise by nobody.
            "postinst-pkg" => ("postinst", &text[..]),
            "post-install" => ("post-install", own_part(package, text)),
            "preinst" | "postinst" | "pre-install" | "trigger" => (&**name, &text[..]),
            _ => continue,
        };
        if !only_for_running_systems(text) {
            own.push(Script {
                package: package.to_owned(),
                name: name.to_owned(),
                text: text.to_vec(),
            });
        }
    }
    own
}

/// The part of a v3 package's script after the standard beginning; all of a script that begins otherwise.
fn own_part<'a>(package: &str, text: &'a [u8]) -> &'a [u8] {
    let rest = text.strip_prefix(V3_BEGIN.as_bytes());
    let rest = rest.and_then(|rest| rest.strip_prefix(package.as_bytes()));
    rest.and_then(|rest| rest.strip_prefix(V3_END.as_bytes())).unwrap_or(text)
}

/// Whether a script does nothing while `IPKG_INSTROOT` is set: every statement of it is
/// `[ -n "${IPKG_INSTROOT}" ] || COMMAND`, where COMMAND is one simple command or a block
/// `{ ... }` that ends the script, or `if [ -z "${IPKG_INSTROOT}" ]; then ... fi` without branches.
///
/// Anything that this simple reading could misunderstand makes the answer no.
pub(crate) fn only_for_running_systems(text: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(text) else { return false };
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    while let Some(line) = lines.next() {
        if line.starts_with('#') || matches!(line, "exit 0" | "true" | ":") {
            if line == "exit 0" {
                return true;
            }
            continue;
        }
        if is_condition(line) {
            if !is_branch(&mut lines) {
                return false;
            }
            continue;
        }
        let Some(command) = guarded(line) else { return false };
        match command.strip_prefix('{') {
            // Without white space, it would be a command whose name begins with a brace.
            Some(first) if !first.is_empty() && !first.starts_with([' ', '\t']) => return false,
            Some(first) => return is_block(first, lines),
            None if is_simple(command) => {}
            None => return false,
        }
    }
    true
}

/// The command after the check that no image is being built.
fn guarded(line: &str) -> Option<&str> {
    let checks = ["[ -n \"${IPKG_INSTROOT}\" ] || ", "[ -n \"$IPKG_INSTROOT\" ] || "];
    checks.iter().find_map(|check| line.strip_prefix(check)).map(str::trim_start)
}

/// Words, and nothing that separates or groups commands, quotes or continues a line. What it says may
/// go to `/dev/null`.
fn is_simple(command: &str) -> bool {
    let mut words = command;
    while let Some(rest) = QUIET.iter().find_map(|redirection| words.strip_suffix(redirection)) {
        words = rest;
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || " /.-_".contains(c);
    !words.trim().is_empty() && words.chars().all(plain)
}

/// Redirections that write nothing.
const QUIET: [&str; 3] = [" >/dev/null", " 2>/dev/null", " 2>&1"];

/// Whether what follows is done on a running system only.
fn is_condition(line: &str) -> bool {
    let test = line.strip_prefix("if [ -z ").and_then(|rest| rest.strip_suffix(" ]; then"));
    matches!(test, Some("\"${IPKG_INSTROOT}\"" | "\"$IPKG_INSTROOT\""))
}

/// Whether the lines up to the next `fi` are one branch: no line could end it earlier, begin another
/// one, or hide that `fi` in a text of several lines.
fn is_branch<'a>(lines: &mut impl Iterator<Item = &'a str>) -> bool {
    for line in lines {
        if line == "fi" {
            return true;
        }
        let odd = ['$', '\'', '`', '\\'];
        let mut words = line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        if line.contains(odd)
            || line.contains("<<")
            || line.matches('"').count() % 2 != 0
            || words.any(|word| matches!(word, "fi" | "else" | "elif"))
        {
            return false;
        }
    }
    false
}

/// Whether a block that begins with `first` is closed by the last line, and by none before.
fn is_block<'a>(first: &'a str, lines: impl Iterator<Item = &'a str>) -> bool {
    let lines: Vec<&str> = std::iter::once(first.trim()).chain(lines).collect();
    let Some((last, inner)) = lines.split_last() else { return false };
    // A brace, a quote, a here-document or a joined line could end the block earlier than it seems.
    let odd = ['{', '}', '"', '\'', '`', '\\'];
    *last == "}" && inner.iter().all(|line| !line.contains(odd) && !line.contains("<<"))
}
