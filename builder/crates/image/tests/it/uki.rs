//! The unified kernel image, read by binutils.

use wifibox_ground::content::Content;
use wifibox_image::uki::{Uki, build};

use crate::support::{lines, noise, run};
use wifibox_testkit::pe::pe;

#[test]
fn objdump_sees_the_sections_and_objcopy_gets_them_back() {
    let stub = pe(&[(".text", 0x1000, b"code"), (".sbat", 0x2000, b"sbat,1")]);
    let mut kernel = pe(&[(".text", 0x1000, b"kernel")]);
    kernel.extend(noise(70_000, 1));
    let kernel = Content::from_bytes(kernel);
    let initramfs = Content::from_bytes(noise(30_000, 2));
    let uki = Uki {
        stub: &stub,
        os_release: "ID=wifibox\n",
        command_line: "console=ttyS0 quiet",
        kernel_release: Some("6.12.1"),
        initramfs: Some(&initramfs),
        kernel: &kernel,
        time: 0,
    };
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("uki.efi");
    build(&uki, std::fs::File::create(&file).expect("made")).expect("built");
    let Some(output) = run("objdump", &["-h".as_ref(), file.as_os_str()], None) else { return };
    let found: Vec<String> = lines(&output)
        .iter()
        .filter_map(|line| {
            // Index, name, size, address, ...
            let words: Vec<&str> = line.split_whitespace().collect();
            let [index, name, size, address, ..] = words[..] else { return None };
            index.parse::<u8>().ok()?;
            Some(format!("{name} {size} {}", &address[address.len() - 8..]))
        })
        .collect();
    let expected = [
        ".text 00000004 00001000",
        ".sbat 00000006 00002000",
        ".osrel 0000000b 00003000",
        ".cmdline 00000013 00004000",
        ".uname 00000006 00005000",
        ".initrd 00007530 00006000",
        ".linux 00011770 0000e000",
    ];
    assert_eq!(found[..6], expected[..6]);
    assert!(found[6].starts_with(".linux ") && found[6].ends_with(" 0000e000"), "{}", found[6]);
    for (name, content) in [(".initrd", &initramfs), (".linux", &kernel)] {
        let to = directory.path().join("section");
        let only = format!("--only-section={name}");
        let arguments =
            ["-O".as_ref(), "binary".as_ref(), only.as_ref(), file.as_os_str(), to.as_os_str()];
        if run("objcopy", &arguments, None).is_some() {
            let bytes = std::fs::read(&to).expect("readable");
            assert!(bytes.starts_with(&content.read().expect("readable")), "{name}");
        }
    }
}
