//! PE files to try things on.

/// A PE32+ file of 64-bit x86 with these sections (name, address, bytes) and 1 KiB of headers.
pub fn pe(sections: &[(&str, u32, &[u8])]) -> Vec<u8> {
    let mut file = vec![0; 1024];
    let mut put = |at: usize, bytes: &[u8]| file[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, b"MZ");
    put(60, &[64]);
    put(64, b"PE\0\0");
    put(68, &0x8664u16.to_le_bytes());
    put(70, &u16::try_from(sections.len()).expect("few").to_le_bytes());
    put(84, &240u16.to_le_bytes());
    put(88, &0x20bu16.to_le_bytes());
    put(88 + 32, &4096u32.to_le_bytes());
    put(88 + 36, &512u32.to_le_bytes());
    put(88 + 56, &0x5000u32.to_le_bytes());
    put(88 + 60, &1024u32.to_le_bytes());
    put(88 + 64, &0xdead_beefu32.to_le_bytes());
    put(88 + 108, &16u32.to_le_bytes());
    for (n, (name, address, bytes)) in sections.iter().enumerate() {
        let length = u32::try_from(bytes.len()).expect("small");
        let offset = u32::try_from(1024 + 512 * n).expect("small");
        let at = 88 + 240 + 40 * n;
        let mut put = |at: usize, bytes: &[u8]| {
            file[at..at + bytes.len()].copy_from_slice(bytes);
        };
        put(at, name.as_bytes());
        for (n, field) in [length, *address, 512, offset].into_iter().enumerate() {
            put(at + 8 + 4 * n, &field.to_le_bytes());
        }
        file.extend_from_slice(bytes);
        file.resize(1024 + 512 * (n + 1), 0);
    }
    file
}
