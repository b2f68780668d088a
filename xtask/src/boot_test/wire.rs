//! The cable between the test's own network stack and the guest's `eth0`: Ethernet frames, either as
//! datagrams between two unix sockets (no privilege needed) or through a tap interface (root).

use std::collections::VecDeque;
use std::io;
use std::net::Ipv6Addr;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::time::Duration;

use smoltcp::phy::{Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::time::Instant;

/// The longest Ethernet frame without its checksum.
const FRAME: usize = 1514;
/// How often a frame is offered to a full queue, a tenth of a millisecond apart.
const PATIENCE: u32 = 200;

/// Something that carries Ethernet frames.
pub trait Carrier {
    /// The next frame that came in, without waiting.
    fn receive(&mut self) -> Option<Vec<u8>>;
    /// Sends a frame; it is lost when nobody listens, as on a cable.
    fn send(&mut self, frame: &[u8]);
}

/// QEMU's `-netdev dgram` from the other side.
pub struct Datagrams {
    socket: UnixDatagram,
    peer: PathBuf,
}

impl Datagrams {
    /// Makes the socket `own` and sends to `peer`, which QEMU makes.
    pub fn new(own: &Path, peer: &Path) -> io::Result<Self> {
        let socket = UnixDatagram::bind(own)?;
        socket.set_nonblocking(true)?;
        Ok(Self { socket, peer: peer.to_owned() })
    }
}

impl Carrier for Datagrams {
    fn receive(&mut self) -> Option<Vec<u8>> {
        let mut frame = vec![0; 65536];
        let length = self.socket.recv(&mut frame).ok()?;
        frame.truncate(length);
        Some(frame)
    }

    fn send(&mut self, frame: &[u8]) {
        // The queue between the two sockets is short (ten frames on Linux): QEMU gets a moment to
        // empty it. A guest that is not listening yet, or no QEMU at all, loses the frame.
        for _ in 0..PATIENCE {
            match self.socket.send_to(frame, &self.peer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    std::thread::sleep(Duration::from_micros(100));
                }
                _ => break,
            }
        }
    }
}

/// A tap interface that this test made, and removes when dropped.
#[cfg(target_os = "linux")]
pub struct Tap {
    name: String,
    socket: smoltcp::phy::RawSocket,
}

#[cfg(target_os = "linux")]
impl Tap {
    /// Makes the tap interface `name` and listens on it.
    pub fn new(name: &str) -> Result<Self, String> {
        let ip = |arguments: &[&str]| -> Result<(), String> {
            let output =
                std::process::Command::new("ip").args(arguments).output().map_err(|error| {
                    format!("cannot run ip (Debian: apt install iproute2): {error}")
                })?;
            if output.status.success() {
                return Ok(());
            }
            let message = String::from_utf8_lossy(&output.stderr);
            Err(format!("ip {} failed, which needs root: {}", arguments.join(" "), message.trim()))
        };
        ip(&["tuntap", "add", "dev", name, "mode", "tap"])?;
        ip(&["link", "set", "dev", name, "up"])?;
        let socket = smoltcp::phy::RawSocket::new(name, Medium::Ethernet)
            .map_err(|error| format!("cannot listen on {name}: {error}"))?;
        Ok(Self { name: name.to_owned(), socket })
    }
}

#[cfg(target_os = "linux")]
impl Carrier for Tap {
    fn receive(&mut self) -> Option<Vec<u8>> {
        let (token, _) = self.socket.receive(Instant::now())?;
        Some(token.consume(<[u8]>::to_vec))
    }

    fn send(&mut self, frame: &[u8]) {
        if let Some(token) = self.socket.transmit(Instant::now()) {
            token.consume(frame.len(), |buffer| buffer.copy_from_slice(frame));
        }
    }
}

#[cfg(target_os = "linux")]
impl Drop for Tap {
    fn drop(&mut self) {
        let remove = ["tuntap", "del", "dev", &self.name, "mode", "tap"];
        let _ = std::process::Command::new("ip").args(remove).status();
    }
}

/// A carrier as a network device of smoltcp.
pub struct Wire {
    carrier: Box<dyn Carrier>,
    waiting: VecDeque<Vec<u8>>,
    /// Frames that look like new connections to the host's network, once somebody asks for them.
    pub approaches: Option<Vec<String>>,
    /// The router that announced itself last, if it leads on.
    pub router: Option<Ipv6Addr>,
}

impl Wire {
    /// A device on `carrier`.
    pub fn new(carrier: Box<dyn Carrier>) -> Self {
        Self { carrier, waiting: VecDeque::new(), approaches: None, router: None }
    }
}

/// A frame that came in.
pub struct Received(Vec<u8>);

/// Leave to send one frame.
pub struct Sending<'a>(&'a mut dyn Carrier);

impl RxToken for Received {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, use_frame: F) -> R {
        use_frame(&self.0)
    }
}

impl TxToken for Sending<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, fill: F) -> R {
        let mut frame = vec![0; length];
        let result = fill(&mut frame);
        self.0.send(&frame);
        result
    }
}

impl Device for Wire {
    type RxToken<'a> = Received;
    type TxToken<'a> = Sending<'a>;

    fn receive(&mut self, _: Instant) -> Option<(Received, Sending<'_>)> {
        if let Some(frame) = self.carrier.receive() {
            if let Some(list) = &mut self.approaches {
                list.extend(super::approach::approach(&frame));
            }
            if let Some((router, leads_on)) = router(&frame) {
                self.router = leads_on.then_some(router);
            }
            self.waiting.push_back(frame);
        }
        let frame = self.waiting.pop_front()?;
        Some((Received(frame), Sending(self.carrier.as_mut())))
    }

    fn transmit(&mut self, _: Instant) -> Option<Sending<'_>> {
        Some(Sending(self.carrier.as_mut()))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ethernet;
        capabilities.max_transmission_unit = FRAME;
        capabilities
    }
}

/// The router of a frame that announces one, and whether IPv6 leads on by it.
fn router(frame: &[u8]) -> Option<(Ipv6Addr, bool)> {
    let (kind, next, message) = (frame.get(12..14)?, *frame.get(20)?, *frame.get(54)?);
    if (kind, next, message) != (&[0x86, 0xdd], 58, 134) {
        return None;
    }
    let source: [u8; 16] = frame.get(22..38)?.try_into().ok()?;
    Some((source.into(), frame.get(60..62)? != [0, 0]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_router_leads_on_for_as_long_as_it_says() {
        let source = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1);
        let frame = |message: u8, lifetime: [u8; 2]| {
            let mut frame = vec![0; 12];
            frame.extend([0x86, 0xdd, 0x60, 0, 0, 0, 0, 16, 58, 255]);
            frame.extend(source.octets());
            frame.extend([
                0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, message, 0, 0, 0, 64, 0,
            ]);
            frame.extend(lifetime);
            frame
        };
        assert_eq!(router(&frame(134, [7, 8])), Some((source, true)));
        assert_eq!(router(&frame(134, [0, 0])), Some((source, false)));
        assert_eq!(router(&frame(136, [7, 8])), None);
        assert_eq!(router(&frame(134, [7, 8])[..60]), None);
    }
}
