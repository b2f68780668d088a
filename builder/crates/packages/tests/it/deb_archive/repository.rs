//! A whole archive: from its signed release to the files of a package.

use super::*;

#[test]
fn an_archive_is_read_from_release_to_file() {
    let key = || Key::generate(&Spec::ed25519(1, 1_700_000_000));
    for inrelease in [true, false] {
        for by_hash in [true, false] {
            for form in FORMS {
                let mirror = tempfile::tempdir().unwrap();
                let forms = vec![form];
                let suite = Suite { inrelease, by_hash, forms, ..Suite::new(now(), [hello()]) };
                let path = suite.publish(mirror.path(), &[&key()]);
                let server = Server::start(mirror.path());
                let text = Client::new(&server, key()).index().unwrap();
                assert!(text.contains("\nFilename: pool/main/hello_2.0-1_amd64.deb\n"), "{text}");
                let asked =
                    if form == Compression::None && by_hash { 1 } else { server.count(&path) };
                assert_eq!(asked, 1, "{path}: {:?}", server.requests());
            }
        }
    }
}

#[test]
fn a_damaged_index_is_refused() {
    let key = || Key::generate(&Spec::ed25519(1, 1_700_000_000));
    let mirror = tempfile::tempdir().unwrap();
    let suite = Suite { by_hash: false, ..Suite::new(now(), [hello()]) };
    let path = suite.publish(mirror.path(), &[&key()]);
    let server = Server::start(mirror.path());
    server.faults(&path, [Fault::Corrupt(100), Fault::Cut(100)]);
    let client = Client::new(&server, key());
    assert!(matches!(client.index(), Err(Failed::Fetch(FetchError::Verification { .. }))));
    assert!(matches!(client.index(), Err(Failed::Fetch(FetchError::Network { .. }))));
    client.index().unwrap();
    // An index of the next update, under the old Release file.
    Suite { by_hash: false, ..Suite::new(now(), []) }
        .publish(&mirror.path().join("next"), &[&key()]);
    fs::copy(mirror.path().join("next").join(&path), mirror.path().join(&path)).unwrap();
    let late = Client::new(&server, key());
    assert!(matches!(late.index(), Err(Failed::Fetch(FetchError::Verification { .. }))));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn changed_packages_never_panic(
        form in prop::sample::select(FORMS.to_vec()),
        changes in prop::collection::vec((any::<prop::sample::Index>(), 0usize..4, prop::collection::vec(any::<u8>(), 0..4)), 1..4),
    ) {
        let mut package = hello().compressed(form).build();
        for (at, cut, bytes) in changes {
            let at = at.index(package.len());
            package.splice(at..(at + cut).min(package.len()), bytes);
        }
        let data = Limits { size: 1 << 20, ..Limits::default() };
        let limits = PackageLimits { control: 1 << 20, data, ..PackageLimits::default() };
        let _ = read_with(&package, limits);
    }

    #[test]
    fn changed_tar_archives_never_panic_nor_lead_out(
        changes in prop::collection::vec((0usize..512, any::<u8>()), 1..6),
    ) {
        let mut tar = tar::Builder::new(Vec::new());
        raw(&mut tar, b"./a/b", EntryType::Regular, b"", b"content");
        raw(&mut tar, b"./a/c", EntryType::Link, b"./a/b", b"");
        let mut tar = tar.into_inner().unwrap();
        for (at, byte) in changes {
            tar[at] = byte;
        }
        // The checksum is put right, so that the change gets through to the fields.
        let mut header = Header::from_byte_slice(&tar[..512]).clone();
        header.set_cksum();
        tar[..512].copy_from_slice(header.as_bytes());
        if let Ok((_, listing)) = read(&with_data(&tar)) {
            prop_assert!(listing.keys().all(|path| !path.split('/').any(|part| part == "..")));
        }
    }
}
