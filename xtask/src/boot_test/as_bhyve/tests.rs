//! The file says which machine it is, and what QEMU cannot be is refused.

use super::*;

const CONFIG: &str = "\
name=wifibox
cpus=1
memory.size=160M
acpi_tables=true
memory.wired=true
rtc.use_localtime=false
x86.strictmsr=false
x86.vmexit_on_hlt=true
x86.vmexit_on_pause=true
lpc.bootrom=/usr/local/share/uefi-firmware/BHYVE_UEFI.fd
lpc.com1.path=stdio
pci.0.0.0.device=hostbridge
pci.0.4.0.device=virtio-blk
pci.0.4.0.path=/usr/local/share/wifibox/esp.img
pci.0.4.0.ro=true
pci.0.4.1.device=virtio-9p
pci.0.4.1.sharename=config
pci.0.4.1.path=/usr/local/etc/wifibox/appliance
pci.0.5.0.device=e1000
pci.0.5.0.backend=tap0
pci.0.31.0.device=lpc
";

fn machine(text: &str) -> Result<(tempfile::TempDir, Machine), String> {
    machine_of(Board::Pc, text)
}

fn machine_of(board: Board, text: &str) -> Result<(tempfile::TempDir, Machine), String> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("host/bhyve")).unwrap();
    std::fs::write(folder.path().join(FILE), text).unwrap();
    std::fs::write(folder.path().join("esp.img"), "").unwrap();
    let machine = Machine::of_output(board, folder.path())?;
    Ok((folder, machine))
}

fn arguments(machine: &Machine) -> Result<String, String> {
    let shares = ["config", "e2e"].map(|tag| Share::new(tag, format!("/s/{tag}").into(), false));
    let nic = Nic::Datagram { local: "/a".into(), remote: "/b".into() };
    let firmware = ["-bios", "/firmware"].map(str::to_owned);
    let monitor = Path::new("/qmp");
    machine
        .arguments(160, &firmware, Acceleration::Software, &nic, &shares, monitor)
        .map(|list| list.join(" "))
}

#[test]
fn each_device_is_where_the_file_says() {
    let (_folder, machine) = machine(CONFIG).unwrap();
    assert_eq!(machine.memory, 160);
    let line = arguments(&machine).unwrap();
    for part in [
        "-machine q35,",
        "-bios /firmware",
        "virtio-blk-pci,drive=disk4-0,disable-modern=on,disable-legacy=off,addr=04.0,multifunction=on",
        "fsdev=config,mount_tag=config,disable-modern=on,disable-legacy=off,addr=04.1",
        "e1000-82545em,netdev=net,addr=05.0",
        "mount_tag=e2e,disable-modern=on,disable-legacy=off,addr=14.0",
    ] {
        assert!(line.contains(part), "{part}: {line}");
    }
    let expected = machine.expected();
    assert_eq!(expected[..2], ["FreeBSD BHYVE", "0000:00:04.0 1af4:1001"]);
    assert_eq!(expected.len(), 4);
    // Another slot in the file is another slot in the machine.
    let (_folder, moved) = self::machine(&CONFIG.replace("pci.0.5.", "pci.0.9.")).unwrap();
    assert!(arguments(&moved).unwrap().contains("e1000-82545em,netdev=net,addr=09.0"));
}

#[test]
fn on_arm_it_is_another_machine() {
    let kept = |line: &&str| line.starts_with("pci.0.4.") || line.starts_with("pci.0.0.");
    let rest: Vec<&str> = CONFIG.lines().filter(kept).collect();
    let text = format!(
        "name=wifibox\ncpus=1\nmemory.size=160M\nbootrom=/u-boot.bin\nconsole=stdio\n{}\n\
         pci.0.5.0.device=virtio-net\npci.0.5.0.backend=tap0\n",
        rest.join("\n")
    );
    let (_folder, machine) = machine_of(Board::Arm, &text).unwrap();
    let line = arguments(&machine).unwrap();
    for part in [
        "-machine virt,gic-version=3,acpi=off ",
        "virtio-net-pci,netdev=net,disable-modern=on,disable-legacy=off,addr=05.0",
    ] {
        assert!(line.contains(part), "{part}: {line}");
    }
    assert!(!line.contains("ICH9") && !line.contains("-smbios"), "{line}");
    assert_eq!(machine.expected()[0], "0000:00:04.0 1af4:1001");
    let error = machine_of(Board::Arm, CONFIG).err().unwrap();
    assert!(error.contains("console"), "{error}");
}

#[test]
fn what_qemu_cannot_be_is_refused() {
    for (old, new, words) in [
        ("strictmsr=false", "strictmsr=true", "dressed for false"),
        ("lpc.com1", "lpc.com2", "lpc.com1.path"),
        ("acpi_tables=true\n", "", "acpi_tables"),
        ("cpus=1", "cpus=1\nvirtio_msix=false", "with virtio_msix"),
        ("cpus=1", "cpus = 1", "blanks"),
    ] {
        let error = machine(&CONFIG.replace(old, new)).err().unwrap();
        assert!(error.contains(words), "{new}: {error}");
    }
    for (old, new, words) in [
        ("device=e1000\npci.0.5.0.backend=tap0", "device=virtio-rnd", "with virtio-rnd"),
        ("esp.img", "other.img", "other.img is missing"),
        ("sharename=config", "sharename=more", "no share more"),
        ("pci.0.4.0.ro=true", "pci.0.4.0.nocache=true", "with nocache"),
    ] {
        let (_folder, machine) = machine(&CONFIG.replace(old, new)).unwrap();
        let error = arguments(&machine).unwrap_err();
        assert!(error.contains(words), "{new}: {error}");
    }
}

#[test]
fn a_hosts_machine_has_its_own_images_and_folders() {
    let folder = tempfile::tempdir().unwrap();
    let image = folder.path().join("other.img");
    std::fs::write(&image, "").unwrap();
    let file = folder.path().join("machine");
    let own = image.to_str().unwrap();
    std::fs::write(&file, CONFIG.replace("/usr/local/share/wifibox/esp.img", own)).unwrap();
    let machine = Machine::of_host(Board::Pc, &file).unwrap();
    let config = Share::new("config", "/usr/local/etc/wifibox/appliance".into(), false);
    assert_eq!(machine.shares(), [config]);
    assert!(arguments(&machine).unwrap().contains(&format!("file.filename={own}")));
    std::fs::remove_file(&image).unwrap();
    assert!(arguments(&machine).unwrap_err().contains("other.img is missing"));
}
