//! The cleartext signature framework of OpenPGP (RFC 9580, section 7), strictly.
//!
//! Nothing but the text that is hashed leaves this module, so that nothing around it can ever be
//! taken for signed. The whole input must be one signed message: no text before or after it.

/// A clearsigned message taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ClearSigned<'a> {
    /// The text as it is hashed: lines without trailing blanks, separated by CR LF, no dashes escaped.
    pub(super) text: Vec<u8>,
    /// The armored block of signatures.
    pub(super) signatures: &'a [u8],
}

const BEGIN: &[u8] = b"-----BEGIN PGP SIGNED MESSAGE-----";
const SIGNATURE: &[u8] = b"-----BEGIN PGP SIGNATURE-----";
const END: &[u8] = b"-----END PGP SIGNATURE-----";

/// Takes a message apart; the error gives the reason.
pub(super) fn split(input: &[u8]) -> Result<ClearSigned<'_>, String> {
    let mut rest = input;
    let begin = next_line(&mut rest).ok_or("it is empty")?;
    if trimmed(begin) != BEGIN {
        return Err("it does not begin with '-----BEGIN PGP SIGNED MESSAGE-----'".to_owned());
    }
    // Armor headers. The only one that is allowed names digests; the signatures name theirs anyway.
    loop {
        let line = next_line(&mut rest).ok_or("it ends among its headers")?;
        match trimmed(line) {
            b"" => break,
            header if header.starts_with(b"Hash: ") => {}
            _ => return Err("it has a header other than 'Hash'".to_owned()),
        }
    }
    let mut text = Vec::with_capacity(rest.len());
    let mut first = true;
    loop {
        let before = rest;
        let line = next_line(&mut rest).ok_or("it ends before its signature")?;
        if trimmed(line) == SIGNATURE {
            check_end(rest)?;
            return Ok(ClearSigned { text, signatures: before });
        }
        let plain = match line {
            [b'-', b' ', plain @ ..] => plain,
            [b'-', ..] => return Err("a line begins with an unescaped dash".to_owned()),
            plain => plain,
        };
        let plain = trimmed(plain);
        if plain.iter().any(|byte| matches!(byte, 0 | b'\r')) {
            return Err("a line holds a NUL byte or a carriage return".to_owned());
        }
        if !first {
            text.extend_from_slice(b"\r\n");
        }
        first = false;
        text.extend_from_slice(plain);
    }
}

/// The block of signatures must be complete, and the last thing in the file.
fn check_end(mut rest: &[u8]) -> Result<(), String> {
    loop {
        let line = next_line(&mut rest).ok_or("its signature is cut off")?;
        if trimmed(line) == END {
            break;
        }
    }
    if rest.iter().all(u8::is_ascii_whitespace) {
        Ok(())
    } else {
        Err("there is text after the signature".to_owned())
    }
}

/// The next line without its line feed; `None` at the end.
fn next_line<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    if rest.is_empty() {
        return None;
    }
    let mut parts = rest.splitn(2, |byte| *byte == b'\n');
    let line = parts.next()?;
    *rest = parts.next().unwrap_or_default();
    Some(line)
}

/// A line without the carriage return of its line end, and without trailing blanks.
fn trimmed(line: &[u8]) -> &[u8] {
    let mut line = line.strip_suffix(b"\r").unwrap_or(line);
    while let [head @ .., b' ' | b'\t'] = line {
        line = head;
    }
    line
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message(text: &str) -> String {
        format!(
            "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n{text}\n\
             -----BEGIN PGP SIGNATURE-----\n\nabcd\n-----END PGP SIGNATURE-----\n"
        )
    }

    #[test]
    fn the_text_is_what_is_hashed() {
        let input = message("a  \t\r\n- -- b\n\nc \r");
        let split = split(input.as_bytes()).expect("a message");
        assert_eq!(split.text, b"a\r\n-- b\r\n\r\nc");
        assert!(split.signatures.starts_with(SIGNATURE));
    }

    #[test]
    fn anything_around_it_is_refused() {
        let good = message("a");
        assert!(split(format!("x\n{good}").as_bytes()).is_err());
        assert!(split(format!("\n{good}").as_bytes()).is_err());
        assert!(split(format!("{good}x").as_bytes()).is_err());
        assert!(split(format!("{good}{good}").as_bytes()).is_err());
        assert!(split(format!("{good}\n \r\n").as_bytes()).is_ok());
        for bad in ["-x", "-----BEGIN PGP SIGNED MESSAGE-----", "a\rb", "a\0b", "-"] {
            assert!(split(message(bad).as_bytes()).is_err(), "{bad:?}");
        }
        assert!(split(good.replace("Hash: SHA512", "Comment: x").as_bytes()).is_err());
        assert!(split(good.replace("-----END PGP SIGNATURE-----", "").as_bytes()).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_split_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = split(&bytes);
            let _ = split(&[BEGIN, b"\n\n", &bytes, b"\n", SIGNATURE, b"\n", END].concat());
        }
    }
}
