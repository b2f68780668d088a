//! Whether the files of a scenario hang together: what one names, another has.

use std::collections::BTreeSet;

use super::{HostError, HostFile};
use crate::lint::{self, Kind};

/// Names of modules that `modules.list` may leave to L4Re.
const LUA_OF_UVMM: &str = "vmm.lua";

/// # Errors
/// [`HostError::Faulty`], naming the file and what is missing.
pub fn files(files: &[HostFile]) -> Result<(), HostError> {
    let fault = |path: &str, why: String| HostError::Faulty { path: path.to_owned(), why };
    let text = |path: &str| {
        let file = files.iter().find(|file| file.path == path);
        let file = file.ok_or_else(|| fault(path, "it is missing".to_owned()))?;
        String::from_utf8(file.contents.clone()).map_err(|error| fault(path, error.to_string()))
    };
    let (list, ned, tree) =
        (text("l4re/modules.list")?, text("l4re/wifibox.ned")?, text("l4re/wifibox.dts")?);
    if let Some(problem) = lint::lint(Kind::L4reModules, list.as_bytes()).first() {
        return Err(fault("l4re/modules.list", problem.to_string()));
    }
    let modules = lint::l4re_modules::names(&list);
    // What the script takes from the boot modules must be there, and nothing must be there in vain.
    let used =
        words_after(&code(&ned), "\"rom/", |c| c.is_ascii_alphanumeric() || "._-".contains(c));
    for name in &used {
        if !modules.contains(name) {
            return Err(fault("l4re/modules.list", format!("wifibox.ned uses rom/{name}")));
        }
    }
    for bus in ["wifi", "storage"] {
        let path = format!("l4re/{bus}.vbus");
        let (file, module) = (text(&path)?, format!("{bus}.vbus"));
        if !modules.contains(&module) {
            return Err(fault("l4re/modules.list", format!("wifibox.ned starts the bus {bus}")));
        }
        if !code(&file).contains(&format!("  {bus} = Io.Vi.System_bus(")) {
            return Err(fault(&path, format!("it does not make the bus {bus}")));
        }
    }
    if !modules.contains(LUA_OF_UVMM) {
        return Err(fault("l4re/modules.list", format!("wifibox.ned uses rom/{LUA_OF_UVMM}")));
    }
    // Every capability of the device tree is given to uvmm: memory, network card and bus by vmm.lua.
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    for property in ["l4vmm,virtiocap = \"", "l4vmm,vcon_cap = \""] {
        for capability in words_after(&tree, property, plain) {
            let given = capability == "net" || ned.contains(&format!("    {capability} = "));
            if !given {
                let why = format!(
                    "it asks for the capability {capability}, which wifibox.ned does not give"
                );
                return Err(fault("l4re/wifibox.dts", why));
            }
        }
    }
    Ok(())
}

/// Lua without its comments; ours have none behind code, and no `--` in strings.
fn code(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("--"));
    lines.map(|line| format!("{line}\n")).collect()
}

/// The words that follow `mark`, each once.
fn words_after(text: &str, mark: &str, within: impl Fn(char) -> bool) -> BTreeSet<String> {
    text.match_indices(mark)
        .filter_map(|(at, _)| text.get(at + mark.len()..))
        .map(|rest| rest.chars().take_while(|c| within(*c)).collect::<String>())
        .filter(|word| !word.is_empty())
        .collect()
}
