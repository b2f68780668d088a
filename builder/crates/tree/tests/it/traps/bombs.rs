//! What costs memory or time where nothing bounds it. Each runs in a process of its own: it is refused by name within
//! 64 MiB and 5 seconds of processor time.

use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::path::Path;
use std::process::Command;

use wifibox_formats::{PackageFormat, apk, dpkg_index, opkg};
use wifibox_ground::codec::{Compression, Limits};
use wifibox_testkit::adbwriter::{Packing, pack as pack_adb};
use wifibox_testkit::rawtar::{gzip, tar};
use wifibox_testkit::tarball::{ar, pack};

use super::packages::control;
use super::{file, install};

/// As much as a bomb holds, unpacked.
const UNPACKED: u64 = 100 << 30;
/// Of it one piece, which is packed once.
const PIECE: usize = 16 << 20;
const MEMORY: u64 = 64 << 20;
const SECONDS: u64 = 5;
/// Which bomb this process is for, and the folder with what was packed for all of them: packing takes memory, too.
const CHOSEN: [&str; 2] = ["WIFIBOX_TRAP", "WIFIBOX_TRAP_FOLDER"];

/// A file: some bytes, a piece many times, some bytes.
struct Repeated {
    head: Vec<u8>,
    piece: Vec<u8>,
    times: u64,
    tail: Vec<u8>,
    at: u64,
}

impl Repeated {
    fn new(head: Vec<u8>, piece: Vec<u8>, times: u64) -> Self {
        Repeated { head, piece, times, tail: Vec::new(), at: 0 }
    }

    fn middle(&self) -> u64 {
        self.piece.len() as u64 * self.times
    }

    fn length(&self) -> u64 {
        self.head.len() as u64 + self.middle() + self.tail.len() as u64
    }

    fn rest(&self) -> &[u8] {
        let head = self.head.len() as u64;
        let (part, at) = match self.at.checked_sub(head) {
            None => (&self.head, self.at),
            Some(at) if at < self.middle() => (&self.piece, at % self.piece.len() as u64),
            Some(at) => (&self.tail, at - self.middle()),
        };
        part.get(usize::try_from(at).unwrap()..).unwrap_or_default()
    }
}

impl Read for Repeated {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let rest = self.rest();
        let count = rest.len().min(buf.len());
        buf[..count].copy_from_slice(&rest[..count]);
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for Repeated {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.at = match to {
            SeekFrom::Start(at) => at,
            SeekFrom::End(back) => self.length().checked_add_signed(back).unwrap(),
            SeekFrom::Current(by) => self.at.checked_add_signed(by).unwrap(),
        };
        Ok(self.at)
    }
}

/// What is packed before, by name.
fn prepare(folder: &Path) {
    let write = |name: &str, bytes: Vec<u8>| std::fs::write(folder.join(name), bytes).unwrap();
    for codec in CODECS {
        write(&format!("zeros {codec}"), pack(codec, &vec![0; PIECE]));
        write(&format!("endless {codec}"), pack(codec, &endless_file()));
    }
    let adb = [&b"ADB.pckg"[..], &vec![0; 8 * PIECE]].concat();
    write("adb deflate", pack_adb(Packing::Deflate, &adb));
    write("adb zstd", pack_adb(Packing::Named(2, 3), &adb));
}

fn prepared(name: &str) -> Vec<u8> {
    let folder = std::env::var_os(CHOSEN[1]).unwrap();
    std::fs::read(Path::new(&folder).join(name)).unwrap()
}

/// 100 GB of zeros, packed: so many streams, one behind the other.
fn zeros(compression: Compression) -> (Vec<u8>, u64) {
    (prepared(&format!("zeros {compression}")), UNPACKED / PIECE as u64)
}

