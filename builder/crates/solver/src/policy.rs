//! The differences between the ecosystems, as data: the solver is the same for all three.
//!
//! Each row of [`Policy::of`] says what a package manager demands and what it prefers on an empty
//! root: `apk add`, `apt-get install --no-install-recommends`, `opkg install`.

use wifibox_ground::version::Scheme;

/// The rules of one ecosystem.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// The order in which open demands are decided.
    pub order: Order,
    /// Which packages cannot be there together without saying so.
    pub exclusive: Exclusive,
    /// Which of several candidates is taken.
    pub preference: Preference,
    /// Conflicts concern packages of the name only, not what provides it, and none that the package
    /// replaces.
    pub conflicts_by_name_only: bool,
    /// The version in which a name is provided is that of the providing package.
    pub provided_as_own_version: bool,
    /// A demand on a name excludes all its providers that do not meet the demand.
    pub demands_exclude: bool,
    /// A package needs a reason beside providing an unversioned name: a provider priority, its own
    /// name being asked for, or `install_if`; and a tagged repository needs to be asked for.
    pub needs_reason: bool,
}

/// The order in which open demands are decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Names, those that depend before those they depend on (apk).
    ByRank,
    /// Every request's package first, then each one's dependencies, depth first (apt).
    DepthFirst,
    /// One request after the other, depth first; only packages of earlier requests count as there
    /// already (opkg).
    RequestByRequest,
}

/// Which packages exclude each other silently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exclusive {
    /// Packages of the same name.
    SameName,
    /// Packages that provide the same name, unless all of them provide it without a version.
    SameProvided,
}

/// How candidates for one demand are ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preference {
    /// Preferred tag, version of the name, version of the package, priority, earliest repository.
    Apk,
    /// First alternative, real package, highest version; of providers essential, important, by
    /// `Priority`, last mentioned.
    Apt,
    /// First alternative; a package of the name or requested by name, then the last name, the highest
    /// version, the more specific architecture.
    Opkg,
}

impl Policy {
    /// The rules of `scheme`.
    pub fn of(scheme: Scheme) -> Policy {
        match scheme {
            Scheme::Apk => Policy {
                order: Order::ByRank,
                exclusive: Exclusive::SameProvided,
                preference: Preference::Apk,
                conflicts_by_name_only: false,
                provided_as_own_version: false,
                demands_exclude: true,
                needs_reason: true,
            },
            Scheme::Dpkg => Policy {
                order: Order::DepthFirst,
                exclusive: Exclusive::SameName,
                preference: Preference::Apt,
                conflicts_by_name_only: false,
                provided_as_own_version: false,
                demands_exclude: false,
                needs_reason: false,
            },
            Scheme::Opkg => Policy {
                order: Order::RequestByRequest,
                exclusive: Exclusive::SameName,
                preference: Preference::Opkg,
                conflicts_by_name_only: true,
                provided_as_own_version: true,
                demands_exclude: false,
                needs_reason: false,
            },
        }
    }
}
