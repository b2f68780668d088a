//! Limits of the text indexes, the same in every format.

use wifibox_formats::{IndexError, Package, apkindex, dpkg_index, opkg_index};

/// The most packages that an index may have.
const INDEX_LIMIT: usize = 150_000;

#[test]
fn indexes_have_limits_in_every_format() {
    let lines =
        |record: &dyn Fn(usize) -> String, count: usize| (0..count).map(record).collect::<String>();
    type Read = fn(&[u8]) -> Result<Vec<Package>, IndexError>;
    type Record<'r> = &'r dyn Fn(usize) -> String;
    let debian: Record<'_> = &|n| format!("Package: p{n}\nVersion: 1\n\n");
    let alpine: Record<'_> = &|n| format!("P:p{n}\nV:1\n\n");
    let formats: [(&str, Record<'_>, Read); 3] = [
        ("dpkg", debian, |text| dpkg_index::parse(text)),
        ("opkg", debian, |text| opkg_index::parse(text)),
        ("apk", alpine, |text| apkindex::parse(text)),
    ];
    for (format, record, parse) in formats {
        let text = lines(record, INDEX_LIMIT + 1);
        let error = parse(text.as_bytes()).expect_err(format).to_string();
        assert!(error.contains("more than 150000 packages"), "{format}: {error}");
        for name in [300, 1_000_000].map(|length| "n".repeat(length)) {
            let text = record(7).replace("p7", &name);
            let error = parse(text.as_bytes()).expect_err(format).to_string();
            assert!(error.contains("its name has ") && error.len() < 400, "{format}: {error}");
            let text = record(7).replace('1', &name);
            let error = parse(text.as_bytes()).expect_err(format).to_string();
            assert!(error.contains("its version has "), "{format}: {error}");
        }
    }
}
