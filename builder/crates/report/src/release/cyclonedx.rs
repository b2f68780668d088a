//! Reads the URLs of packages from a guest's bill of materials.

use std::collections::BTreeMap;

use serde::Deserialize;

#[derive(Deserialize)]
struct Bom {
    #[serde(default)]
    components: Vec<Component>,
}

#[derive(Deserialize)]
struct Component {
    name: String,
    #[serde(default)]
    version: String,
    #[serde(default)]
    purl: String,
}

/// The package URLs of a CycloneDX bill, by name and version; empty if it is none.
pub(super) fn package_urls(bytes: &[u8]) -> BTreeMap<(String, String), String> {
    let Ok(bom) = serde_json::from_slice::<Bom>(bytes) else { return BTreeMap::new() };
    let listed = bom.components.into_iter().filter(|component| !component.purl.is_empty());
    listed.map(|component| ((component.name, component.version), component.purl)).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn components_without_a_url_are_left_out() {
        let bill = br#"{"components": [
            {"name": "a", "version": "1", "purl": "pkg:deb/debian/a@1", "type": "library"},
            {"name": "root.img", "type": "file"}]}"#;
        let urls = super::package_urls(bill);
        assert_eq!(urls.len(), 1);
        assert_eq!(urls[&("a".to_owned(), "1".to_owned())], "pkg:deb/debian/a@1");
        assert!(super::package_urls(b"no JSON").is_empty());
    }
}
