//! `--load-modules`: every kernel module of a guest is loaded, whatever its flavor.
//!
//! Shows that the closure is whole: each module of manifest.json loads with what the guest holds, and
//! none has a symbol that nothing exports. There is no card, so that drivers find nothing to drive,
//! and a module for hardware that the machine lacks may say so (`No such device`): it says that
//! after its symbols were resolved.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::report::ModuleLoad;
use super::session::Session;
use super::setup::{Setup, append};

/// The kernel's messages about a module whose symbols nothing exports.
const UNRESOLVED: [&str; 3] =
    ["Unknown symbol", "disagrees about version of symbol", "module verification failed"];

/// Loads each module of the list by itself; what it needs comes along. Then one from elsewhere than the root image, which
/// a kernel that knows LoadPin must refuse.
const LOAD: &str = "#!/bin/sh
cd /run/e2e
mkdir -p out
while read -r module; do
	text=$(modprobe \"$module\" 2>&1)
	echo \"$module $? $text\"
done <modules.txt >out/results.tmp
cat /proc/modules >out/loaded
dmesg >out/dmesg
if [ -e /proc/sys/kernel/loadpin/enforce ]; then
	for file in /lib/modules/*/kernel/net/*/*.ko; do :; done
	cp \"$file\" /tmp/elsewhere.ko
	insmod /tmp/elsewhere.ko >out/elsewhere 2>&1 && echo taken >>out/elsewhere
fi
mv out/results.tmp out/results
";

/// Adds what the test needs to the guest's shares.
pub fn prepare(output: &Path, setup: &Setup) -> Result<(), String> {
    append(
        &setup.config.join("interfaces.conf"),
        "\niface eth0\n  up mkdir -p /run/e2e && mount -t 9p -o trans=virtio,version=9p2000.L e2e \
         /run/e2e && sh /run/e2e/load.sh\n",
    )?;
    let names = names(output)?;
    Session::put(&setup.exchange, "modules.txt", (names.join("\n") + "\n").as_bytes())?;
    Session::put(&setup.exchange, "load.sh", LOAD.as_bytes())
}

/// The modules of an output folder's manifest.
fn names(output: &Path) -> Result<Vec<String>, String> {
    #[derive(serde::Deserialize)]
    struct Manifest {
        modules: Vec<Module>,
    }
    #[derive(serde::Deserialize)]
    struct Module {
        name: String,
    }
    let path = output.join("manifest.json");
    let text = fs::read_to_string(&path)
        .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let manifest: Manifest =
        serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(manifest.modules.into_iter().map(|module| module.name).collect())
}

/// Walks through the steps.
pub fn run(session: &mut Session) -> Result<(), String> {
    session.wait_kernel()?;
    let results = session.exchange.join("out/results");
    let text = session.wait("modprobe ran for every module", |_| {
        let text = fs::read_to_string(&results).ok()?;
        let count = text.lines().count();
        Some(Ok((text, format!("{count} modules"))))
    })?;
    let read = |name: &str| {
        let path = session.exchange.join("out").join(name);
        fs::read_to_string(&path)
            .map_err(|error| format!("cannot read {}: {error}", path.display()))
    };
    let (loaded, messages) = (read("loaded")?, read("dmesg")?);
    let modules = judge(&text, &loaded);
    let count = |state: &str| modules.iter().filter(|module| module.state == state).count();
    let detail = format!(
        "{} loaded, {} without a device, {} failed",
        count("loaded"),
        count("no device"),
        count("failed")
    );
    let failed: Vec<String> = modules
        .iter()
        .filter(|module| module.state == "failed")
        .map(|module| format!("{}: {}", module.name, module.detail))
        .collect();
    if !session.report.quiet {
        for module in modules.iter().filter(|module| module.state != "loaded") {
            println!("          {}: {} {}", module.name, module.state, module.detail);
        }
    }
    session.report.modules = modules;
    if !failed.is_empty() {
        return Err(format!("modules load: {detail}: {}", failed.join("; ")));
    }
    let now = session.qemu.now();
    session.report.step("modules load", now, &detail);
    if let Some(line) = messages.lines().find(|line| UNRESOLVED.iter().any(|t| line.contains(t))) {
        return Err(format!("the kernel says: {line}"));
    }
    session.report.step("no unresolved symbol", now, "");
    if let Ok(text) = read("elsewhere") {
        let said = text.trim();
        if !said.contains("Operation not permitted") {
            return Err(format!("a module from /tmp is not refused: {said}"));
        }
        session.report.step("a module from elsewhere is refused", now, said);
    }
    // What comes after is the business of the tests with a radio.
    session.wait_ready()
}

/// The state of each module, from the guest's lines `NAME EXIT-CODE TEXT`.
fn judge(results: &str, loaded: &str) -> Vec<ModuleLoad> {
    let loaded: BTreeSet<&str> =
        loaded.lines().filter_map(|line| line.split_ascii_whitespace().next()).collect();
    let mut modules: Vec<ModuleLoad> = Vec::new();
    for line in results.lines() {
        let mut words = line.splitn(3, ' ');
        let (Some(name), Some(code)) = (words.next(), words.next()) else { continue };
        if code.parse::<u8>().is_err() {
            // A message of more than one line belongs to the module before.
            if let Some(last) = modules.last_mut() {
                last.detail = format!("{} {line}", last.detail);
            }
            continue;
        }
        let detail = words.next().unwrap_or_default().to_owned();
        let state = match code {
            "0" if loaded.contains(name) => "loaded",
            _ if detail.contains("No such device") => "no device",
            _ => "failed",
        };
        modules.push(ModuleLoad { name: name.to_owned(), state, detail });
    }
    modules
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_module_is_judged_by_its_exit_code_and_by_what_is_loaded() {
        let results = "mac80211 0 \n\
            aesni_intel 1 modprobe: can't load module aesni_intel (x.ko): No such device\n\
            broken 1 modprobe: can't load module broken (x.ko): unknown symbol in module\n\
            absent 0 \n";
        let states: Vec<(String, &str)> = judge(results, "mac80211 1556480 1 iwlmvm, Live 0x0\n")
            .into_iter()
            .map(|module| (module.name, module.state))
            .collect();
        let expected = [
            ("mac80211", "loaded"),
            ("aesni_intel", "no device"),
            ("broken", "failed"),
            ("absent", "failed"),
        ];
        assert_eq!(states, expected.map(|(name, state)| (name.to_owned(), state)));
    }
}
