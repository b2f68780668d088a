//! interfaces.conf, as people write it.

use super::*;

const ADDRESS: [&str; 2] =
    ["ip link set dev eth0 up", "ip addr add 10.0.0.1/255.255.255.0 dev eth0"];

#[test]
fn the_netmask_may_come_first() {
    let guest = Guest::new(STATION);
    let (calls, dhcp) = guest.interfaces(
        "iface eth0 inet static\n  netmask 255.255.255.0\n  address 10.0.0.1\niface wlan0 inet dhcp\n",
    );
    assert_eq!(calls[..2], ADDRESS);
    assert_eq!(dhcp, "wlan0\n");
    assert!(guest.console().is_empty(), "{:?}", guest.console());
}

#[test]
fn line_ends_and_comments_are_as_people_write_them() {
    let guest = Guest::new(STATION);
    let (calls, dhcp) = guest.interfaces(
        "auto eth0 wlan0 # both\r\niface eth0 inet static # the host\r\n\taddress 10.0.0.1 # ours\r\n\
         \tnetmask 255.255.255.0\t# small\r\n\tup echo '#1' >/dev/null\r\niface wlan0 inet dhcp",
    );
    assert_eq!(calls[..2], ADDRESS);
    assert_eq!(dhcp, "wlan0\n");
    assert!(guest.console().is_empty(), "{:?}", guest.console());
}

#[test]
fn stanzas_inherit_and_files_are_sourced() {
    let guest = Guest::new(STATION);
    guest.put("media/etc/more/1.conf", "iface wlan0\n\tuse dhcp\n\tmtu 1400");
    let (calls, dhcp) = guest.interfaces(
        "template host\n\taddress 10.0.0.1\n\tnetmask 255.255.255.0\niface eth0 inherits host\n\
         source more/*.conf\niface eth0\n\tgateway 10.0.0.9\n",
    );
    assert_eq!(
        calls,
        [
            ADDRESS[0],
            ADDRESS[1],
            "ip route add default via 10.0.0.9 dev eth0",
            "ip link set dev wlan0 mtu 1400 up",
        ]
    );
    assert_eq!(dhcp, "wlan0\n");
    assert!(guest.console().is_empty(), "{:?}", guest.console());
}

#[test]
fn any_interface_may_ask_for_an_address() {
    let guest = Guest::new(STATION);
    let (_, dhcp) = guest.interfaces(
        "auto lan7\niface eth0 inet dhcp\niface wlan0 inet dhcp\niface wlan0 inet6 auto\n",
    );
    assert_eq!(dhcp, "eth0\nwlan0\n");
}

#[test]
fn what_is_not_understood_is_said() {
    let guest = Guest::new(STATION);
    guest.interfaces(
        "adress 1.2.3.4\niface eth0 inet static\n\taddress 10.0.0.1/24\n\tadress 10.0.0.2\n\
         \twpa-ssid x\niface wlan0 inet ppp\niface wlan0 inet6 dhcp\nsource nothing.conf\n",
    );
    assert_eq!(
        guest.console(),
        [
            "interfaces.conf: 'adress 1.2.3.4' is not understood",
            "interfaces.conf: 'ppp' of the interface wlan0 is not understood",
            "interfaces.conf: there is no 'nothing.conf' on the share",
            "interfaces.conf, eth0: 'adress 10.0.0.2' is not understood",
            "interfaces.conf, eth0: 'wpa-ssid x' is not understood",
            "interfaces.conf, wlan0: DHCP for IPv6 takes a guest with the feature ipv6",
        ]
    );
}

#[test]
fn static_name_servers_reach_the_host() {
    let guest = Guest::new(STATION);
    guest.put("media/etc/udhcpd.conf", "interface eth0\nopt dns %%DNS%% 8.8.8.8");
    guest.interfaces(
        "iface eth0 inet static\n  address 10.0.0.1/24\niface wlan0 inet static\n  \
         address 192.0.2.7/24\n  dns-nameservers 192.0.2.1 192.0.2.2 # ours\n  dns-search lab.example\n",
    );
    assert_eq!(
        guest.read("tmp/resolv.conf"),
        "search lab.example\nnameserver 192.0.2.1\nnameserver 192.0.2.2\n"
    );
    assert!(guest.read("run/wifibox/udhcpd.conf").contains("opt dns 10.0.0.1 192.0.2.2 8.8.8.8\n"));
    assert!(guest.read("filter").contains("--dport 53 -j DNAT --to-destination 192.0.2.1"));
}

#[test]
fn commands_run_in_their_phase_with_the_interface_named() {
    let guest = Guest::new(STATION);
    let (calls, _) = guest.interfaces(
        "iface eth0 inet static\n  address 10.9.0.1/16\n  mtu 1400\n  hwaddress ether 02:00:00:00:00:01\n  \
         post-up ip after   $IFACE\n  pre-up ip before | cat\n  down echo bye\n  up false\n",
    );
    assert_eq!(
        calls,
        [
            "ip before",
            "ip link set dev eth0 mtu 1400 address 02:00:00:00:00:01 up",
            "ip addr add 10.9.0.1/16 dev eth0",
            "ip after eth0",
        ]
    );
    assert_eq!(guest.console(), ["interfaces.conf, eth0: 'false' failed"]);
    assert_eq!(guest.read("run/wifibox/down"), "IFACE=eth0\necho bye\n");
}

#[test]
fn interfaces_that_nobody_names_stay_down() {
    let guest = Guest::new(STATION);
    let (calls, _) = guest.interfaces("iface eth1 inet static\n  address 10.1.0.1/24\n");
    assert!(calls.is_empty(), "{calls:?}");
}

#[test]
fn stanzas_of_one_interface_add_up() {
    let guest = Guest::new(STATION);
    let (calls, _) = guest.interfaces(
        "iface eth0 inet static\n\tgateway 10.0.0.1\n\taddress 10.0.0.2/24\niface eth0 inet6 static\n  \
         address fd00::ffff/64\n  gateway fd00::1\n",
    );
    assert_eq!(
        calls,
        [
            "ip link set dev eth0 up",
            "ip addr add 10.0.0.2/24 dev eth0",
            "ip -6 addr add fd00::ffff/64 dev eth0",
            "ip route add default via 10.0.0.1 dev eth0",
            "ip -6 route add default via fd00::1 dev eth0",
        ]
    );
}
