//! What the user of a station wants who wrote OpenWrt's own form of configuration (UCI): the files `uci/wireless` and
//! `uci/network` of the share, read, and what the simulated access point must be for them.

use std::fs;

use super::setup::Setup;

/// The server "in the Internet", by IPv6.
pub const FAR: &str = "2001:db8:ffff::7";

/// What the user wants.
#[derive(Debug, PartialEq, Eq)]
pub struct Wanted {
    wireless: Vec<Section>,
    network: Vec<Section>,
}

/// A section of a file: its kind, its name, its options and lists in order.
#[derive(Debug, PartialEq, Eq)]
struct Section {
    kind: String,
    name: String,
    options: Vec<(String, String)>,
}

/// The sections of a file.
fn sections(text: &str) -> Vec<Section> {
    let mut found: Vec<Section> = Vec::new();
    for line in text.lines() {
        let mut rest = line.trim();
        let mut word = || {
            rest = rest.trim_start();
            let quote = rest.chars().next().filter(|first| matches!(first, '\'' | '"'));
            let (text, after) = match quote {
                Some(quote) => rest[1..].split_once(quote).unwrap_or((&rest[1..], "")),
                None => rest.split_once([' ', '\t']).unwrap_or((rest, "")),
            };
            rest = after;
            text.to_owned()
        };
        match (word().as_str(), found.last_mut()) {
            ("config", _) => {
                found.push(Section { kind: word(), name: word(), options: Vec::new() });
            }
            ("option" | "list", Some(section)) => section.options.push((word(), word())),
            _ => {}
        }
    }
    found
}

impl Section {
    fn get(&self, key: &str) -> Option<&str> {
        self.options.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }
}

impl Wanted {
    /// Reads the share's settings; none if the user wrote wpa_supplicant's file.
    pub fn of(setup: &Setup) -> Option<Self> {
        let read = |name: &str| fs::read_to_string(setup.config.join("uci").join(name));
        let network = read("network").unwrap_or_default();
        Some(Self { wireless: sections(&read("wireless").ok()?), network: sections(&network) })
    }

    fn option(&self, kind: &str, key: &str) -> Option<&str> {
        self.wireless.iter().find(|section| section.kind == kind)?.get(key)
    }

    /// What is asked of the wireless network.
    fn way_out(&self, key: &str) -> Option<&str> {
        let network = self.option("wifi-iface", "network")?;
        self.network.iter().find(|section| section.name == network)?.get(key)
    }

    /// The guest's fixed address in the wireless network, without the length of its prefix.
    pub fn address(&self) -> Option<&str> {
        without_length(self.way_out("ipaddr"))
    }

    /// Its fixed IPv6 address there, likewise.
    pub fn address6(&self) -> Option<&str> {
        without_length(self.way_out("ip6addr"))
    }

    /// hostapd's file.
    pub fn access_point(&self) -> Result<String, String> {
        let device = |key: &str| {
            self.option("wifi-device", key)
                .ok_or_else(|| format!("uci/wireless: the radio has no option {key}"))
        };
        let interface = |key: &str| {
            self.option("wifi-iface", key)
                .ok_or_else(|| format!("uci/wireless: the network has no option {key}"))
        };
        let (channel, htmode) = (device("channel")?, device("htmode")?);
        if (channel, htmode) != ("36", "VHT80") {
            return Err(format!(
                "uci/wireless: the simulated access point knows channel 36 and VHT80, and not {channel} and {htmode}"
            ));
        }
        Ok(format!(
            "interface=wlan1\ndriver=nl80211\nssid={}\ncountry_code={}\nieee80211d=1\nhw_mode=a\n\
             channel=36\nieee80211n=1\nht_capab=[HT40+]\nieee80211ac=1\nvht_oper_chwidth=1\n\
             vht_oper_centr_freq_seg0_idx=42\nwpa=2\nwpa_key_mgmt=WPA-PSK\nrsn_pairwise=CCMP\n\
             wpa_passphrase={}\n",
            interface("ssid")?,
            device("country")?,
            interface("key")?,
        ))
    }

    /// The access point's addresses beside those of every test: the gateways that the guest is to use.
    pub fn gateways(&self) -> String {
        let mut text = String::new();
        for (gateway, length) in [("gateway", "24"), ("ip6gw", "64")] {
            if let Some(gateway) = self.way_out(gateway) {
                text += &format!("ip addr add {gateway}/{length} dev wlan1\n");
            }
        }
        if self.way_out("ip6gw").is_some() {
            text += &format!("ip addr add {FAR}/128 dev lo\n");
        }
        text
    }
}

fn without_length(address: Option<&str>) -> Option<&str> {
    address.map(|text| text.split_once('/').map_or(text, |(address, _)| address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_as_uci_writes_them() {
        let text = "\nconfig wifi-iface 'home'\n\toption ssid 'a name'\n\t# no\n\tlist dns 192.0.2.1\n\
                    config wifi-device\n  option channel \"36\"\n";
        let found = sections(text);
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].kind.as_str(), found[0].name.as_str()), ("wifi-iface", "home"));
        assert_eq!(found[0].get("ssid"), Some("a name"));
        assert_eq!(found[0].get("dns"), Some("192.0.2.1"));
        assert_eq!((found[1].name.as_str(), found[1].get("channel")), ("", Some("36")));
        assert_eq!(without_length(Some("192.0.2.7/24")), Some("192.0.2.7"));
    }

    #[test]
    fn an_access_point_that_cannot_be_simulated_is_refused() {
        let wireless = "config wifi-device r\n option channel 149\n option htmode VHT80\n\
                        config wifi-iface i\n option ssid x\n";
        let wanted = Wanted { wireless: sections(wireless), network: Vec::new() };
        assert!(wanted.access_point().unwrap_err().contains("149"));
    }
}
