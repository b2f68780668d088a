//! Listings of other languages and systems, a short one of each.

use super::pasted_tests::told;
use super::*;

#[test]
fn lshw_speaks_many_languages() {
    for [about, product, bus, configuration] in [
        ["description: Wireless interface", "product", "bus info", "configuration"],
        ["Beschreibung: Kabellose Verbindung", "Produkt", "Bus-Informationen", "Konfiguration"],
        [
            "description : Interface réseau sans fil",
            "produit ",
            "information bus ",
            "configuration ",
        ],
        ["descripción: Interfaz inalámbrica", "producto", "información del bus", "configuración"],
        ["описание: Беспроводной интерфейс", "продукт", "сведения о шине", "конфигурация"],
    ] {
        let text = format!(
            "  *-network\n       {about}\n       {product}: AR9285 Wireless Network Adapter (PCI-Express) [168C:2B]\n       \
             {bus}: pci@0000:02:00.0\n       {configuration}: broadcast=yes driver=ath9k latency=0 wireless=IEEE 802.11\n"
        );
        assert_eq!(told(&text), ["168c:002b 0000:02:00.0 ath9k"]);
        assert!(read(&text).unwrap()[0].has_wireless_class());
    }
    let xml = "<list>\n  <node id=\"network\" claimed=\"true\" class=\"network\" handle=\"PCI:0000:03:00.0\">\n   \
               <product>Wi-Fi 6 AX200 [8086:2723]</product>\n   <vendor>Intel Corporation [8086]</vendor>\n   \
               <businfo>pci@0000:03:00.0</businfo>\n   <configuration>\n    <setting id=\"driver\" value=\"iwlwifi\" />\n";
    assert_eq!(told(xml), ["8086:2723 0000:03:00.0 iwlwifi"]);
}

#[test]
fn windows_says_it_in_json_and_in_its_language() {
    let id = "PCI\\VEN_8086&DEV_2725&SUBSYS_00248086&REV_1A\\4&1";
    let escaped = id.replace('\\', "\\\\").replace('&', "\\u0026");
    let expected = "8086:2725:8086:0024";
    for text in [
        format!("{{\"FriendlyName\":\"Intel(R) Wi-Fi\",\"InstanceId\":\"{escaped}\"}}"),
        format!(
            "[{{\"PNPDeviceID\":\"ROOT\\\\KDNIC\\\\0000\"}},{{\"PNPDeviceID\":\"{escaped}\"}}]"
        ),
        format!("Node,Name,PNPDeviceID\r\nPC,Intel,{id}\r\n").replace('&', "&amp;"),
    ] {
        assert_eq!(told(&text), [format!("{expected} - -")], "{text}");
    }
    for place in [
        "PCI bus 5, device 0, function 0",
        "Ort: PCI-Bus 5, Gerät 0, Funktion 0",
        "Bus PCI 5, périphérique 0, fonction 0",
        "PCI-шина 5, устройство 0, функция 0",
        "@System32\\drivers\\pci.sys,#65536;PCI bus %1, device %2, function %3;(5,0,0)",
    ] {
        assert_eq!(
            told(&format!("{id}\n{place}\n")),
            [format!("{expected} 0000:05:00.0 -")],
            "{place}"
        );
    }
    // A table that PowerShell cut.
    assert_eq!(
        told("OK  Net  Intel(R) Wi-Fi  PCI\\VEN_8086&DEV_2725&SUBSYS_00...\n"),
        ["8086:2725 - -"]
    );
}

#[test]
fn each_system_has_its_own_listing() {
    for (text, expected) in [
        (
            "0000:03:00.0\n   Address: 0000:03:00.0\n   Vendor Name: Intel Corporation\n   Vendor ID: 0x8086\n   \
             Device ID: 0x2723\n   SubVendor ID: 0x8086\n   SubDevice ID: 0x0084\n   Device Class: 0x0280\n",
            "8086:2723:8086:0084 0000:03:00.0 -",
        ),
        (
            "[{\"class\":\"0x028000\",\"device\":\"0x2725\",\"id\":\"0000:05:00.0\",\"vendor\":\"0x8086\"}]",
            "8086:2725 0000:05:00.0 -",
        ),
        (
            "    +-o ARPT@0  <class IOPCIDevice>\n        \"vendor-id\" = <e4140000>\n        \"device-id\" = <a0430000>\n        \
             \"subsystem-vendor-id\" = <6b100000>\n        \"subsystem-id\" = <17010000>\n",
            "14e4:43a0:106b:0117 - -",
        ),
        (
            "P: /devices/pci0000:00/0000:03:00.0/net/wlp3s0\nE: ID_BUS=pci\nE: ID_MODEL_ID=0x2723\nE: ID_NET_DRIVER=iwlwifi\n\
             E: ID_PATH=pci-0000:03:00.0\nE: ID_VENDOR_ID=0x8086\n",
            "8086:2723 0000:03:00.0 iwlwifi",
        ),
        (
            "  looking at parent device '/devices/pci0000:00/0000:03:00.0':\n    KERNELS==\"0000:03:00.0\"\n    \
             DRIVERS==\"iwlwifi\"\n    ATTRS{device}==\"0x2723\"\n    ATTRS{subsystem_device}==\"0x0084\"\n    \
             ATTRS{subsystem_vendor}==\"0x8086\"\n    ATTRS{vendor}==\"0x8086\"\n",
            "8086:2723:8086:0084 0000:03:00.0 iwlwifi",
        ),
        (
            "/sys/bus/pci/devices/0000:03:00.0/vendor:0x8086\n/sys/bus/pci/devices/0000:03:00.0/device:0x2723\n\
             /sys/bus/pci/devices/0000:03:00.0/subsystem_vendor:0x8086\n",
            "8086:2723 0000:03:00.0 -",
        ),
        ("003:00:0: 0x27238086 (0x0280001a)\n", "8086:2723 0000:03:00.0 -"),
        (
            " 3:0:0: Intel Wi-Fi 6 AX200\n\t0x0000: Vendor ID: 8086, Product ID: 2723\n\
             \t0x002c: Subsystem Vendor ID: 8086 Product ID: 0084\n",
            "8086:2723:8086:0084 0000:03:00.0 -",
        ),
        (
            "vendor \"Intel\", unknown product 0x2725 (class network subclass miscellaneous) at pci3 dev 0 function 0\n",
            "8086:2725 - -",
        ),
        (
            "  Bus  3, device   0, function 0:\n    Network controller: PCI device 8086:2723\n      PCI subsystem 8086:0084\n",
            "8086:2723:8086:0084 0000:03:00.0 -",
        ),
        (
            "01.00.00   0x8086     0x2723     Network controller      0x80\n",
            "8086:2723 0000:01:00.0 -",
        ),
    ] {
        assert_eq!(told(text), [expected], "{text}");
    }
}

#[test]
fn what_a_driver_knows_is_not_what_a_machine_has() {
    let text = "filename:       /lib/modules/6.1/iwlwifi.ko\nalias:          pci:v00008086d00002723sv*sd*bc*sc*i*\n";
    assert!(matches!(read(text), Err(DetectError::Unnumbered(_))));
    assert!(matches!(read(" \n\n"), Err(DetectError::Empty)));
}
