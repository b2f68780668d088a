//! CycloneDX 1.6 as JSON: <https://cyclonedx.org/docs/1.6/json/>.

use serde::Serialize;

use super::{FileFacts, PackageFacts, PackageUrl, Subject, id};
use crate::licences::{FirmwareLicence, NOASSERTION, PackageLicence};

/// The guest, as dependencies call it.
const GUEST: &str = "guest";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Bom {
    bom_format: &'static str,
    spec_version: &'static str,
    serial_number: String,
    version: u32,
    metadata: Metadata,
    components: Vec<Component>,
    dependencies: Vec<Dependency>,
    compositions: Vec<Composition>,
}

#[derive(Serialize)]
struct Metadata {
    timestamp: String,
    lifecycles: [Lifecycle; 1],
    tools: Tools,
    component: Component,
}

#[derive(Serialize)]
struct Lifecycle {
    phase: &'static str,
}

#[derive(Serialize)]
struct Tools {
    components: Vec<Component>,
}

#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
struct Component {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(rename = "bom-ref", skip_serializing_if = "String::is_empty")]
    reference: String,
    name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    version: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hashes: Vec<Hash>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    licenses: Vec<Licence>,
    #[serde(skip_serializing_if = "String::is_empty")]
    purl: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    external_references: Vec<ExternalReference>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    properties: Vec<Property>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    components: Vec<Component>,
}

#[derive(Serialize)]
struct Hash {
    alg: &'static str,
    content: String,
}

#[derive(Serialize)]
struct Licence {
    expression: String,
    acknowledgement: &'static str,
}

#[derive(Serialize)]
struct ExternalReference {
    #[serde(rename = "type")]
    kind: &'static str,
    url: String,
}

#[derive(Serialize)]
struct Property {
    name: &'static str,
    value: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Dependency {
    #[serde(rename = "ref")]
    reference: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    depends_on: Vec<String>,
}

#[derive(Serialize)]
struct Composition {
    aggregate: &'static str,
    assemblies: Vec<String>,
}

/// The text of `sbom.cdx.json`. Packages of which nothing is in the outputs are left out.
///
/// # Errors
/// Never in practice: every field can be written as JSON.
pub fn cyclonedx(subject: &Subject<'_>) -> serde_json::Result<String> {
    let used = subject.packages.iter().zip(&subject.licences.packages);
    let used: Vec<_> = used.filter(|(_, licence)| licence.files > 0).collect();
    let mut components: Vec<Component> =
        used.iter().map(|(facts, licence)| package(subject, facts, licence)).collect();
    let names: Vec<String> = used.iter().map(|(facts, _)| facts.url.to_string()).collect();
    let known = |from: &str| used.iter().any(|(facts, _)| facts.record.name == from);
    let stray = subject.licences.firmware.iter().filter(|file| !known(&file.from));
    components.extend(stray.map(firmware));
    components.extend(subject.images.iter().map(image));
    let mut dependencies =
        vec![Dependency { reference: GUEST.to_owned(), depends_on: names.clone() }];
    dependencies.extend(
        names.into_iter().map(|reference| Dependency { reference, depends_on: Vec::new() }),
    );
    let bom = Bom {
        bom_format: "CycloneDX",
        spec_version: "1.6",
        serial_number: format!("urn:uuid:{}", id::uuid(&subject.namespace())),
        version: 1,
        metadata: Metadata {
            timestamp: subject.time(),
            lifecycles: [Lifecycle { phase: "build" }],
            tools: Tools { components: vec![builder()] },
            component: guest(subject),
        },
        components,
        dependencies,
        compositions: vec![Composition {
            aggregate: "complete",
            assemblies: vec![GUEST.to_owned()],
        }],
    };
    Ok(serde_json::to_string_pretty(&bom)? + "\n")
}

fn builder() -> Component {
    let version = env!("CARGO_PKG_VERSION");
    Component {
        kind: "application",
        name: "wifibox-build".to_owned(),
        version: version.to_owned(),
        licenses: licences(env!("CARGO_PKG_LICENSE")),
        purl: PackageUrl::new("cargo", "", "wifibox-build", version, &[]).to_string(),
        ..Component::default()
    }
}

fn guest(subject: &Subject<'_>) -> Component {
    let recipe = &subject.manifest.recipe;
    let property = |name, value: &str| Property { name, value: value.to_owned() };
    Component {
        kind: "operating-system",
        reference: GUEST.to_owned(),
        name: subject.name(),
        version: subject.manifest.build_id.clone(),
        properties: vec![
            property("wifibox-build:base", &recipe.base),
            property("wifibox-build:release", &recipe.release),
            property("wifibox-build:architecture", &recipe.architecture),
            property("wifibox-build:flavor", &recipe.flavor),
            property("wifibox-build:role", &recipe.role),
            property("wifibox-build:features", &recipe.features.join(" ")),
            property("wifibox-build:hypervisor", &recipe.hypervisor),
            property("wifibox-build:kernel", &subject.manifest.kernel.release),
        ],
        ..Component::default()
    }
}

fn package(subject: &Subject<'_>, facts: &PackageFacts<'_>, licence: &PackageLicence) -> Component {
    let own = subject.licences.firmware.iter().filter(|file| file.from == licence.name);
    let own: Vec<Component> = own.map(firmware).collect();
    let kind = if licence.name == subject.manifest.kernel.package {
        "operating-system"
    } else if own.len() as u64 == licence.files {
        "firmware"
    } else if licence.name.starts_with("lib") {
        "library"
    } else {
        "application"
    };
    let hash =
        facts.record.sha256.map(|sha256| Hash { alg: "SHA-256", content: sha256.to_string() });
    let mut external_references = Vec::new();
    if let Some(url) = &facts.download {
        external_references.push(ExternalReference { kind: "distribution", url: url.clone() });
    }
    for source in licence.sources.iter().filter(|source| !source.place.contains(' ')) {
        let url = source.place.clone();
        external_references.push(ExternalReference { kind: "source-distribution", url });
    }
    let sources = licence.sources.iter().map(|source| Property {
        name: "wifibox-build:source",
        value: format!("{} {}", source.name, source.version),
    });
    Component {
        kind,
        reference: facts.url.to_string(),
        name: licence.name.clone(),
        version: licence.version.clone(),
        description: facts.record.description.clone(),
        hashes: hash.into_iter().collect(),
        licenses: licences(&licence.licence),
        purl: facts.url.to_string(),
        external_references,
        properties: sources.collect(),
        components: own,
    }
}

fn firmware(file: &FirmwareLicence) -> Component {
    Component {
        kind: "firmware",
        reference: format!("firmware:{}", file.name),
        name: file.name.clone(),
        hashes: vec![Hash { alg: "SHA-256", content: file.sha256.to_string() }],
        licenses: licences(&file.licence),
        properties: vec![Property { name: "wifibox-build:path", value: file.path.clone() }],
        ..Component::default()
    }
}

fn image(facts: &FileFacts) -> Component {
    Component {
        kind: "file",
        reference: format!("output:{}", facts.path),
        name: facts.path.clone(),
        hashes: vec![
            Hash { alg: "SHA-1", content: facts.sha1.clone() },
            Hash { alg: "SHA-256", content: facts.sha256.to_string() },
        ],
        ..Component::default()
    }
}

/// The licence of a component; none where nothing is asserted.
fn licences(expression: &str) -> Vec<Licence> {
    let known = expression != NOASSERTION;
    known
        .then(|| Licence { expression: expression.to_owned(), acknowledgement: "declared" })
        .into_iter()
        .collect()
}
