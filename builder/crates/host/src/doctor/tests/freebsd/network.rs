//! What keeps the network away from the host of a guest that runs.

use super::*;

#[test]
pub(in crate::doctor::tests) fn the_hosts_side() {
    named(
        sound,
        Severity::Network,
        &[
            ("no-bridge", "wifibox restart netif", |fake| {
                fake.put("ifconfig", "lo0: flags=8049<UP>\n");
            }),
            ("no-tap", "wifibox restart netif", |fake| {
                fake.change("ifconfig", "\tmember: tap0 flags=143<LEARNING>\n", "");
            }),
            ("interface-not-configured", "sysrc ifconfig_wifibox0=\"SYNCDHCP\"", |fake| {
                fake.change(
                    "ifconfig",
                    "\tinet 10.0.0.2 netmask 0xffffff00 broadcast 10.0.0.255\n",
                    "",
                )
                .change("/etc/rc.conf", "ifconfig_wifibox0=\"SYNCDHCP\"\n", "");
            }),
            ("no-address", "service dhclient restart wifibox0", |fake| {
                fake.change("ifconfig", "inet 10.0.0.2", "inet 0.0.0.0");
            }),
            ("no-default-route", "route add default 10.0.0.1", |fake| {
                fake.change("routes", "default 10.0.0.1 UGS wifibox0\n", "");
            }),
            ("other-default-route", "route delete default", |fake| {
                fake.change("routes", "10.0.0.1 UGS wifibox0", "192.168.7.1 UGS em0");
            }),
            ("no-name-server", "resolvconf -a wifibox0", |fake| {
                fake.put("/etc/resolv.conf", "search lan\n");
            }),
            ("address-clash", "sed -i '' 's/10\\.0\\.0\\./10.77.7./g'", |fake| {
                let text = fake.files["ifconfig"].clone()
                    + "em0: flags=8843<UP>\n\tinet 10.0.0.57 netmask 0xff000000 broadcast 10.255.255.255\n";
                fake.put("ifconfig", &text);
            }),
            ("address-clash", "udhcpd.conf", |fake| {
                fake.change(STATUS, "192.168.1.20/24", "10.0.0.20/24")
                    .put("/usr/local/etc/wifibox/appliance/udhcpd.conf", "start 10.0.0.2\n");
            }),
            ("configuration", "ee /etc/rc.conf", |fake| {
                fake.change(
                    "/etc/rc.conf",
                    "ifconfig_wifibox0=\"SYNCDHCP\"",
                    "ifconfig_wifibox0=\"SYNCDHCP\"\nx=\"",
                );
            }),
        ],
    );
}

#[test]
pub(in crate::doctor::tests) fn what_the_guest_says() {
    named(
        sound,
        Severity::Network,
        &[
            ("guest-sees-no-card", "service wifibox restart", |fake| {
                fake.change(STATUS, "\"driver\": \"iwlwifi\"", "\"driver\": null").change(
                    STATUS,
                    "\"reason\": null",
                    "\"reason\": \"there is no wireless card, or none with a driver\"",
                );
            }),
            ("no-driver", "wifibox-build detect", |fake| {
                fake.change(STATUS, "\"driver\": \"iwlwifi\"", "\"driver\": null").change(
                    STATUS,
                    "\"cards_without_driver\": null",
                    "\"cards_without_driver\": \"14e4:43a0\"",
                );
            }),
            ("firmware-missing", "wifibox-build detect", |fake| {
                fake.change(STATUS, "\"driver\": \"iwlwifi\"", "\"driver\": null").change(
                    STATUS,
                    "\"firmware_missing\": []",
                    "\"firmware_missing\": [\"iwlwifi-8265-36.ucode\"]",
                );
            }),
            ("rfkill-hard", "restart", |fake| {
                fake.change(STATUS, "\"blocked\": null", "\"blocked\": \"hard\"");
            }),
            ("rfkill-soft", "rfkill unblock wifi", |fake| {
                fake.change(STATUS, "\"blocked\": null", "\"blocked\": \"soft\"");
            }),
        ],
    );
}

#[test]
pub(in crate::doctor::tests) fn why_the_guest_is_in_no_network() {
    named(
        sound,
        Severity::Network,
        &[
            (
                "wrong-password",
                "ee /usr/local/etc/wifibox/wpa_supplicant/wpa_supplicant.conf",
                |fake| {
                    fake.change(
                        STATUS,
                        "\"reason\": null",
                        "\"reason\": \"the password of the network \\\"home\\\" is wrong\"",
                    );
                },
            ),
            ("no-network-in-sight", "ee ", |fake| {
                fake.change(
                    STATUS,
                    "\"reason\": null",
                    "\"reason\": \"no network of wpa_supplicant.conf is in sight\"",
                )
                .change(STATUS, "\"DE\"", "\"00\"");
            }),
            ("no-network-named", "ee ", |fake| {
                fake.change(
                    STATUS,
                    "\"reason\": null",
                    "\"reason\": \"wpa_supplicant.conf names no network\"",
                );
            }),
            ("no-dhcp-answer", "service wifibox restart", |fake| {
                fake.change(
                    STATUS,
                    "\"reason\": null",
                    "\"reason\": \"wlan0: no DHCP server answers\"",
                );
            }),
            ("captive-portal", "fetch", |fake| {
                fake.change(
                    STATUS,
                    "\"reason\": null",
                    "\"reason\": \"a portal wants to be seen first\"",
                );
            }),
            ("certificate", "ee ", |fake| {
                fake.change(
                    STATUS,
                    "\"reason\": null",
                    "\"reason\": \"the server's certificate is not accepted\"",
                );
            }),
            (
                "guest-configuration",
                "ee /usr/local/etc/wifibox/appliance/interfaces.conf",
                |fake| {
                    fake.change(
                        STATUS,
                        "\"problems\": []",
                        "\"problems\": [\"interfaces.conf: \\\"addres\\\" is not understood\"]",
                    );
                },
            ),
            ("daemon-down", "grep wpa_supplicant", |fake| {
                fake.change(STATUS, "\"running\": true", "\"running\": false");
            }),
            ("firmware-missing", "wifibox-build detect", |fake| {
                fake.files.remove(STATUS);
                fake.put(
                "/var/run/wifibox/appliance/log/dmesg",
                "iwlwifi 0000:00:06.0: Direct firmware load for iwlwifi-cc-a0-72.ucode failed with error -2\n",
            );
            }),
        ],
    );
}
