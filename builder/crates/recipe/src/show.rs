//! A composed recipe as rows, for people (YAML with the origin of every value as a comment) and for
//! programs (JSON).

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::composed::Recipe;
use super::located::{Origin, Sourced};

/// Columns after which origins no longer line up.
const ALIGN_LIMIT: usize = 60;

/// The shape of a row within its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Shape {
    /// The key's only value.
    Scalar,
    /// One item of a list.
    Item,
    /// One entry of a map.
    Entry,
}

/// One value of a recipe.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Row {
    /// The key of the recipe that it belongs to; rows of one key are together.
    pub key: &'static str,
    /// Its shape within that key.
    pub shape: Shape,
    /// The name of a map's entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The value.
    pub value: Value,
    /// The place that says so.
    pub origin: Origin,
}

/// A composed recipe, ready to be shown. Its text is YAML.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct Show {
    /// All values, in the order in which they count.
    pub rows: Vec<Row>,
}

impl Recipe {
    /// Every value of the recipe with its origin.
    pub fn show(&self) -> Show {
        let mut show = Show { rows: Vec::new() };
        show.scalar("base", &self.base);
        show.scalar("format", &self.format);
        show.scalar("architecture", &self.architecture);
        show.scalar("release", &self.release);
        show.scalar("flavor", &self.flavor);
        show.scalar("role", &self.role);
        show.scalar("app_config", &self.app_config);
        show.list("features", &self.features);
        show.kernel(self);
        show.entry("hypervisor", "name", &self.hypervisor.name);
        show.entry("hypervisor", "share_transport", &self.hypervisor.share_transport);
        show.entry("hypervisor", "nic", &self.hypervisor.nic);
        show.entry("hypervisor", "console", &self.hypervisor.console);
        show.entry("hypervisor", "root_disk", &self.hypervisor.root_disk);
        if let Some(board) = &self.hypervisor.board {
            show.entry("hypervisor", "board", board);
        }
        show.scalar("compression", &self.compression);
        show.scalar("init", &self.init);
        show.scalar("init_system", &self.init_system);
        show.scalar("accounts_from", &self.accounts_from);
        show.scalar("keep_empty_directories", &self.keep_empty_directories);
        show.scalar("regulatory_database", &self.regulatory_database);
        for (program, package) in &self.programs {
            show.entry("programs", program, package);
        }
        if let Some(initramfs) = &self.initramfs {
            show.scalar("initramfs", initramfs);
        }
        for (key, value) in
            [("smallest", &self.memory_smallest), ("recommended", &self.memory_recommended)]
        {
            if let Some(value) = value {
                show.entry("memory", key, value);
            }
        }
        if let Some(region) = &self.region {
            show.scalar("region", region);
        }
        show.list("repositories", &self.repositories);
        show.list("packages", &self.packages);
        for (name, stand_in) in &self.stand_ins {
            show.entry("stand_ins", name, stand_in);
        }
        show.list("firmware_packages", &self.firmware_packages);
        show.firmware(self);
        for (chipset, agreement) in &self.agreements {
            show.entry("agreements", chipset, agreement);
        }
        show.list("licences", &self.licences);
        show.list("initramfs_modules", &self.initramfs_modules);
        show.list("load_modules", &self.load_modules);
        show.list("modules", &self.modules);
        show.list("overlays", &self.overlays);
        show.list("services", &self.services);
        for (level, services) in &self.runlevels {
            for Sourced { value: service, origin } in services {
                let (value, origin) = (format!("{level}/{service}"), origin.clone());
                show.list("runlevels", &[Sourced { value, origin }]);
            }
        }
        show.list("services_off", &self.services_off);
        show.list("users", &self.users);
        show.list("groups", &self.groups);
        show.list("directories", &self.directories);
        for (path, target) in &self.links {
            show.entry("links", &path.to_string(), target);
        }
        for (path, file) in &self.files {
            show.entry("files", &path.to_string(), file);
        }
        for (path, own) in &self.own {
            show.entry("own", &path.to_string(), own);
        }
        for (path, sample) in &self.samples {
            show.entry("samples", &path.to_string(), sample);
        }
        show.list("applets", &self.applets);
        show.list("shares", &self.shares);
        show.list("exclude", &self.exclude);
        show.list("keep", &self.keep);
        show.list("cmdline", &self.cmdline);
        show.list("scripts", &self.scripts);
        show
    }
}

