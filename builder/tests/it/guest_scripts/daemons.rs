//! Services: their configuration, how they start again, and what is said when they do not.

use super::*;

#[test]
fn groups_that_the_guest_lacks_are_made() {
    let guest = Guest::new(STATION);
    let file = "ctrl_interface=DIR=/run/wpa GROUP=netdev\r\nctrl_interface_group=wheel\n\
                ctrl_interface_group=0\nctrl_interface_group=staff";
    guest.put("media/etc/conf", file);
    guest.run("file=/media/etc/conf; . /etc/wifibox/groups; need_groups $file");
    assert_eq!(
        guest.read("run/wifibox/group"),
        "root:x:0:\nwheel:x:10:\nnogroup:x:65534:\nnetdev:x:60001:\nstaff:x:60001:\n"
    );
    assert_eq!(guest.console().len(), 2);
}

#[test]
fn the_recipes_guests_have_the_group_of_freebsds_sample() {
    let recipe = Path::new(env!("CARGO_MANIFEST_DIR")).join("../recipes/guest.yaml");
    let text = fs::read_to_string(recipe).unwrap();
    assert!(text.contains("{ name: wheel, gid: 10 }"));
}

/// The parameters of socat with which uds_passthru starts, given this file.
fn passed_on(text: &str) -> String {
    let guest = Guest::new(STATION);
    guest.put("media/etc/uds_passthru.conf", text);
    let script = guest
        .read("etc/sv/uds_passthru")
        .replace("until [ -S \"$1\" ]; do sleep 1; done", "")
        .replace("sleep 2", "exit")
        .replace("ip -4 addr show dev eth0", "eth0");
    let stubs = "eth0() { printf '2: eth0: <UP>\\n    inet 10.0.0.1/24 scope global eth0\\n'; }\n\
                 socat() { echo \"$*\"; }\n";
    let text = guest.run(&(stubs.to_owned() + &script));
    assert!(guest.console().is_empty(), "{:?}", guest.console());
    text
}

#[test]
fn control_sockets_take_the_network_of_eth0_where_none_is_named() {
    let socket =
        "sockets=\"path=/var/run/wpa_supplicant/wlan0,user=root,group=0,mode=770,port=1200\"";
    let expected = "TCP4-LISTEN:1200,bind=10.0.0.1,so-bindtodevice=eth0,range=";
    for (text, range) in [
        (format!("{socket}\n"), "10.0.0.1/24,"),
        (format!("network=10.0.0.1:255.255.255.0\r\n{socket}\r\n"), "10.0.0.1:255.255.255.0,"),
    ] {
        let started = passed_on(&text);
        assert!(started.contains(&format!("{expected}{range}")), "{started}");
    }
}

#[test]
fn the_last_entry_of_forwarding_conf_counts_also_without_an_end() {
    let guest = Guest::new(STATION);
    guest.put(
        "media/etc/forwarding.conf",
        "# comment\nUDP4-RECV:1 UDP4:10.0.0.2:1 # why\r\nA B\nodd\nC D",
    );
    let script = guest.read("etc/sv/forwarding").replace("sleep 2", "exit");
    let mut lines: Vec<String> = guest
        .run(&format!("socat() {{ echo \"$*\"; }}\n{script}"))
        .lines()
        .map(str::to_owned)
        .collect();
    lines.sort();
    assert_eq!(lines, ["-ly A B", "-ly C D", "-ly UDP4-RECV:1 UDP4:10.0.0.2:1"]);
    assert_eq!(guest.console().len(), 1, "{:?}", guest.console());
}

#[test]
fn a_wrong_file_and_a_wrong_password_are_said_in_one_line() {
    let guest = Guest::new(STATION);
    let said = "Successfully initialized wpa_supplicant\nLine 4: Invalid passphrase length 3 (expected: 8..63) 'secret\"'.\n\
                Line 4: failed to parse psk '\"secret\"'.\nLine 5: unknown network field 'pskk'.\n\
                Line 6: failed to parse network block.\n\
                wlan0: CTRL-EVENT-SSID-TEMP-DISABLED id=0 ssid=\"home\" auth_failures=1 duration=10 reason=WRONG_KEY\n\
                wlan0: CTRL-EVENT-SSID-TEMP-DISABLED id=0 ssid=\"home\" auth_failures=2 duration=20 reason=WRONG_KEY\n";
    guest.put("run/said", said);
    let log = guest.run(". /etc/wifibox/hear; hear wpa_supplicant /etc/w.conf </run/said");
    assert!(!log.contains("secret"), "{log}");
    assert!(log.contains("failed to parse psk\n") && log.contains("field 'pskk'.\n"), "{log}");
    assert!(
        guest
            .read("run/sv/wpa_supplicant.reason")
            .starts_with("/etc/w.conf, line 4: Invalid passphrase")
    );
    assert_eq!(guest.console(), ["the password of the network \"home\" is wrong"]);
    guest.run("explain wpa_supplicant /etc/w.conf; explain wpa_supplicant /etc/w.conf");
    assert_eq!(guest.console().len(), 2, "said once: {:?}", guest.console());
    assert!(guest.console()[1].contains("/etc/w.conf, line 4"), "{:?}", guest.console());
}

