//! Recognises frames on the host's cable with which something new reaches for the host.

/// Describes a frame on the host's cable that begins something new towards the host's network (10.0.0.0/8, fd00::2): a
/// connection by TCP, a datagram to the port that the scan uses, a ping, or the question who has the address, which
/// comes before the first packet.
pub fn approach(frame: &[u8]) -> Option<String> {
    let byte = |at: usize| frame.get(at).copied();
    let word = |at: usize| Some(u16::from_be_bytes([byte(at)?, byte(at + 1)?]));
    let new = |protocol: u8, at: usize| -> Option<String> {
        match protocol {
            6 if byte(at + 13)? & 0x12 == 0x02 => Some(format!("TCP to port {}", word(at + 2)?)),
            17 if word(at + 2)? == 9 => Some("UDP to port 9".to_owned()),
            1 if byte(at)? == 8 => Some("a ping".to_owned()),
            58 if byte(at)? == 128 => Some("a ping".to_owned()),
            _ => None,
        }
    };
    match word(12)? {
        0x0800 if byte(30)? == 10 => {
            let from: Vec<String> = frame.get(26..30)?.iter().map(ToString::to_string).collect();
            let what = new(byte(23)?, 14 + usize::from(byte(14)? & 15) * 4)?;
            Some(format!("{what} from {}", from.join(".")))
        }
        0x86dd => match byte(20)? {
            58 if byte(54)? == 135 => {
                let target = frame.get(62..78)?;
                let own = target.first() == Some(&0xfd) && target.ends_with(&[0, 0, 0, 2]);
                own.then(|| "the question who has fd00::2".to_owned())
            }
            protocol if byte(38)? == 0xfd => new(protocol, 54),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An Ethernet frame of IPv4 with this protocol, target and payload.
    fn frame(protocol: u8, target: [u8; 4], payload: &[u8]) -> Vec<u8> {
        let mut frame = vec![0; 12];
        frame.extend([8, 0, 0x45, 0, 0, 0, 0, 0, 0, 0, 64, protocol, 0, 0, 192, 168, 77, 1]);
        frame.extend(target);
        frame.extend(payload);
        frame
    }

    #[test]
    fn only_what_is_new_for_the_hosts_network_is_an_approach() {
        let mut tcp = [0; 20];
        tcp[3] = 80;
        tcp[13] = 0x02;
        let syn = approach(&frame(6, [10, 0, 0, 2], &tcp));
        assert_eq!(syn.as_deref(), Some("TCP to port 80 from 192.168.77.1"));
        assert_eq!(approach(&frame(6, [198, 51, 100, 7], &tcp)), None);
        tcp[13] = 0x12;
        assert_eq!(approach(&frame(6, [10, 0, 0, 2], &tcp)), None);
        assert!(approach(&frame(17, [10, 0, 0, 2], &[0, 1, 0, 9])).is_some());
        assert_eq!(approach(&frame(17, [10, 0, 0, 2], &[0, 67, 0, 68])), None);
        assert!(approach(&frame(1, [10, 0, 0, 2], &[8, 0])).is_some());
        assert_eq!(approach(&frame(1, [10, 0, 0, 2], &[0, 0])), None);
        assert_eq!(approach(&[0; 10]), None);
    }
}
