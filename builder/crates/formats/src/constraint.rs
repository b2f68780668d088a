//! One target of a dependency: a name, and a comparison with the version in which it is provided.

use std::cmp::Ordering;
use std::fmt;

use wifibox_ground::version::{Scheme, apk};

/// A comparison with a version, as the set of outcomes that it accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Op(u8);

impl Op {
    /// No demand on the version.
    pub const ANY: Op = Op(0b0111);
    /// Exactly this version.
    pub const EQUAL: Op = Op(0b0010);
    const LESS: u8 = 0b0001;
    const SAME: u8 = 0b0010;
    const MORE: u8 = 0b0100;
    const FUZZY: u8 = 0b1000;
    /// apk's `><`: not a version but a package identity.
    pub(super) const IDENTITY: Op = Op(Op::LESS | Op::MORE);

    /// Reads an operator; `None` for one that the ecosystem does not know.
    pub(super) fn parse(scheme: Scheme, text: &str) -> Option<Op> {
        if scheme == Scheme::Apk {
            let mut mask = 0;
            for character in text.chars() {
                mask |= match character {
                    '<' => Op::LESS,
                    '>' => Op::MORE,
                    '=' => Op::SAME,
                    '~' => Op::FUZZY | Op::SAME,
                    _ => return None,
                };
            }
            return (mask != 0).then_some(Op(mask));
        }
        Some(Op(match text {
            // opkg takes equality to satisfy every comparison.
            "<<" if scheme == Scheme::Opkg => Op::LESS | Op::SAME,
            ">>" if scheme == Scheme::Opkg => Op::MORE | Op::SAME,
            "<<" => Op::LESS,
            "<=" | "<" => Op::LESS | Op::SAME,
            "=" => Op::SAME,
            ">=" | ">" => Op::MORE | Op::SAME,
            ">>" => Op::MORE,
            _ => return None,
        }))
    }

    fn accepts(self, outcome: Ordering) -> bool {
        let bit = match outcome {
            Ordering::Less => Op::LESS,
            Ordering::Equal => Op::SAME,
            Ordering::Greater => Op::MORE,
        };
        self.0 & bit != 0
    }

    /// The operator as the ecosystem writes it; empty for [`Op::ANY`].
    fn text(self, scheme: Scheme) -> &'static str {
        let apk = scheme == Scheme::Apk;
        match self.0 & Op::ANY.0 {
            _ if self.0 & Op::FUZZY != 0 => match self.0 & (Op::LESS | Op::MORE) {
                Op::LESS => "<~",
                Op::MORE => ">~",
                _ => "~",
            },
            Op::LESS => {
                if apk {
                    "<"
                } else {
                    "<<"
                }
            }
            Op::SAME => "=",
            Op::MORE => {
                if apk {
                    ">"
                } else {
                    ">>"
                }
            }
            mask if mask == Op::LESS | Op::SAME => "<=",
            mask if mask == Op::MORE | Op::SAME => ">=",
            mask if mask == Op::IDENTITY.0 => "><",
            _ => "",
        }
    }
}

/// One target of a dependency: a name, and what is asked of the version that it is provided in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Constraint<'a> {
    /// The ecosystem whose rules and syntax apply.
    pub scheme: Scheme,
    /// The name of a package or of something that packages provide.
    pub name: &'a str,
    /// Debian: an architecture or `any`. apk, in world only: the tag of a repository.
    pub qualifier: Option<&'a str>,
    /// How the provided version must compare with `version`.
    pub op: Op,
    /// The version to compare with; empty for [`Op::ANY`].
    pub version: &'a str,
}

impl Constraint<'_> {
    /// Whether a provider of the name satisfies this. `provided` is the version in which it provides
    /// the name; one that is provided without a version satisfies only demands without one.
    pub fn accepts(&self, provided: Option<&str>) -> bool {
        if self.op == Op::ANY {
            return true;
        }
        let Some(provided) = provided else { return false };
        let outcome = if self.op.0 & Op::FUZZY != 0 {
            apk::compare_fuzzy(provided, self.version)
        } else {
            self.scheme.compare(provided, self.version)
        };
        outcome.map_or(provided == self.version, |outcome| self.op.accepts(outcome))
    }

    /// Whether this names one package by apk's identity (`name><Q1...`).
    pub fn is_identity(&self) -> bool {
        self.op == Op::IDENTITY
    }
}

impl fmt::Display for Constraint<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        if let Some(qualifier) = self.qualifier {
            write!(f, "{}{qualifier}", if self.scheme == Scheme::Apk { '@' } else { ':' })?;
        }
        let op = self.op.text(self.scheme);
        match self.scheme {
            _ if self.op == Op::ANY => Ok(()),
            Scheme::Apk => write!(f, "{op}{}", self.version),
            Scheme::Dpkg | Scheme::Opkg => write!(f, " ({op} {})", self.version),
        }
    }
}