#[test]
fn a_daemons_last_word_in_the_log_is_its_reason() {
    let guest = Guest::new(STATION);
    guest.put(
        "var/log/messages",
        "Nov 28 17:00:01 box daemon.info radvd[7]: version 2.19 started\n\
         Nov 28 17:00:01 box daemon.err radvd[7]: /tmp/radvd.conf:5 error: syntax error\n\
         Nov 28 17:00:01 box daemon.err radvd[7]: exiting, failed to read config file\n\
         Nov 28 17:00:01 box daemon.err udhcpd[9]: bad\n",
    );
    guest.run("explain radvd /media/etc/radvd.conf");
    assert!(
        guest.console()[0]
            .starts_with("radvd does not run: /media/etc/radvd.conf:5 error: syntax error"),
        "{:?}",
        guest.console()
    );
}

/// How long a service waits that died young so often, in seconds (sleeping is skipped).
fn delay(young: u32, change: Option<&str>) -> u32 {
    let guest = Guest::new(STATION);
    guest.put("media/etc/file", "");
    guest.put("run/sv/name", &format!("999999 99 {young} 4\n"));
    guest.put("run/sv/name.read", "");
    let change = change.map_or(":".to_owned(), |date| format!("touch -d {date} /media/etc/file"));
    guest.run(&format!(
        "touch -r /media/etc/file /run/sv/name.read\n\
         sleep() {{ echo z >>/run/slept; {change}; }}; service name /media/etc/file"
    ));
    assert!(guest.read("run/sv/name").ends_with(&format!(" {} 5\n", young + 1)));
    fs::read_to_string(guest.path("run/slept")).unwrap().lines().count() as u32
}

#[test]
fn delays_grow_and_end_when_the_file_is_changed() {
    assert_eq!(
        [0, 1, 2, 3, 5, 6, 50].map(|young| delay(young, None)),
        [3, 6, 12, 24, 96, 300, 300]
    );
    // Something new, or what was there before.
    assert_eq!(delay(50, Some("2050-01-01")), 1);
    assert_eq!(delay(50, Some("2020-01-01")), 1);
}

#[test]
fn a_service_whose_fault_was_said_still_knows_its_file() {
    let guest = Guest::new(&[STATION, &["access-point/root", "mdns/root"]].concat());
    for (name, file, daemon) in [
        ("wpa_supplicant", "etc/wpa_supplicant/wpa_supplicant.conf", "wpa_supplicant"),
        ("hostapd", "etc/hostapd/hostapd.conf", "hostapd"),
        ("uds_passthru", "media/etc/uds_passthru.conf", "socat"),
        ("forwarding", "media/etc/forwarding.conf", "socat"),
        ("mdns", "media/etc/mdnsd-services.conf", "avahi-daemon"),
    ] {
        guest.put(file, "network=10.0.0.1:24 sockets=path=/run/x,port=1");
        // It died young twice, which is said before the third start.
        guest.put(&format!("run/sv/{name}"), "999999 99 1 4\n");
        guest.put(&format!("run/sv/{name}.reason"), "it says why\n");
        let started = guest.path("started");
        guest.program(daemon, &format!("echo \"$0 $*\" >>{}", started.display()));
        let script = guest
            .read(&format!("etc/sv/{name}"))
            .replace("until [ -S \"$1\" ]; do sleep 1; done", "")
            .replace("sleep 2", "exit");
        // Nothing waits here: who would wait for long gives up.
        let stubs = "n=0; sleep() { n=$((n + 1)); [ $n -lt 30 ] || exit 0; }\n\
                     mkfifo() { : >\"$1\"; }; logger() { cat; }\n";
        guest.run(&format!("{stubs}{script}"));
        assert!(started.is_file(), "{name} waits for ever: {:?}", guest.console());
        fs::remove_file(started).unwrap();
    }
}

#[test]
fn what_a_killed_service_has_started_goes_with_it() {
    let guest = Guest::new(STATION);
    let body = guest.here();
    let script = format!(
        ". {body}/etc/wifibox/functions\nservice name\nsleep 600 &\necho $! >{body}/child.new\n\
         mv {body}/child.new {body}/child\nwait\n"
    );
    let pid_of = |path: &Path| -> u32 {
        let end = Instant::now() + Duration::from_secs(10);
        loop {
            let text = fs::read_to_string(path).unwrap_or_default();
            if let Some(pid) = text.split_whitespace().next().and_then(|word| word.parse().ok()) {
                return pid;
            }
            assert!(Instant::now() < end, "no {}", path.display());
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    let start = || {
        use std::os::unix::process::CommandExt;
        // As init does it.
        shell().arg("-c").arg(&script).process_group(0).spawn().unwrap()
    };
    let mut first = start();
    let orphan = pid_of(&guest.path("child"));
    first.kill().unwrap();
    first.wait().unwrap();
    fs::remove_file(guest.path("child")).unwrap();
    guest.put("proc/uptime", "200.00 90.00\n");
    let mut second = start();
    let child = pid_of(&guest.path("child"));
    let dead = |pid: u32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.is_empty() || stat.contains(") Z ")
    };
    let end = Instant::now() + Duration::from_secs(5);
    while !dead(orphan) && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(20));
    }
    let survived = !dead(orphan);
    for pid in [second.id(), child, orphan] {
        // One that is dead cannot be killed.
        let _ = wifibox_testkit::kill("KILL", pid);
    }
    second.wait().unwrap();
    assert!(!survived, "the child of a killed service lives on");
}
