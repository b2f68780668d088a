//! Small PE files put together, taken apart, and damaged.

use super::*;
use object::read::pe::PeFile64;
use proptest::prelude::*;
use wifibox_testkit::pe::pe;

fn stub() -> Vec<u8> {
    pe(&[(".text", 0x1000, b"code"), (".sbat", 0x3000, b"sbat,1")])
}

fn built(stub: &[u8], kernel: &[u8]) -> Result<Vec<u8>, Error> {
    let kernel = Content::from_bytes(kernel);
    let initramfs = Content::from_bytes(vec![9; 5000]);
    let uki = Uki {
        stub,
        os_release: "ID=x\n",
        command_line: "console=ttyS0",
        kernel_release: Some("6.12.1"),
        initramfs: Some(&initramfs),
        kernel: &kernel,
        time: 77,
    };
    let mut out = Vec::new();
    let length = build(&uki, &mut out)?;
    assert_eq!(length, out.len() as u64);
    assert_eq!(out.len() % 512, 0);
    Ok(out)
}

#[test]
fn the_sections_follow_the_stubs_own() {
    let kernel = pe(&[(".text", 0x1000, b"kernel")]);
    let image = built(&stub(), &kernel).expect("built");
    let file = PeFile64::parse(&*image).expect("a PE file");
    let found: Vec<_> = file
        .section_table()
        .iter()
        .map(|section| {
            let data = section.pe_data(&*image).expect("inside the file");
            let name = String::from_utf8_lossy(&section.name);
            let name = name.trim_end_matches('\0').to_owned();
            (name, section.virtual_address.get(LE), section.virtual_size.get(LE), data.to_vec())
        })
        .collect();
    let expected: [(&str, u32, u32, &[u8]); 7] = [
        (".text", 0x1000, 4, b"code"),
        (".sbat", 0x3000, 6, b"sbat,1"),
        (".osrel", 0x4000, 5, b"ID=x\n"),
        (".cmdline", 0x5000, 13, b"console=ttyS0"),
        (".uname", 0x6000, 6, b"6.12.1"),
        (".initrd", 0x7000, 5000, &[9; 5000]),
        // The kernel's own SizeOfImage.
        (".linux", 0x9000, 0x5000, &kernel),
    ];
    for ((name, address, size, data), expected) in found.iter().zip(expected) {
        assert_eq!((name.as_str(), *address, *size), (expected.0, expected.1, expected.2));
        assert_eq!(&data[..expected.3.len()], expected.3, "{name}");
        assert!(data[expected.3.len()..].iter().all(|byte| *byte == 0));
    }
    assert_eq!(found.len(), 7);
    let headers = file.nt_headers();
    assert_eq!(headers.optional_header().size_of_image(), 0xe000);
    assert_eq!(headers.optional_header().check_sum(), 0);
    assert_eq!(headers.file_header().time_date_stamp.get(LE), 77);
}

#[test]
fn stubs_that_cannot_be_added_to_are_refused() {
    let kernel = pe(&[]);
    let error = |stub: &[u8]| built(stub, &kernel).expect_err("refused");
    assert!(matches!(error(b"MZ"), Error::Stub(_)));
    let mut pe32 = stub();
    pe32[88] = 0x0b;
    pe32[89] = 1;
    assert!(matches!(error(&pe32), Error::Stub(_)));
    let mut signed = stub();
    signed[88 + 112 + 4 * 8] = 1;
    assert!(matches!(error(&signed), Error::Signed));
    let twice = pe(&[(".cmdline", 0x1000, b"x")]);
    assert!(matches!(error(&twice), Error::SectionExists(name) if name == ".cmdline"));
    let overlapping = pe(&[(".text", 0x1000, &[1; 512]), (".data", 0x1100, b"x")]);
    assert!(matches!(error(&overlapping), Error::Layout { section, .. } if section == ".data"));
    let short = stub();
    assert!(matches!(error(&short[..short.len() - 1]), Error::Layout { .. }));
    // 17 sections fit 1 KiB of headers.
    let names: Vec<String> = (0..13).map(|n| format!(".s{n}")).collect();
    let sections: Vec<_> =
        (1..).zip(&names).map(|(n, name)| (name.as_str(), n * 0x1000, &b"x"[..])).collect();
    assert!(matches!(error(&pe(&sections)), Error::HeaderRoom { room: 4, wanted: 5 }));
    assert!(built(&pe(&sections[..12]), &kernel).is_ok());
}

#[test]
fn kernels_that_cannot_be_started_are_refused() {
    let mut arm = pe(&[]);
    arm[68..70].copy_from_slice(&0xaa64u16.to_le_bytes());
    for kernel in [&b"\x1f\x8bcompressed"[..], b"", &arm] {
        let error = built(&stub(), kernel).expect_err("refused");
        assert!(matches!(error, Error::Kernel(_)), "{error}");
    }
}

#[test]
fn a_stub_may_lie_anywhere_in_memory() {
    let (stub, kernel) = (stub(), pe(&[]));
    let expected = built(&stub, &kernel).expect("built");
    for shift in 1..8 {
        let shifted = [&vec![0; shift], &stub[..]].concat();
        assert!(built(&shifted[shift..], &kernel).expect("built") == expected);
    }
}

#[test]
fn a_nul_in_a_text_is_refused() {
    let kernel = Content::from_bytes(pe(&[]));
    let stub = stub();
    let uki = Uki {
        stub: &stub,
        os_release: "",
        command_line: "quiet\0",
        kernel_release: None,
        initramfs: None,
        kernel: &kernel,
        time: 0,
    };
    assert!(matches!(build(&uki, Vec::new()), Err(Error::Nul { section: ".cmdline" })));
}

#[test]
fn a_stub_of_parts_smaller_than_a_sector_is_refused() {
    let mut stub = stub();
    // FileAlignment, of 512 bytes before.
    assert_eq!(stub.get(124..128), Some(&[0, 2, 0, 0][..]));
    stub[125] = 1;
    let error = built(&stub, &pe(&[])).expect_err("refused");
    assert!(error.to_string().contains("aligned to 256 bytes"), "{error}");
}

proptest! {
    #[test]
    fn a_damaged_stub_is_an_error_or_harmless(
        damage in proptest::collection::vec((0usize..700, any::<u8>()), 1..8),
        length in 0usize..=2048,
    ) {
        let mut stub = stub();
        for (at, byte) in damage {
            stub[at] = byte;
        }
        let _ = built(&stub, &pe(&[]));
        let _ = built(&stub[..length], &stub[..length]);
    }
}
