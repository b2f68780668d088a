//! Hardware listings in JSON: `lshw -json -numeric` (lshw(1)), and lists of objects that name a vendor and
//! a device by their numbers, as tools round `lspci` write them.
//!
//! lshw's nodes have `businfo` (`pci@0000:06:00.0`, `usb@1:3`), and with `-numeric` the numbers in
//! brackets: `"vendor": "Intel Corporation [8086]"`, `"product": "Wi-Fi 6E AX210 [8086:2725]"`. Of other
//! tools any object is taken that has both `vendor`/`vendor_id` and `device`/`device_id`.

use serde_json::{Map, Value};

use super::{Bus, CARD_LIMIT, Card, Ident, text};
use wifibox_ground::address::Address;
use wifibox_ground::device::DeviceId;

/// The devices that the text describes, in its order.
///
/// # Errors
/// It is not JSON.
pub fn read(text: &str) -> Result<Vec<Card>, serde_json::Error> {
    let value: Value = serde_json::from_str(text)?;
    let mut cards = Vec::new();
    walk(&value, &mut cards);
    Ok(cards)
}

/// The text without what JSON escapes, a member to a line.
pub(super) fn unescaped(text: &str) -> String {
    text.replace("\\\\", "\\").replace("\\u0026", "&").replace(['"', ','], "\n")
}

/// serde_json bounds how deep values nest.
fn walk(value: &Value, cards: &mut Vec<Card>) {
    match value {
        Value::Array(list) => list.iter().for_each(|value| walk(value, cards)),
        Value::Object(object) => {
            if cards.len() < CARD_LIMIT {
                cards.extend(lshw(object).or_else(|| other(object)));
            }
            object.values().for_each(|value| walk(value, cards));
        }
        _ => {}
    }
}

fn text<'a>(object: &'a Map<String, Value>, keys: &[&str]) -> Option<&'a str> {
    keys.iter().find_map(|key| object.get(*key).and_then(Value::as_str))
}

/// A node of lshw.
fn lshw(object: &Map<String, Value>) -> Option<Card> {
    let (product, (vendor, device)) = text::last_pair(text(object, &["product"])?)?;
    let (bus, place) = text(object, &["businfo"])?.split_once('@')?;
    let mut card = match bus {
        "pci" => {
            // lshw has a class of its own: of network nodes it tells wireless ones in the description.
            let wireless = text(object, &["description"]) == Some("Wireless interface");
            let network = text(object, &["class"]) == Some("network");
            let class = (wireless && network).then_some(0x0280);
            Card::new(Ident::Pci { id: DeviceId::new(vendor, device), class })
        }
        "usb" => Card::new(Ident::Numbers { bus: Bus::Usb, vendor, product: device }),
        _ => return None,
    };
    card.address = Address::parse_linux(place);
    let maker = text(object, &["vendor"]).unwrap_or_default();
    let maker = text::last_bracket(maker).map_or(maker, |(name, _)| name);
    card.name = text::name(&format!("{maker} {product}"));
    let driver = object.get("configuration").and_then(|more| more.get("driver"));
    card.driver = driver.and_then(Value::as_str).and_then(text::name);
    Some(card)
}

/// An object with a vendor and a device, as numbers or as text with or without `0x`.
fn other(object: &Map<String, Value>) -> Option<Card> {
    let number = |keys: &[&str]| {
        keys.iter().find_map(|key| match object.get(*key)? {
            Value::Number(number) => u16::try_from(number.as_u64()?).ok(),
            Value::String(text) => {
                let inside = text::last_bracket(text).map_or(text.as_str(), |(_, inside)| inside);
                text::hex4(inside.strip_prefix("0x").unwrap_or(inside))
            }
            _ => None,
        })
    };
    let vendor = number(&["vendor_id", "vendorId", "vendor"])?;
    let device = number(&["device_id", "deviceId", "device"])?;
    let subvendor = number(&["subsystem_vendor", "subsystem_vendor_id", "subvendor", "svendor"]);
    let subdevice = number(&["subsystem_device", "subsystem_device_id", "subdevice", "sdevice"]);
    let id = DeviceId { vendor, device, subsystem: subvendor.zip(subdevice) };
    let class = number(&["class_id", "class"]);
    let mut card = Card::new(Ident::Pci { id, class });
    let places = ["slot", "address", "pci_address", "bdf", "id"];
    let mut places = places.iter().filter_map(|key| text(object, &[key]));
    card.address = places.find_map(Address::parse_linux);
    card.driver = text(object, &["driver"]).and_then(text::name);
    card.name = text(object, &["name", "device_name", "description"]).and_then(text::name);
    Some(card)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lshw_is_read_at_any_depth() {
        let text = r#"{"id":"pc","class":"system","children":[{"id":"pci","class":"bridge","children":[
            {"id":"network","class":"network","handle":"PCI:0000:06:00.0","description":"Wireless interface",
             "product":"Wi-Fi 6E(802.11ax) AX210 [Typhoon Peak] [8086:2725]","vendor":"Intel Corporation [8086]",
             "businfo":"pci@0000:06:00.0","configuration":{"driver":"iwlwifi"}}]}]}"#;
        let cards = read(text).expect("JSON");
        let [card] = cards.as_slice() else { panic!("{cards:?}") };
        assert_eq!(card.ident.to_string(), "8086:2725");
        assert!(card.has_wireless_class());
        assert_eq!(card.address, Address::parse_linux("06:00.0"));
        assert_eq!(card.driver.as_deref(), Some("iwlwifi"));
        let name = "Intel Corporation Wi-Fi 6E(802.11ax) AX210 [Typhoon Peak]";
        assert_eq!(card.name.as_deref(), Some(name));
    }

    #[test]
    fn other_tools_are_read_too() {
        let text = r#"[{"slot":"06:00.0","class_id":"0280","vendor_id":"8086","device_id":"0x2725",
                        "subsystem_vendor":"8086","subsystem_device":"0024"},
                       {"vendor": 32902, "device": 10021}, {"vendor": "Intel", "device": "AX210"}]"#;
        let ids: Vec<String> =
            read(text).expect("JSON").iter().map(|card| card.ident.to_string()).collect();
        assert_eq!(ids, ["8086:2725:8086:0024", "8086:2725"]);
        assert!(read("{").is_err());
    }
}
