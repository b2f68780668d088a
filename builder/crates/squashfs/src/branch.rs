//! Whether the x86 branch filter of XZ helps a block: judged by its content, instead of compressing it
//! both ways.
//!
//! The filter turns the relative targets of calls and jumps (`E8`, `E9`) into absolute ones. That pays
//! where many of them lead to the same places: in linked programs and libraries. In objects that are
//! yet to be linked, such as kernel modules, the targets are zeros, all alike, and the filter would make
//! all of them different. So: count how many different targets there are before and after.

/// The addresses that the filter works on have 25 bits: the highest byte is 0 or 255.
const ADDRESS: u32 = 0x1ff_ffff;

/// Whether the filter will probably make `block` smaller.
pub(crate) fn helps(block: &[u8]) -> bool {
    let (mut before, mut after) = (Vec::new(), Vec::new());
    let mut at = 0;
    while let Some([opcode, a, b, c, d]) = block.get(at..at + 5) {
        if matches!(opcode, 0xe8 | 0xe9) && matches!(d, 0 | 0xff) {
            let target = u32::from_le_bytes([*a, *b, *c, *d]);
            // A block is at most 1 MiB.
            let behind = u32::try_from(at + 5).unwrap_or(u32::MAX);
            before.push(target & ADDRESS);
            after.push(target.wrapping_add(behind) & ADDRESS);
            at += 5;
        } else {
            at += 1;
        }
    }
    different(after) < different(before)
}

fn different(mut targets: Vec<u32>) -> usize {
    targets.sort_unstable();
    targets.dedup();
    targets.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Calls, each with what `target` says, and some other code between them.
    fn code(count: u32, target: impl Fn(u32) -> u32) -> Vec<u8> {
        let mut code = Vec::new();
        for n in 0..count {
            code.push(0xe8);
            code.extend_from_slice(&target(n).to_le_bytes());
            code.extend_from_slice(&[0x48, 0x89, 0xc7, 0x90]);
        }
        code
    }

    #[test]
    fn linked_code_is_filtered_and_objects_are_not() {
        assert!(helps(&code(100, |n| 0x0010_0000 - n * 9)), "all call one place");
        assert!(!helps(&code(100, |_| 0)), "to be relocated");
        assert!(!helps(&code(100, |n| 0x6000_0000 - n * 9)), "out of the filter's reach");
        for block in [&b""[..], b"\xe8", b"text", &[0xe8; 4096]] {
            assert!(!helps(block));
        }
    }
}
