//! The kernel inside a bzImage (Documentation/arch/x86/boot.rst of the kernel): `vmlinux`.

use std::io::Read;

/// The largest kernel that is unpacked, in bytes.
const LIMIT: u64 = 256 << 20;

/// Unpacks the kernel of a bzImage.
pub fn vmlinux(image: &[u8]) -> Result<Vec<u8>, String> {
    let number = |at: usize| -> Option<usize> {
        let bytes: [u8; 4] = image.get(at..at + 4)?.try_into().ok()?;
        usize::try_from(u32::from_le_bytes(bytes)).ok()
    };
    let part = || -> Option<&[u8]> {
        if image.get(0x202..0x206)? != b"HdrS" {
            return None;
        }
        // Sectors of the setup code, the boot sector not counted; 0 means 4.
        let sectors = match usize::from(*image.get(0x1f1)?) {
            0 => 4,
            sectors => sectors,
        };
        let begin = (sectors + 1) * 512 + number(0x248)?;
        image.get(begin..begin.checked_add(number(0x24c)?)?)
    };
    let payload = part().ok_or("it is no bzImage")?;
    // Its length follows what is packed, so that only the first stream is read.
    let reader: Box<dyn Read + '_> = if payload.starts_with(b"\x1f\x8b") {
        Box::new(flate2::read::GzDecoder::new(payload))
    } else if payload.starts_with(b"\xfd7zXZ\0") {
        Box::new(liblzma::read::XzDecoder::new(payload))
    } else if payload.starts_with(b"\x28\xb5\x2f\xfd") {
        let decoder = zstd::stream::read::Decoder::new(payload).map_err(|e| e.to_string())?;
        Box::new(decoder.single_frame())
    } else {
        return Err("its kernel is packed neither with gzip nor with xz nor with zstd".to_owned());
    };
    let mut kernel = Vec::new();
    reader.take(LIMIT).read_to_end(&mut kernel).map_err(|error| error.to_string())?;
    if kernel.starts_with(b"\x7fELF") { Ok(kernel) } else { Err("it holds no ELF file".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn image(packed: &[u8]) -> Vec<u8> {
        let mut image = vec![0; 1024];
        image[0x1f1] = 1;
        image[0x202..0x206].copy_from_slice(b"HdrS");
        image[0x248..0x24c].copy_from_slice(&16_u32.to_le_bytes());
        let length = u32::try_from(packed.len() + 4).expect("short");
        image[0x24c..0x250].copy_from_slice(&length.to_le_bytes());
        image.extend([0; 16]);
        image.extend(packed);
        image.extend([9, 9, 9, 9]);
        image
    }

    #[test]
    fn every_packing_is_unpacked_and_what_is_behind_it_is_left() {
        let kernel = [b"\x7fELF".as_slice(), &[7; 5000]].concat();
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(&kernel).expect("packed");
        let zstd = zstd::encode_all(kernel.as_slice(), 1).expect("packed");
        for packed in [gzip.finish().expect("packed"), zstd] {
            assert_eq!(vmlinux(&image(&packed)).expect("unpacked"), kernel);
        }
        assert!(vmlinux(&image(b"nothing")).is_err());
        assert!(vmlinux(b"\x7fELF").is_err());
    }
}
