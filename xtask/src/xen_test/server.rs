//! The world behind the card: a server of one file on this host's loopback, which QEMU's network shows to
//! its machines as 10.0.2.2.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use sha2::{Digest, Sha256};

/// The file's length: some hundred packets in full size.
const LENGTH: usize = 300_000;

/// A server of the same file that runs until the process ends.
pub struct Server {
    port: u16,
    file: Arc<Vec<u8>>,
    served: Arc<AtomicUsize>,
}

impl Server {
    /// Listens on its own port.
    pub fn start() -> Result<Self, String> {
        let failed = |error: std::io::Error| format!("cannot listen on the loopback: {error}");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(failed)?;
        let port = listener.local_addr().map_err(failed)?.port();
        let file = Arc::new(noise());
        let served = Arc::new(AtomicUsize::new(0));
        let server = Self { port, file: Arc::clone(&file), served: Arc::clone(&served) };
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // Who hangs up early asks again.
                if answer(stream, &file).is_ok() {
                    served.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
        Ok(server)
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// How often it was served whole.
    pub fn served(&self) -> usize {
        self.served.load(Ordering::Relaxed)
    }

    /// Its SHA-256, as sha256sum prints it.
    pub fn sha256(&self) -> String {
        Sha256::digest(self.file.as_slice()).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// What `line` shows, which has the SHA-256 of what somebody fetched: that it is this file, and from here.
    pub fn delivered(&self, line: &str) -> Result<String, String> {
        let sha256 = self.sha256();
        if !line.contains(&sha256) || self.served() == 0 {
            return Err(format!("the file {sha256} did not arrive: {line}"));
        }
        Ok(format!("{} bytes, identical", self.file.len()))
    }
}

/// Answers any request with the file.
fn answer(mut stream: TcpStream, file: &[u8]) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    let mut request = Vec::new();
    let mut part = [0; 512];
    while !request.ends_with(b"\r\n\r\n") && request.len() < 8192 {
        match stream.read(&mut part)? {
            0 => break,
            length => request.extend(part.iter().take(length)),
        }
    }
    write!(stream, "HTTP/1.0 200 OK\r\nContent-Length: {}\r\n\r\n", file.len())?;
    stream.write_all(file)
}

/// Bytes that do not compress, from a xorshift generator.
fn noise() -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut bytes = Vec::with_capacity(LENGTH + 8);
    while bytes.len() < LENGTH {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend(state.to_le_bytes());
    }
    bytes.truncate(LENGTH);
    bytes
}
