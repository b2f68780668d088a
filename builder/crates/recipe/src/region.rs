//! What an access point may do on the air, where a recipe pins it: the guest then keeps to it whatever its host configures.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

/// The rules of an access point on the air. No configuration of the host's changes them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Region {
    /// The country whose rules count.
    pub country: Country,
    /// The channels that may be used, at 2.4 and 5 GHz. The first counts where the host's configuration names none of
    /// them.
    pub channels: Channels,
    /// The most that the card may send with, in dBm; what the country allows, if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub power: Option<Power>,
}

/// A country: two letters of ISO 3166-1, as hostapd's `country_code` has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Country(String);

/// Channels of 20 MHz, by their numbers at 2.4 GHz (1 to 14) and 5 GHz (36 to 177); at least one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Channels(Vec<u8>);

/// Power in dBm, 1 to 36.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Power(u8);

impl<'de> Deserialize<'de> for Country {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase()) {
            return Ok(Self(text));
        }
        Err(D::Error::custom(format_args!(
            "\"{text}\" is no country: write two letters, such as DE"
        )))
    }
}

impl<'de> Deserialize<'de> for Channels {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let numbers: Vec<u8> = Vec::deserialize(deserializer)?;
        if let Some(bad) = numbers.iter().find(|number| !is_channel(**number)) {
            return Err(D::Error::custom(format_args!(
                "{bad} is no channel: there are 1 to 14 at 2.4 GHz, and 36, 40, ... 64, 100, ... 144, 149, ... 177 at 5 GHz"
            )));
        }
        if numbers.is_empty() {
            return Err(D::Error::custom(
                "no channel is left to the access point: name at least one",
            ));
        }
        Ok(Self(numbers))
    }
}

impl<'de> Deserialize<'de> for Power {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let power = u8::deserialize(deserializer)?;
        if (1..=36).contains(&power) {
            return Ok(Self(power));
        }
        Err(D::Error::custom(format_args!("{power} dBm is no limit: write 1 to 36")))
    }
}

/// Gives a type this JSON schema.
macro_rules! schema {
    ($name:ident, $schema:tt) => {
        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    };
}
schema!(Country, {
    "type": "string",
    "pattern": "^[A-Z]{2}$",
    "description": "A country: two letters of ISO 3166-1."
});
schema!(Channels, {
    "type": "array",
    "items": { "type": "integer", "minimum": 1, "maximum": 177 },
    "minItems": 1,
    "description": "Channels by their numbers: 1 to 14 at 2.4 GHz, 36 to 177 at 5 GHz."
});
schema!(Power, {
    "type": "integer",
    "minimum": 1,
    "maximum": 36,
    "description": "Power in dBm."
});

/// Whether a channel of 20 MHz has this number (IEEE 802.11-2020, annex E).
fn is_channel(number: u8) -> bool {
    match number {
        1..=14 => true,
        36..=64 | 100..=144 => number.is_multiple_of(4),
        149..=177 => number % 4 == 1,
        _ => false,
    }
}

impl Region {
    /// The file of the guest, in the syntax of its shell.
    pub(super) fn text(&self) -> String {
        let channels: Vec<String> = self.channels.0.iter().map(u8::to_string).collect();
        let power = self.power.map(|power| power.0.to_string()).unwrap_or_default();
        format!(
            "# What the access point may do on the air. It is pinned: nothing that the host configures changes it.\n\
             country={}\nchannels='{}'\npower={power}\n",
            self.country.0,
            channels.join(" ")
        )
    }
}