impl Show {
    fn firmware(&mut self, recipe: &Recipe) {
        for need in &recipe.firmware {
            self.list("firmware_chipsets", std::slice::from_ref(&need.chipset));
        }
        for need in &recipe.firmware {
            self.list("firmware_rules", std::slice::from_ref(&need.rule));
        }
        for need in &recipe.firmware {
            self.list("firmware_include", &need.include);
        }
        for need in &recipe.firmware {
            self.list("firmware_exclude", &need.exclude);
        }
        for need in &recipe.firmware {
            self.list("firmware_promises", &need.promises);
        }
        for need in &recipe.firmware {
            self.list("firmware_optional", &need.optional);
        }
        for need in &recipe.firmware {
            self.list("firmware_boards", &need.boards);
        }
        for set in &recipe.drivers {
            for card in set
                .devices
                .iter()
                .flat_map(|devices| devices.cards.iter().map(move |card| (devices, card)))
            {
                let (devices, card) = card;
                let value = Sourced { value: card.clone(), origin: devices.origin.clone() };
                self.list("devices", std::slice::from_ref(&value));
            }
        }
    }

    fn kernel(&mut self, recipe: &Recipe) {
        let kernel = &recipe.kernel;
        self.entry("kernel", "name", &kernel.name);
        self.entry("kernel", "package", &kernel.package);
        self.entry("kernel", "image", &kernel.image);
        if let Some(config) = &kernel.config {
            self.entry("kernel", "config", config);
        }
        self.entry("kernel", "modules", &kernel.modules);
        for module in &kernel.built_in {
            self.entry("kernel", "built_in", module);
        }
        self.entry("kernel", "boots_with", &kernel.boots_with);
        if let Some(stub) = &kernel.efi_stub {
            self.entry("kernel", "efi_stub", stub);
        }
        if let Some(from) = &kernel.from {
            self.entry("kernel", "base", &from.base);
            self.entry("kernel", "release", &from.release);
        }
    }

    fn push<T: Serialize>(
        &mut self,
        key: &'static str,
        shape: Shape,
        name: Option<&str>,
        sourced: &Sourced<T>,
    ) {
        // All types of the model can be written as JSON; null would show that one cannot.
        let value = serde_json::to_value(&sourced.value).unwrap_or(Value::Null);
        let (name, origin) = (name.map(str::to_owned), sourced.origin.clone());
        self.rows.push(Row { key, shape, name, value, origin });
    }

    fn scalar<T: Serialize>(&mut self, key: &'static str, value: &Sourced<T>) {
        self.push(key, Shape::Scalar, None, value);
    }

    fn list<T: Serialize>(&mut self, key: &'static str, values: &[Sourced<T>]) {
        for value in values {
            self.push(key, Shape::Item, None, value);
        }
    }

    fn entry<T: Serialize>(&mut self, key: &'static str, name: &str, value: &Sourced<T>) {
        self.push(key, Shape::Entry, Some(name), value);
    }
}

impl fmt::Display for Show {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<(&Row, String)> = self.rows.iter().map(|row| (row, line(row))).collect();
        let widths = lines.iter().map(|(_, line)| line.chars().count());
        let width = widths.filter(|width| *width <= ALIGN_LIMIT).max().unwrap_or(0);
        let mut key = "";
        for (row, line) in &lines {
            if row.shape != Shape::Scalar && row.key != key {
                writeln!(f, "{}:", row.key)?;
            }
            key = row.key;
            writeln!(f, "{line:width$}  # {}", row.origin)?;
        }
        Ok(())
    }
}

fn line(row: &Row) -> String {
    let value = yaml(&row.value);
    match (row.shape, &row.name) {
        (Shape::Scalar, _) => format!("{}: {value}", row.key),
        (Shape::Entry, Some(name)) => format!("  {}: {value}", word(name)),
        (Shape::Item | Shape::Entry, _) => format!("  - {value}"),
    }
}

/// A value as YAML on one line: plain words stay plain, all else is JSON, which is YAML.
fn yaml(value: &Value) -> String {
    match value {
        Value::String(text) => word(text),
        other => other.to_string(),
    }
}

fn word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./=+".contains(c);
    let letter = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/');
    let reserved = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    let is_word = letter
        && text.chars().all(plain)
        && !reserved.contains(&text.to_ascii_lowercase().as_str());
    if is_word { text.to_owned() } else { Value::String(text.to_owned()).to_string() }
}
