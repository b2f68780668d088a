//! SPDX 2.3 as JSON: <https://spdx.github.io/spdx-spec/v2.3/>.

use std::collections::BTreeSet;

use sha1::Digest as _;

use super::id::word;
use super::{FileFacts, PackageFacts, PackageUrl, Subject};
use crate::licences::{NOASSERTION, PackageLicence, Source};
use wifibox_ground::digest::hex;

/// The document itself, as relationships call it.
const DOCUMENT: &str = "SPDXRef-DOCUMENT";
/// The guest's root file system.
const GUEST: &str = "SPDXRef-Guest";
/// This program.
const BUILDER: &str = "SPDXRef-Builder";
use super::spdx_model::{
    Checksum, CreationInfo, Document, ExternalRef, Extracted, File, Package, Relationship,
    VerificationCode,
};

/// The text of `sbom.spdx.json`.
///
/// # Errors
/// Never in practice: every field can be written as JSON.
pub fn spdx(subject: &Subject<'_>) -> serde_json::Result<String> {
    let manifest = subject.manifest;
    let mut packages = vec![guest(subject), builder()];
    let mut relationships = vec![
        relationship(DOCUMENT, "DESCRIBES", GUEST),
        relationship(BUILDER, "BUILD_TOOL_OF", GUEST),
    ];
    let mut sources: BTreeSet<&Source> = BTreeSet::new();
    for (facts, licence) in subject.packages.iter().zip(&subject.licences.packages) {
        let id = package_id(&licence.name);
        packages.push(package(subject, facts, licence));
        relationships.push(if licence.files > 0 {
            relationship(GUEST, "CONTAINS", &id)
        } else {
            let comment = "fetched and resolved, but nothing of it is in the outputs";
            Relationship { comment, ..relationship(&id, "OTHER", GUEST) }
        });
        for source in &licence.sources {
            relationships.push(relationship(&id, "GENERATED_FROM", &source_id(source)));
            sources.insert(source);
        }
    }
    packages.extend(sources.into_iter().map(source_package));
    let mut files = Vec::new();
    for facts in subject.files {
        let file = guest_file(subject, facts);
        relationships.push(relationship(GUEST, "CONTAINS", &file.id));
        if let Some(package) = &facts.package {
            relationships.push(relationship(&file.id, "GENERATED_FROM", &package_id(package)));
        }
        files.push(file);
    }
    for facts in subject.images {
        let file = image_file(facts);
        relationships.push(relationship(DOCUMENT, "DESCRIBES", &file.id));
        let kernel = package_id(&manifest.kernel.package);
        let made_from = match facts.path.as_str() {
            "vmlinuz" => vec![kernel],
            "esp.img" => {
                let stub = subject.stub_package.map(package_id);
                [kernel].into_iter().chain(stub).collect()
            }
            _ => vec![GUEST.to_owned()],
        };
        for from in made_from {
            relationships.push(relationship(&file.id, "GENERATED_FROM", &from));
        }
        files.push(file);
    }
    let extracted = subject.licences.references.iter().map(|reference| Extracted {
        license_id: reference.id.clone(),
        name: reference.name.clone(),
        extracted_text: reference.text.clone(),
    });
    let list = spdx_list_version();
    let document = Document {
        spdx_version: "SPDX-2.3",
        data_license: "CC0-1.0",
        id: DOCUMENT,
        name: subject.name(),
        document_namespace: subject.namespace(),
        creation_info: CreationInfo {
            created: subject.time(),
            creators: vec![format!("Tool: wifibox-build-{}", env!("CARGO_PKG_VERSION"))],
            license_list_version: list,
        },
        packages,
        files,
        has_extracted_licensing_infos: extracted.collect(),
        relationships,
    };
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}

/// The version of SPDX's list as the format writes it: two numbers.
fn spdx_list_version() -> String {
    let parts: Vec<&str> = spdx::license_version().split('.').take(2).collect();
    parts.join(".")
}

fn guest(subject: &Subject<'_>) -> Package {
    let recipe = &subject.manifest.recipe;
    Package {
        id: GUEST.to_owned(),
        name: subject.name(),
        version_info: subject.manifest.build_id.clone(),
        download_location: NOASSERTION.to_owned(),
        files_analyzed: true,
        package_verification_code: Some(VerificationCode {
            package_verification_code_value: verification_code(subject.files),
        }),
        license_concluded: NOASSERTION.to_owned(),
        license_declared: NOASSERTION.to_owned(),
        copyright_text: NOASSERTION.to_owned(),
        summary: format!(
            "Wi-Fi guest: {} as {} on {} {} for {}",
            recipe.flavor, recipe.role, recipe.base, recipe.release, recipe.hypervisor
        ),
        license_comments: "Its packages and firmware have licences of their own.".to_owned(),
        primary_package_purpose: "OPERATING_SYSTEM",
        ..Package::default()
    }
}

fn builder() -> Package {
    let version = env!("CARGO_PKG_VERSION");
    Package {
        id: BUILDER.to_owned(),
        name: "wifibox-build".to_owned(),
        version_info: version.to_owned(),
        download_location: env!("CARGO_PKG_REPOSITORY").to_owned(),
        license_concluded: NOASSERTION.to_owned(),
        license_declared: env!("CARGO_PKG_LICENSE").to_owned(),
        copyright_text: NOASSERTION.to_owned(),
        external_refs: vec![external_ref(&PackageUrl::new(
            "cargo",
            "",
            "wifibox-build",
            version,
            &[],
        ))],
        primary_package_purpose: "APPLICATION",
        ..Package::default()
    }
}

