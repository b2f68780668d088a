//! Generated archives, in every compression, and what must be refused.

use std::io::Cursor;

use super::*;
use crate::firmware::Offers;
use crate::firmware::select::select;
use crate::kernel::ModuleName;

const WHENCE: &str = "\
--------------------------------------------------------------------------\n\
Driver: iwlwifi\n\
File: intel/iwlwifi/iwlwifi-cc-a0-77.ucode\n\
File: intel/iwlwifi/iwlwifi-cc-a0-50.ucode\n\
Link: iwlwifi-cc-a0-77.ucode -> intel/iwlwifi/iwlwifi-cc-a0-77.ucode\n\
Link: iwlwifi-cc-a0-50.ucode -> intel/iwlwifi/iwlwifi-cc-a0-50.ucode\n\
Licence: Redistributable. See LICENCE.iwlwifi_firmware for details.\n\
--------------------------------------------------------------------------\n\
Driver: ath11k\n\
File: ath11k/WCN6855/hw2.0/amss.bin\n\
Link: ath11k/WCN6855/hw2.1 -> hw2.0\n\
Licence: Redistributable. See LICENSE.QualcommAtheros_ath10k for details.\n\
--------------------------------------------------------------------------\n\
Driver: other\n\
File: other/big.bin\n\
Licence: Redistributable. See LICENCE.other for details.\n";

fn archive(top: &str, whence: Option<&str>) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    let mut put = |name: &str, bytes: &[u8]| {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(1);
        tar.append_data(&mut header, format!("{top}{name}"), bytes).expect("a member");
    };
    put("LICENCE.iwlwifi_firmware", b"Intel's words");
    put("LICENCE.other", b"other words");
    put("LICENSE.QualcommAtheros_ath10k", b"Qualcomm's words");
    if let Some(text) = whence {
        put("WHENCE", text.as_bytes());
    }
    put("ath11k/WCN6855/hw2.0/amss.bin", &[1; 9000]);
    put("intel/iwlwifi/iwlwifi-cc-a0-50.ucode", &[50; 100]);
    put("intel/iwlwifi/iwlwifi-cc-a0-77.ucode", &[77; 100]);
    put("other/big.bin", &[0; 100_000]);
    tar.into_inner().expect("a tar")
}

fn packed(name: &str, bytes: &[u8]) -> Vec<u8> {
    wifibox_testkit::tarball::pack(Compression::of_name(name), bytes)
}

fn wanted(names: &[&str]) -> Vec<Wanted> {
    let module = ModuleName::new("driver").expect("a name");
    let want = |name: &&str| Wanted { module: module.clone(), name: (*name).to_owned() };
    names.iter().map(want).collect()
}

fn read_for(name: &str, bytes: &[u8], names: &[&str]) -> Result<Archive, ArchiveError> {
    let folder = tempfile::tempdir().expect("a folder");
    let spool = Spool::new_in(folder.path()).expect("a spool");
    let filter = NameFilter::new(&wanted(names), &Rules::of_linux()).expect("filter");
    read(name, &mut || Ok(Cursor::new(bytes.to_vec())), &filter, &spool)
}

#[test]
fn only_what_may_be_asked_for_is_kept_whatever_the_compression() {
    for name in ["fw.tar.xz", "fw.tar.gz", "fw.tar.zst", "fw.tar"] {
        let bytes = packed(name, &archive("linux-firmware-1/", Some(WHENCE)));
        let kept = read_for(name, &bytes, &["iwlwifi-cc-a0-72.ucode"]).expect("read");
        let files: Vec<&str> = kept.files.keys().map(String::as_str).collect();
        // Both versions: which of them the driver takes is the selection's business.
        let both = ["intel/iwlwifi/iwlwifi-cc-a0-50.ucode", "intel/iwlwifi/iwlwifi-cc-a0-77.ucode"];
        assert_eq!(files, both, "{name}");
        assert_eq!(kept.licences.len(), 3, "{name}");
        let content = kept.files["intel/iwlwifi/iwlwifi-cc-a0-50.ucode"].read().expect("bytes");
        assert_eq!(content, [50; 100], "{name}");
    }
}

#[test]
fn names_below_linked_directories_bring_the_file_behind() {
    let bytes = archive("", Some(WHENCE));
    let kept = read_for("fw.tar", &bytes, &["ath11k/WCN6855/hw2.1/*"]).expect("read");
    let files: Vec<&str> = kept.files.keys().map(String::as_str).collect();
    assert_eq!(files, ["ath11k/WCN6855/hw2.0/amss.bin"]);
    let licences = kept.whence.licence_files(["ath11k/WCN6855/hw2.0/amss.bin"]);
    assert!(licences.contains("LICENSE.QualcommAtheros_ath10k"), "{licences:?}");
    let mut offers = Offers::default();
    for name in kept.files.keys() {
        let path = GuestPath::new(format!("lib/firmware/{name}")).expect("a path");
        assert!(offers.file(&path, "archive"));
    }
    offers.add_whence(&kept.whence);
    let wants = wanted(&["ath11k/WCN6855/hw2.1/*"]);
    let selection = select(&offers, &wants, &Rules::of_linux()).expect("selected");
    assert!(selection.files.contains_key("ath11k/WCN6855/hw2.0/amss.bin"));
    assert!(selection.links.contains_key("ath11k/WCN6855/hw2.1"), "{:?}", selection.links);
}

#[test]
fn what_is_no_archive_of_firmware_is_refused() {
    let without = archive("linux-firmware-1/", None);
    let error = read_for("fw.tar", &without, &[]).expect_err("no WHENCE");
    assert!(matches!(error, ArchiveError::NoWhence), "{error}");
    let error = read_for("fw.tar.xz", b"not xz at all", &[]).expect_err("no xz");
    assert!(matches!(error, ArchiveError::Tar(_) | ArchiveError::Read(_)), "{error}");
    let whole = packed("fw.tar.xz", &archive("linux-firmware-1/", Some(WHENCE)));
    let error = read_for("fw.tar.xz", &whole[..whole.len() / 2], &[]).expect_err("cut off");
    assert!(matches!(error, ArchiveError::Tar(_) | ArchiveError::Read(_)), "{error}");
    let bad = archive("t/", Some("File: ../../etc/passwd\n"));
    let error = read_for("fw.tar", &bad, &[]).expect_err("a name that leads out");
    assert!(matches!(error, ArchiveError::Whence(_)), "{error}");
}
