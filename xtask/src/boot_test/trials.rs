//! `--trials`: what happens to a guest in the world, one after the other in one boot of a station: a wrong
//! password, an access point that goes away and is another network afterwards, WPA3, a hidden network, 802.1X
//! as at universities, files that are wrong, a card that does not answer, or is gone after the host slept,
//! rules that are refused. Its files are written as people write them: the netmask before the address, the
//! control sockets without a network, and for a group of FreeBSD's. After each the guest works again by itself, and in between says on the host what is wrong.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use super::session::Session;
use super::setup::Setup;
use super::station;
use super::watch::{configure, done, joined, pings, reason, share};

/// `net.sh NUMBER FILE`: the access point's side anew, as network NUMBER and with that file of hostapd. What
/// was there before is gone, its name server, too.
const NETWORK: &str = "#!/bin/sh
cd /run/e2e
. ./tools.sh
for file in /run/e2e.hostapd /run/e2e.pid /run/e2e.radvd; do
	[ ! -f \"$file\" ] || kill \"$(cat \"$file\")\" 2>/dev/null
done
[ \"$2\" != none ] || exit 0
sleep 1
rm -f /run/e2e.hostapd /run/e2e.pid /run/e2e.radvd
ip link set lo up
ip addr flush dev wlan1
ip addr add \"192.168.7$1.1/24\" dev wlan1
# The server in the Internet is there in every network, its name server in its own only.
ip addr add 198.51.100.7/32 dev lo 2>/dev/null
ip addr add \"198.51.100.8$1/32\" dev lo 2>/dev/null
for other in 1 2; do
	[ \"$other\" = \"$1\" ] || ip addr del \"198.51.100.8$other/32\" dev lo 2>/dev/null
done
mkdir -p \"www$1\"
echo \"network $1\" >\"www$1/name\"
$(tool httpd) -p \"198.51.100.8$1:53\" -h \"www$1\" 2>/dev/null
sed \"s/192\\\\.168\\\\.77/192.168.7$1/;s/opt dns .*/opt dns 198.51.100.8$1/\" udhcpd.conf >udhcpd-now.conf
: >/run/e2e.leases
hostapd -B -t -P /run/e2e.hostapd \"$2\"
udhcpd -S -a 0 udhcpd-now.conf
";

const OTHERS: [(&str, &str); 4] = [
    (
        "sae.conf",
        "interface=wlan1\ndriver=nl80211\nssid=wifibox-sae\nhw_mode=g\nchannel=1\nwpa=2\nwpa_key_mgmt=SAE\n\
         rsn_pairwise=CCMP\nieee80211w=2\nsae_password=correct horse battery\n",
    ),
    (
        "hidden.conf",
        "interface=wlan1\ndriver=nl80211\nssid=wifibox-hidden\nignore_broadcast_ssid=1\nhw_mode=g\nchannel=1\n\
         wpa=2\nwpa_key_mgmt=WPA-PSK\nrsn_pairwise=CCMP\nwpa_passphrase=correct horse battery\n",
    ),
    (
        "eap.conf",
        "interface=wlan1\ndriver=nl80211\nssid=eduroam\nhw_mode=g\nchannel=1\nwpa=2\nwpa_key_mgmt=WPA-EAP\n\
         rsn_pairwise=CCMP\nieee8021x=1\neap_server=1\neap_user_file=/run/e2e/eap.users\n\
         ca_cert=/run/e2e/ca.pem\nserver_cert=/run/e2e/ca.pem\nprivate_key=/run/e2e/key.pem\n",
    ),
    (
        "eap.users",
        "* PEAP\n\"t\" MSCHAPV2 \"secret\" [2]\n\"someone@example.org\" MSCHAPV2 \"secret\" [2]\n",
    ),
];

/// The commands that the book and wifibox(8) tell people to type in the guest.
const COMMANDS: [&str; 18] = [
    "logread",
    "dmesg",
    "cat /var/log/dmesg",
    "cat /var/log/status",
    "cat /var/log/messages",
    "cat /etc/resolv.conf",
    "wpa_cli status",
    "wpa_cli scan_results",
    "iw dev wlan0 link",
    "iw reg get",
    "iw list",
    "rfkill list",
    "ip addr",
    "ip route",
    "iptables -S",
    "iptables -t nat -L -n -v",
    "free",
    "ls /sys/bus/pci/devices",
];

/// Adds what the trials need to the guest's shares.
pub fn prepare(setup: &Setup) -> Result<(), String> {
    as_people_write(setup)?;
    station::prepare(setup)?;
    Session::put(&setup.exchange, "trials", b"yes\n")?;
    Session::put(&setup.exchange, "net.sh", NETWORK.as_bytes())?;
    for (name, text) in OTHERS {
        Session::put(&setup.exchange, name, text.as_bytes())?;
    }
    let commands = COMMANDS.join("\n") + "\n";
    Session::put(&setup.exchange, "commands", commands.as_bytes())?;
    certificate(setup)
}

/// Files with the same meaning as the samples, in other words.
fn as_people_write(setup: &Setup) -> Result<(), String> {
    let interfaces = "iface eth0 inet static\n  netmask 255.255.255.0\n  address 10.0.0.1\n\
                      iface eth0 inet6 static\n  address fd00::ffff/64\niface wlan0 inet dhcp\n";
    let sockets =
        "sockets=\"path=/var/run/wpa_supplicant/wlan0,user=root,group=0,mode=770,port=1200\"\n";
    Session::put(&setup.config, "interfaces.conf", interfaces.as_bytes())?;
    Session::put(&setup.config, "uds_passthru.conf", sockets.as_bytes())
}

/// A certificate of its own for the 802.1X server, which the station gets in its share.
fn certificate(setup: &Setup) -> Result<(), String> {
    let folder = &setup.exchange;
    let output = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650"])
        .args(["-subj", "/CN=radius.example.org", "-keyout"])
        .arg(folder.join("key.pem"))
        .arg("-out")
        .arg(folder.join("ca.pem"))
        .output()
        .map_err(|error| format!("cannot run openssl: {error}"))?;
    if !output.status.success() {
        return Err(format!("openssl: {}", String::from_utf8_lossy(&output.stderr)));
    }
    let certificate = fs::read(folder.join("ca.pem"))
        .map_err(|error| format!("cannot read the certificate: {error}"))?;
    Session::put(&setup.application, "eduroam.pem", &certificate)
}

/// A network block for wpa_supplicant, with these further lines.
fn join(lines: &str) -> String {
    format!(
        "ctrl_interface=/var/run/wpa_supplicant\nctrl_interface_group=wheel\nupdate_config=1\n\
         p2p_disabled=1\nnetwork={{\n\tscan_freq=2412\n{lines}}}\n"
    )
}

const HOME: &str = "\tssid=\"wifibox-test\"\n\tpsk=\"correct horse battery\"\n";

/// Walks through the trials.
pub fn run(session: &mut Session) -> Result<(), String> {
    station::work(session)?;
    typed(session)?;
    wrong_password(session)?;
    another_network(session)?;
    other_kinds(session)?;
    wrong_file(session)?;
    silent_card(session)?;
    lost_card(session)?;
    refused_rules(session)?;
    session.power_off()
}

/// All of [`COMMANDS`] work and print something.
fn typed(session: &mut Session) -> Result<(), String> {
    let log = session.order(
        "guest",
        "while read -r line; do text=$(sh -lc \"$line\" 2>&1 </dev/null) || echo \"fails: $line: $text\"; \
         [ -n \"$text\" ] || echo \"says nothing: $line\"; done </run/e2e/commands\n",
    )?;
    if !log.is_empty() {
        return Err(format!("what people are told to type: {log}"));
    }
    done(session, "what people are told to type works", &format!("{} commands", COMMANDS.len()));
    Ok(())
}

fn wrong_password(session: &mut Session) -> Result<(), String> {
    configure(session, &join(&HOME.replace("correct", "wrong")))?;
    let text = "the password of the network \"wifibox-test\" is wrong";
    session.wait_console("a wrong password is on the console", &[text])?;
    reason(session, "and in the status", text)?;
    configure(session, &join(HOME))?;
    joined(session, "joined with the right one", "wifibox-test")
}

/// The access point goes away, and is another network when it comes back.
fn another_network(session: &mut Session) -> Result<(), String> {
    session.order("ap", "sh /run/e2e/net.sh 1 none\n")?;
    super::ipv6::no_way_out(session)?;
    reason(
        session,
        "without its access point it says why",
        "no network of wpa_supplicant.conf is in sight",
    )?;
    for number in [1, 2] {
        session.order("ap", &format!("sh /run/e2e/net.sh {number} /run/e2e/hostapd.conf\n"))?;
        let word = format!("network {number}");
        station::asks(
            session,
            "after a change of network the host's next query is answered",
            &word,
        )?;
    }
    Ok(())
}

/// WPA3, a hidden network, 802.1X.
fn other_kinds(session: &mut Session) -> Result<(), String> {
    for (name, file, ssid, lines) in [
        (
            "WPA3-SAE",
            "sae.conf",
            "wifibox-sae",
            "\tssid=\"wifibox-sae\"\n\tkey_mgmt=SAE\n\tieee80211w=2\n\tsae_password=\"correct horse battery\"\n",
        ),
        (
            "a hidden network",
            "hidden.conf",
            "wifibox-hidden",
            "\tssid=\"wifibox-hidden\"\n\tscan_ssid=1\n\tpsk=\"correct horse battery\"\n",
        ),
        (
            "802.1X by PEAP-MSCHAPv2 with the server's certificate in the share",
            "eap.conf",
            "eduroam",
            "\tssid=\"eduroam\"\n\tkey_mgmt=WPA-EAP\n\teap=PEAP\n\tidentity=\"someone@example.org\"\n\
             \tpassword=\"secret\"\n\tphase2=\"auth=MSCHAPV2\"\n\tca_cert=\"/etc/wpa_supplicant/eduroam.pem\"\n",
        ),
    ] {
        session.order("ap", &format!("sh /run/e2e/net.sh 2 /run/e2e/{file}\n"))?;
        configure(session, &join(lines))?;
        joined(session, name, ssid)?;
        pings(session, "and packets go through")?;
    }
    session.order("ap", "sh /run/e2e/net.sh 1 /run/e2e/hostapd.conf\n")?;
    Ok(())
}

/// A file with a mistake: one plain line on the console, no flood, and a start as soon as it is mended.
fn wrong_file(session: &mut Session) -> Result<(), String> {
    configure(session, &join(&HOME.replace("psk=", "pskk=")))?;
    let text = "wpa_supplicant does not run: /etc/wpa_supplicant/wpa_supplicant.conf, line 8: unknown network field 'pskk'";
    session.wait_console("a wrong file is said with its line", &[text])?;
    let before = session.qemu.console_end(usize::MAX).len();
    let end = Instant::now() + Duration::from_secs(15);
    while Instant::now() < end {
        session.advance();
    }
    let lines = session.qemu.console_end(usize::MAX).len() - before;
    if lines > 2 {
        return Err(format!("the console is flooded: {lines} lines in 15 seconds"));
    }
    Session::put(&share(session, "wpa_supplicant"), "wpa_supplicant.conf", join(HOME).as_bytes())?;
    joined(session, "joined once the file is mended, by itself", "wifibox-test")
}

/// Fakes wpa_supplicant's message about a card that does not answer: the guest tries to take the card
/// out. The simulated one is not a PCI card, so it stays and goes on working.
fn silent_card(session: &mut Session) -> Result<(), String> {
    session.order(
        "guest",
        "for number in 1 2 3 4 5 6 7 8 9 10; do\n\
         echo 'wlan0: CTRL-EVENT-SCAN-FAILED ret=-110 retry=1'\ndone >/run/sv/wpa_supplicant.log\n",
    )?;
    session.wait_console(
        "a card that does not answer is taken out",
        &["it is no PCI card, and cannot be taken out"],
    )?;
    pings(session, "and packets go through")
}

/// The card disappears, as when a host sleeps, and comes back.
fn lost_card(session: &mut Session) -> Result<(), String> {
    session.order(
        "guest",
        "kill $(cat /run/e2e.hostapd /run/e2e.pid); sleep 1\n\
         killall -q wpa_supplicant hostapd dhcpcd udhcpc\n\
         ip link set wlan0 down\nrmmod mac80211_hwsim\n",
    )?;
    session.wait_console(
        "the card is gone",
        &["the wireless card is gone", "the wireless card is back"],
    )?;
    session.wait_console("its driver is loaded anew", &["the wireless card is back"])?;
    session.order(
        "guest",
        "until read -r phy </sys/class/net/wlan1/phy80211/name; do sleep 1; done 2>/dev/null\n\
         iw phy \"$phy\" set netns \"$(cat /run/e2e/out/ap.pid)\"\n",
    )?;
    session.order("ap", "sh /run/e2e/net.sh 1 /run/e2e/hostapd.conf\n")?;
    joined(session, "joined again without a restart", "wifibox-test")?;
    pings(session, "and packets go through")
}

/// Rules that iptables refuses: nothing goes through any more; then they are mended.
fn refused_rules(session: &mut Session) -> Result<(), String> {
    let config = share(session, "config");
    let path = config.join("iptables");
    let good =
        fs::read(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    Session::put(&config, "iptables", &[b"*nonsense\n".as_slice(), &good].concat())?;
    let log = session
        .order("guest", "reload-filter; iptables -S; cat /proc/sys/net/ipv4/ip_forward\n")?;
    if !log.contains("-P FORWARD DROP") || log.contains("-A FORWARD") || !log.ends_with("0\n") {
        return Err(format!("refused rules leave the guest open: {log}"));
    }
    session
        .wait_console("refused rules close the filter", &["was refused, the filter is closed"])?;
    Session::put(&config, "iptables", &good)?;
    session.order("guest", "reload-filter\n")?;
    pings(session, "mended, packets go through again")
}