fn package(subject: &Subject<'_>, facts: &PackageFacts<'_>, licence: &PackageLicence) -> Package {
    let digest = facts
        .record
        .sha256
        .map(|sha256| Checksum { algorithm: "SHA256", checksum_value: sha256.to_string() });
    let sources: Vec<String> = licence
        .sources
        .iter()
        .map(|source| format!("{} {}", source.name, source.version))
        .collect();
    Package {
        id: package_id(&licence.name),
        name: licence.name.clone(),
        version_info: licence.version.clone(),
        supplier: supplier(facts.distribution.base),
        download_location: facts.download.clone().unwrap_or_else(|| NOASSERTION.to_owned()),
        checksums: digest.into_iter().collect(),
        source_info: format!("built from {}", sources.join(", ")),
        license_concluded: NOASSERTION.to_owned(),
        license_declared: licence.licence.clone(),
        copyright_text: NOASSERTION.to_owned(),
        summary: facts.record.description.clone(),
        license_comments: licence.notes.join(" "),
        external_refs: vec![external_ref(&facts.url)],
        primary_package_purpose: purpose(subject, &licence.name),
        ..Package::default()
    }
}

fn purpose(subject: &Subject<'_>, name: &str) -> &'static str {
    let firmware = subject.licences.firmware.iter().any(|file| file.from == name);
    if name == subject.manifest.kernel.package {
        "OPERATING_SYSTEM"
    } else if firmware {
        "FIRMWARE"
    } else if name.starts_with("lib") {
        "LIBRARY"
    } else {
        "APPLICATION"
    }
}

fn supplier(base: &str) -> String {
    let name = match base {
        "debian" => "Debian",
        "alpine" | "wifibox" => "Alpine Linux",
        "openwrt" => "OpenWrt",
        other => other,
    };
    format!("Organization: {name}")
}

fn source_package(source: &Source) -> Package {
    let base = source.base.as_str();
    let url = (base == "debian").then(|| {
        PackageUrl::new("deb", base, &source.name, &source.version, &[("arch", "source")])
    });
    let address = source.place.starts_with("https://") && !source.place.contains(' ');
    Package {
        id: source_id(source),
        name: source.name.clone(),
        version_info: source.version.clone(),
        supplier: supplier(base),
        download_location: if address { source.place.clone() } else { NOASSERTION.to_owned() },
        source_info: source.place.clone(),
        license_concluded: NOASSERTION.to_owned(),
        license_declared: NOASSERTION.to_owned(),
        copyright_text: NOASSERTION.to_owned(),
        external_refs: url.iter().map(external_ref).collect(),
        primary_package_purpose: "SOURCE",
        ..Package::default()
    }
}

fn guest_file(subject: &Subject<'_>, facts: &FileFacts) -> File {
    let path = format!("/{}", facts.path);
    let firmware = subject.licences.firmware.iter().find(|file| file.path == path);
    let licence = firmware.map_or(NOASSERTION, |file| file.licence.as_str());
    File {
        id: format!("SPDXRef-File-{}", path_id(&facts.path)),
        file_name: format!("./{}", facts.path),
        checksums: checksums(facts),
        license_concluded: NOASSERTION.to_owned(),
        license_info_in_files: licence_ids(licence),
        copyright_text: NOASSERTION,
        comment: firmware.map(|file| file.notes.join(" ")).unwrap_or_default(),
    }
}

fn image_file(facts: &FileFacts) -> File {
    File {
        id: format!("SPDXRef-Output-{}", word(&facts.path)),
        file_name: format!("./{}", facts.path),
        checksums: checksums(facts),
        license_concluded: NOASSERTION.to_owned(),
        license_info_in_files: vec![NOASSERTION.to_owned()],
        copyright_text: NOASSERTION,
        comment: "A file of the output folder".to_owned(),
    }
}

/// The single licences of an expression: what the field is a list of.
fn licence_ids(expression: &str) -> Vec<String> {
    let Ok(parsed) = spdx::Expression::parse(expression) else {
        return vec![NOASSERTION.to_owned()];
    };
    let ids = parsed.requirements().map(|request| request.req.license.to_string());
    ids.collect::<BTreeSet<String>>().into_iter().collect()
}

fn checksums(facts: &FileFacts) -> Vec<Checksum> {
    vec![
        Checksum { algorithm: "SHA1", checksum_value: facts.sha1.clone() },
        Checksum { algorithm: "SHA256", checksum_value: facts.sha256.to_string() },
    ]
}

/// SPDX 2.3, 7.9: the SHA-1 of all files' SHA-1s, sorted and joined.
fn verification_code(files: &[FileFacts]) -> String {
    let mut digests: Vec<&str> = files.iter().map(|file| file.sha1.as_str()).collect();
    digests.sort_unstable();
    hex(&sha1::Sha1::digest(digests.concat()))
}

fn external_ref(url: &PackageUrl) -> ExternalRef {
    ExternalRef {
        reference_category: "PACKAGE-MANAGER",
        reference_type: "purl",
        reference_locator: url.to_string(),
    }
}

fn relationship(from: &str, kind: &'static str, to: &str) -> Relationship {
    Relationship {
        spdx_element_id: from.to_owned(),
        relationship_type: kind,
        related_spdx_element: to.to_owned(),
        comment: "",
    }
}

fn package_id(name: &str) -> String {
    format!("SPDXRef-Package-{}", word(name))
}

fn source_id(source: &Source) -> String {
    format!("SPDXRef-Source-{}", word(&format!("{}-{}", source.name, source.version)))
}

fn path_id(path: &str) -> String {
    let digest = wifibox_ground::digest::Sha256::of(path.as_bytes()).to_string();
    digest.get(..16).unwrap_or_default().to_owned()
}
