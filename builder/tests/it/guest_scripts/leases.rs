//! Leases of the networks, and the host's share of them: DHCP, name service, router advertisements.

use super::*;

const TEMPLATE: &str = "# comment\ninterface\teth0\nopt\tsubnet\t255.255.255.0\nopt\tdns\t%%DNS%%\n\
                        opt\tdomain\t%%DOMAIN%% # theirs\nopt\trouter\t10.0.0.1";

/// /run/wifibox/udhcpd.conf after a network has told this.
fn told(template: &str, dns: &str, domain: &str, address: bool) -> (String, Guest) {
    let guest = Guest::new(STATION);
    guest.put("media/etc/udhcpd.conf", template);
    guest.put("run/wifibox/dhcp", "wlan0\n");
    if address {
        guest.put("run/wifibox/address.eth0", "10.0.0.1\n");
    }
    guest.run(&format!(". /etc/wifibox/propagate; note wlan0.4 '{dns}' '{domain}' ''; propagate"));
    (guest.read("run/wifibox/udhcpd.conf"), guest)
}

#[test]
fn the_last_line_counts_also_without_an_end() {
    for template in [TEMPLATE.to_owned(), TEMPLATE.replace('\n', "\r\n")] {
        let (text, guest) = told(&template, "192.0.2.1", "lab.example", true);
        // Comments leave empty lines, so that the numbers of lines stay.
        assert_eq!(
            text,
            "\ninterface\teth0\nopt\tsubnet\t255.255.255.0\nopt\tdns\t10.0.0.1\n\
             opt\tdomain\tlab.example\nopt\trouter\t10.0.0.1\n"
        );
        let script = guest.read("etc/sv/udhcpd").replace("exec udhcpd", "exec true");
        guest.run(&script);
        let last = guest.read("run/sv/udhcpd.conf");
        assert!(last.contains("router\t10.0.0.1\nlease_file "), "{last:?}");
    }
}

#[test]
fn the_guest_is_the_hosts_name_server_and_asks_that_of_each_network() {
    let (text, guest) = told(TEMPLATE, "192.0.2.1 192.0.2.2", "", true);
    assert!(text.contains("opt\tdns\t10.0.0.1 192.0.2.2\n"), "{text}");
    guest.run(". /etc/wifibox/propagate; note wlan0.4 '198.51.100.1' '' ''; propagate");
    let text = guest.read("filter");
    let targets: Vec<&str> = text
        .lines()
        .filter(|line| line.contains("-p udp"))
        .filter_map(|line| line.rsplit(' ').next())
        .collect();
    assert_eq!(targets, ["192.0.2.1", "198.51.100.1"]);
    // Whatever the host had asked there, the chain is made anew.
    assert_eq!(text.matches("iptables-restore -n\n*nat\n:WIFIBOX-DNS - [0:0]\n").count(), 2);
    // Out of the network there is nobody to ask.
    guest.run(". /etc/wifibox/propagate; forget wlan0.4; propagate");
    assert!(guest.read("filter").ends_with("*nat\n:WIFIBOX-DNS - [0:0]\nCOMMIT\n--\niptables -t nat -C PREROUTING -i eth0 -d 10.0.0.1 -j WIFIBOX-DNS\n\n--\n"), "{}", guest.read("filter"));
}

#[test]
fn without_an_address_of_its_own_it_names_the_networks_servers() {
    let (text, _) = told(TEMPLATE, "192.0.2.1 192.0.2.2", "", false);
    assert!(text.contains("opt\tdns\t192.0.2.1 192.0.2.2\n"), "{text}");
}

#[test]
fn a_hostile_networks_words_stay_out() {
    let (text, guest) = told(TEMPLATE, "192.0.2.1;reboot", "x/;w /etc/passwd", true);
    assert!(!text.contains("passwd") && !text.contains("reboot"), "{text}");
    assert!(!guest.read("filter").contains("reboot"));
}

#[test]
fn ipv6_is_announced_as_far_as_it_leads() {
    const RADVD: &str = "interface eth0\n{\n\tAdvSendAdvert on;\n\tAdvManagedFlag on;\n\
                         \tRDNSS %%DNS%% {\n\t};\n};\n";
    let guest = Guest::new(STATION);
    guest.put("media/etc/radvd.conf", RADVD);
    guest.put("run/wifibox/dhcp", "wlan0\n");
    let zero = "0".repeat(32);
    guest.put(
        "proc/net/ipv6_route",
        &format!("{zero} 00 {zero} 00 {zero} ffffffff 1 0 00200200 lo\n"),
    );
    guest.run(". /etc/wifibox/propagate; recall; fill_radvd");
    let text = guest.read("run/wifibox/radvd.conf");
    assert!(text.contains("AdvSendAdvert on;AdvDefaultLifetime 0;"), "{text}");
    assert!(!text.contains("Managed") && !text.contains("RDNSS"), "{text}");
    let router = format!("fe80{}1", "0".repeat(27));
    guest.put(
        "proc/net/ipv6_route",
        &format!("{zero} 00 {zero} 00 {router} 00000400 1 0 00000003    wlan0\n"),
    );
    guest.run(". /etc/wifibox/propagate; note wlan0.ra 2001:db8::1 '' ''; recall; fill_radvd");
    let text = guest.read("run/wifibox/radvd.conf");
    assert!(!text.contains("DefaultLifetime"), "{text}");
    assert!(text.contains("RDNSS 2001:db8::1 {"), "{text}");
}

#[test]
fn what_a_router_repeats_is_said_once() {
    let guest = Guest::new(&[STATION, &["ipv6/root", "ipv6-station/root"]].concat());
    let script = guest.read("etc/wifibox/dhcpcd.script");
    let zero = "0".repeat(32);
    let route = format!("{zero} 00 {zero} 00 fe80{} 00000400 1 0 00000003 wlan0\n", "0".repeat(28));
    let hook = |reason: &str, servers: &str, route: &str| {
        guest.put("proc/net/ipv6_route", route);
        guest.run(&format!(
            "interface=wlan0 reason={reason} nd1_rdnss1_servers={servers}\n({script}\n)\n:"
        ));
        guest.console().len()
    };
    assert_eq!(hook("ROUTERADVERT", "2001:db8::1", ""), 1);
    assert_eq!(hook("ROUTERADVERT", "2001:db8::1", ""), 1);
    // The way out, which comes a moment later; another name server; another network.
    assert_eq!(hook("ROUTERADVERT", "2001:db8::1", &route), 2);
    assert_eq!(hook("ROUTERADVERT", "2001:db8::1", &route), 2);
    assert_eq!(hook("ROUTERADVERT", "2001:db8::2", &route), 3);
    assert_eq!(hook("NOCARRIER", "", ""), 4);
    assert!(!guest.path("run/wifibox/net/wlan0.ra").exists());
    assert_eq!(hook("ROUTERADVERT", "2001:db8::2", &route), 5);
}

#[test]
fn leases_are_short_until_the_network_has_told() {
    let (text, _) = told(&(TEMPLATE.to_owned() + "\nopt lease 3600"), "", "", true);
    assert!(
        text.ends_with("opt\tdns\t10.0.0.1\n\nopt\trouter\t10.0.0.1\nopt lease 20\nmin_lease 20\n"),
        "{text}"
    );
}