/// An `ar` archive whose last member is the piece many times.
fn in_ar(members: &[(&str, Vec<u8>)], name: &str, piece: Vec<u8>, times: u64) -> Repeated {
    let member = |(name, bytes): &(&str, Vec<u8>)| ((*name).to_owned(), bytes.clone());
    let mut head = ar(&members.iter().map(member).collect::<Vec<_>>());
    let size = piece.len() as u64 * times;
    head.extend(format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{size:<10}`\n", 0, 0, 0, 100_644).bytes());
    Repeated::new(head, piece, times)
}

/// A header of tar that says 100 GB.
fn endless_file() -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    header.set_path("endless").unwrap();
    header.set_mode(0o644);
    header.set_size(UNPACKED);
    header.set_cksum();
    header.as_bytes().to_vec()
}

/// A million members, all alike.
fn million(format: PackageFormat) -> Repeated {
    let member = tar(&[file("same")], false);
    let (deb, ipk) = ("data.tar", "data.tar.gz");
    let version = ("debian-binary", b"2.0\n".to_vec());
    // Of many equal members a gzip stream is short.
    let many = gzip(&member.repeat(1000));
    match format {
        PackageFormat::Deb => in_ar(&[version, ("control.tar", control())], deb, member, 1_000_000),
        PackageFormat::Ipk => {
            in_ar(&[version, ("control.tar.gz", gzip(&control()))], ipk, many, 1000)
        }
        _ => Repeated::new(apk_control(), many, 1000),
    }
}

/// The first gzip member of an `.apk`.
fn apk_control() -> Vec<u8> {
    let info = format!("pkgname = trap\npkgver = 1\ndatahash = {}\n", "0".repeat(64));
    let mut info_file = file(".PKGINFO");
    info_file.content = info.into_bytes();
    gzip(&tar(&[info_file], false))
}

const CODECS: [Compression; 3] = [Compression::Gzip, Compression::Xz, Compression::Zstd];

fn installed(format: PackageFormat, input: Repeated) -> String {
    install(format, input).expect_err("it is refused")
}

/// Reads an index of Debian.
fn index(compression: Compression) -> String {
    let (piece, times) = zeros(compression);
    let input = Repeated::new(Vec::new(), piece, times);
    let limits = Limits { size: 2 << 30, ..Limits::default() };
    let reader = compression.reader(input, limits).unwrap();
    dpkg_index::parse(io::BufReader::new(reader)).expect_err("it is refused").to_string()
}

/// A bomb by its name: the error.
fn explode(name: &str) -> String {
    let (kind, detail) = name.split_once(' ').unwrap();
    let version = ("debian-binary", b"2.0\n".to_vec());
    let codec = CODECS.into_iter().find(|codec| codec.to_string() == detail);
    let suffix = codec.map_or("", Compression::suffix);
    let format = match detail {
        "apk" => PackageFormat::Apk,
        "ipk" => PackageFormat::Ipk,
        _ => PackageFormat::Deb,
    };
    match kind {
        "members" => installed(format, million(format)),
        "index" => index(codec.unwrap()),
        "control" => {
            let (piece, times) = zeros(codec.unwrap());
            installed(format, in_ar(&[version], &format!("control.tar{suffix}"), piece, times))
        }
        "data" => {
            let (piece, times) = zeros(codec.unwrap());
            let control = ("control.tar", control());
            installed(
                format,
                in_ar(&[version, control], &format!("data.tar{suffix}"), piece, times),
            )
        }
        "file" => {
            let (piece, times) = zeros(codec.unwrap());
            let head = prepared(&format!("endless {detail}"));
            let mut input = in_ar(
                &[version, ("control.tar", control())],
                &format!("data.tar{suffix}"),
                piece,
                times,
            );
            let at = input.head.len();
            input.head.extend_from_slice(&head);
            let size = format!("{:<10}", input.length() - at as u64);
            input.head[at - 12..at - 2].copy_from_slice(size.as_bytes());
            installed(format, input)
        }
        _ => explode_others(kind, detail),
    }
}

/// Those of other formats.
fn explode_others(kind: &str, detail: &str) -> String {
    let (piece, _) = zeros(Compression::Gzip);
    let none = apk::signature::Trust { keyring: &apk::Keyring::default(), pinned: &[] };
    match (kind, detail) {
        ("apk", "index") => {
            let bytes = piece.repeat(40);
            let read = apk::index::read_unsigned_records("trap", &bytes);
            assert!(apk::index::read_signed("trap", &bytes, &none).is_err());
            read.expect_err("it is refused").to_string()
        }
        ("apk", "control") => installed(PackageFormat::Apk, Repeated::new(Vec::new(), piece, 40)),
        ("apk", "data") => installed(PackageFormat::Apk, Repeated::new(apk_control(), piece, 3200)),
        ("opkg", "index") => {
            let trust = opkg::Trust { keyring: &opkg::Keyring::default(), pinned: &[] };
            let read = opkg::read_signed("trap", &piece.repeat(40), Some(b"x"), &trust);
            read.expect_err("it is refused").to_string()
        }
        ("adb", "deflate" | "zstd") => {
            let bytes = prepared(&format!("adb {detail}"));
            let error = install(PackageFormat::Apk3, Cursor::new(bytes));
            error.expect_err("it is refused")
        }
        other => panic!("no bomb {other:?}"),
    }
}

const BOMBS: [&str; 21] = [
    "members deb",
    "members apk",
    "members ipk",
    "index gzip",
    "index xz",
    "index zstd",
    "control gzip",
    "control xz",
    "control zstd",
    "data gzip",
    "data xz",
    "data zstd",
    "file gzip",
    "file xz",
    "file zstd",
    "apk index",
    "apk control",
    "apk data",
    "opkg index",
    "adb deflate",
    "adb zstd",
];

/// A line of proc(5) that begins so, in its number.
fn own(file: &str, key: &str) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/self/{file}")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(key))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

/// Does nothing but in the process that the other test starts.
#[test]
#[allow(clippy::print_stdout)]
fn one_bomb() {
    let Ok(name) = std::env::var(CHOSEN[0]) else { return };
    println!("refused: {}", explode(&name));
    println!("KiB: {}", own("status", "VmHWM:").unwrap_or(0));
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: u64 =
        fields.split_ascii_whitespace().skip(11).take(2).map(|n| n.parse().unwrap_or(0)).sum();
    println!("ticks: {ticks}");
}

#[test]
fn bombs_are_refused_within_64_mib_and_5_seconds() {
    let folder = tempfile::tempdir().unwrap();
    prepare(folder.path());
    let mut faults = Vec::new();
    for name in BOMBS {
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "traps::bombs::one_bomb", "--nocapture", "--test-threads=1"])
            .env(CHOSEN[0], name)
            .env(CHOSEN[1], folder.path())
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let value = |key: &str| {
            text.lines().find_map(|line| line.split_once(key)).map(|(_, rest)| rest.to_owned())
        };
        let number = |key: &str| value(key).and_then(|value| value.trim().parse::<u64>().ok());
        let (memory, ticks) =
            (number("KiB: ").unwrap_or(u64::MAX), number("ticks: ").unwrap_or(u64::MAX));
        let said = value("refused: ").unwrap_or_default();
        let named = said.contains("trap") || name.starts_with("index");
        if !named || memory > MEMORY >> 10 || ticks > SECONDS * 100 {
            let error = String::from_utf8_lossy(&output.stderr);
            faults.push(format!(
                "{name}: {memory} KiB, {ticks} hundredths of a second: {said}\n{error}"
            ));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
