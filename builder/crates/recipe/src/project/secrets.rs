//! Files that look like secrets. A guest is read by everybody who has its image, and a project is mostly under version
//! control: what is found here is only let in where the user says that it is meant.

/// Names of files that hold nothing but secrets.
const NAMES: [&str; 9] = [
    "id_rsa",
    "id_dsa",
    "id_ecdsa",
    "id_ed25519",
    ".netrc",
    ".pgpass",
    "shadow",
    "gshadow",
    ".git-credentials",
];
/// Ends of such names.
const ENDS: [&str; 4] = [".p12", ".pfx", ".keytab", ".kdbx"];
/// Keys whose value is a secret: of wpa_supplicant.conf, hostapd.conf, WireGuard and others.
const KEYS: [&str; 13] = [
    "psk",
    "wpa_psk",
    "wpa_passphrase",
    "sae_password",
    "password",
    "passphrase",
    "private_key_passwd",
    "private_key2_passwd",
    "wep_key0",
    "auth_server_shared_secret",
    "acct_server_shared_secret",
    "privatekey",
    "presharedkey",
];

/// The secret that a file seems to hold, in words; `None` if it seems to hold none.
pub fn find(path: &str, bytes: &[u8]) -> Option<String> {
    let name = path.rsplit('/').next().unwrap_or(path);
    if NAMES.contains(&name) || ENDS.iter().any(|end| name.ends_with(end)) {
        return Some("its name is that of files with keys or passwords".to_owned());
    }
    let text = std::str::from_utf8(bytes).ok()?;
    text.lines().enumerate().find_map(|(at, line)| {
        let what = of_line(line.trim())?;
        Some(format!("line {} has {what}", at + 1))
    })
}

fn of_line(line: &str) -> Option<String> {
    if line.starts_with("-----BEGIN ") && line.contains("PRIVATE KEY") {
        return Some("a private key".to_owned());
    }
    let (key, value) = line.split_once('=')?;
    let key = key.trim();
    let known = KEYS.iter().any(|known| known.eq_ignore_ascii_case(key));
    let value = value.trim().trim_matches(['"', '\'']);
    // A variable, a reference to elsewhere, or a blank to be filled in.
    let empty = value.is_empty() || value.starts_with(['$', '<']) || value.starts_with("ext:");
    (known && !empty).then(|| format!("a value of {key}"))
}

#[cfg(test)]
mod tests {
    use super::find;

    #[test]
    fn secrets_are_known_by_name_or_by_a_line() {
        let found = [
            ("etc/wpa.conf", "network={\n  ssid=\"home\"\n  psk=\"correct horse\"\n}\n"),
            ("etc/hostapd.conf", "ssid=x\nwpa_passphrase=12345678\n"),
            ("etc/wg0.conf", "[Interface]\nPrivateKey = AAAA=\n"),
            ("etc/host.pem", "x\n-----BEGIN OPENSSH PRIVATE KEY-----\n"),
            ("root/.ssh/id_ed25519", "anything"),
            ("etc/shadow", ""),
        ];
        for (path, text) in found {
            assert!(find(path, text.as_bytes()).is_some(), "{path}");
        }
        let said = find("etc/wpa.conf", b"network={\n psk=\"correct horse\"\n").expect("a secret");
        assert_eq!(said, "line 2 has a value of psk");
    }

    #[test]
    fn blanks_comments_and_variables_are_none() {
        let sound = [
            "#psk=\"secret\"\n",
            "psk=\n",
            "password=$1\n",
            "psk=\"<your passphrase>\"\n",
            "psk=ext:home\n",
            "psk_file=/x\n",
            "-----BEGIN PUBLIC KEY-----\n",
        ];
        for text in sound {
            assert_eq!(find("etc/x", text.as_bytes()), None, "{text}");
        }
        assert_eq!(find("usr/bin/x", b"\x7fELF\xff\xfe psk=1"), None);
    }
}
