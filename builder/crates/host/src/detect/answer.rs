//! The answer for each card: the guest that drives it and how to hand the card over, or the reason why
//! none can.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;

use super::exceptions::{self, Exception};
use super::offer::Offer;
use super::reason::{OutOfTree, Reason};
use super::table::{BRIDGES, Claim, Kernels, Kind, Table};
use super::{Bus, Card, Ident};
use wifibox_ground::address::{Address, Notation};
use wifibox_recipe::Module;

/// The answer for one card.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Answer {
    /// Its numbers.
    #[schemars(with = "String")]
    pub id: Ident,
    /// The bus that it is attached to.
    pub bus: Bus,
    /// Where it is.
    #[schemars(with = "Option<String>")]
    pub address: Option<Address>,
    /// Its name.
    pub name: Option<String>,
    /// The host's driver that holds it.
    pub host_driver: Option<String>,
    /// The Linux drivers that know it, and where.
    pub drivers: Vec<Driver>,
    /// The guests that drive it; the first one is it, unless only the card itself can tell between them.
    pub guests: Vec<Guest>,
    /// Why no guest drives it.
    pub reason: Option<Reason>,
    /// The reason as text.
    pub because: Option<String>,
    /// Suggestions about that, a sentence each.
    pub advice: Vec<String>,
    /// The settings by which hypervisors hand it over.
    pub passthrough: Vec<Notation>,
    /// Remarks, a sentence each.
    pub notes: Vec<String>,
}

impl Answer {
    /// Whether a guest can drive the card.
    pub fn is_supported(&self) -> bool {
        !self.guests.is_empty()
    }
}

/// A Linux driver that knows a card.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Driver {
    /// The module.
    pub module: String,
    /// The versions of the table's kernels in which it does.
    pub linux: Vec<String>,
}

/// A guest that drives a card.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Guest {
    /// Flavor.
    pub flavor: String,
    /// A summary of the flavor.
    pub summary: String,
    /// Base.
    pub base: String,
    /// Release.
    pub release: String,
    /// Kernel, where it is not the base's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kernel: Option<String>,
    /// The driver that knows the card.
    pub driver: String,
    /// The manifest's name for cards with these numbers.
    pub chip: Option<String>,
    /// The driver and the wireless modules that come with it, sorted by name.
    pub modules: Vec<String>,
    /// Firmware files that the modules may ask for, or globs for them.
    pub firmware: Vec<String>,
    /// Packages that hold them.
    pub firmware_packages: Vec<String>,
    /// Memory without which the guest does not come up, in MiB.
    pub memory_smallest: Option<u32>,
    /// Memory with which it works well, in MiB.
    pub memory_recommended: Option<u32>,
    /// The command that builds it.
    pub command: String,
}

/// Everything that answers are made from.
#[derive(Debug)]
pub struct Oracle<'a> {
    /// Which drivers know which devices.
    pub table: &'a Table,
    /// The guests that can be built.
    pub offers: &'a [Offer],
    /// The user's own arguments for the composition, to be repeated in commands: `--role access-point`.
    pub arguments: String,
    /// The base that the user named; all others are left out of `offers`.
    pub base: Option<&'a str>,
    /// The only hypervisor whose notation is wanted.
    pub hypervisor: Option<&'a str>,
}

impl Oracle<'_> {
    /// The answers for those devices that are wireless cards, or were asked for.
    pub fn answers(&self, cards: &[Card]) -> Vec<Answer> {
        cards.iter().filter_map(|card| self.answer(card)).collect()
    }

    /// The answer for one device; `None` for one that a user would not ask about.
    pub fn answer(&self, card: &Card) -> Option<Answer> {
        let claims = self.table.claims(&card.ident);
        if claims.is_empty() && !card.asked && !card.has_wireless_class() {
            return None;
        }
        let bus = card.ident.bus();
        let refused = exceptions::of(&card.ident);
        let guests = match refused {
            _ if bus != Bus::Pci => Vec::new(),
            Some(exception) => self.guest_of_another_driver(card, exception).into_iter().collect(),
            None => self.guests(card, &claims),
        };
        let reason = guests.is_empty().then(|| self.reason(card, &claims));
        let class = match card.ident {
            Ident::Pci { class, .. } => class,
            _ => None,
        };
        let notations = card.address.filter(|_| reason.is_none()).map(|a| a.notations(class));
        let mut passthrough = notations.unwrap_or_default();
        passthrough.retain(|n| self.hypervisor.is_none_or(|wanted| wanted == n.hypervisor));
        Some(Answer {
            id: card.ident.clone(),
            bus,
            address: card.address,
            name: card.name.clone(),
            host_driver: card.driver.clone(),
            drivers: claims
                .iter()
                .map(|claim| Driver {
                    module: claim.module.to_owned(),
                    linux: owned(self.table.versions(claim.kernels.with(claim.some_boards))),
                })
                .filter(|driver| !driver.linux.is_empty())
                .collect(),
            notes: if reason.is_none() { self.notes(card, &claims, &guests) } else { Vec::new() },
            because: reason.as_ref().map(Reason::text),
            advice: reason.as_ref().map(Reason::advice).unwrap_or_default(),
            guests,
            reason,
            passthrough,
        })
    }

    /// The drivers that take the card in a kernel, bridges replaced by what may be behind them.
    fn drivers(&self, claims: &[Claim<'_>], kernel: usize) -> BTreeSet<String> {
        let mut drivers = BTreeSet::new();
        for claim in claims {
            if !claim.kernels.with(claim.some_boards).has(kernel) {
                continue;
            }
            if BRIDGES.contains(&claim.module) {
                let behind = self.table.behind(claim.module, kernel);
                drivers.extend(behind.into_iter().map(str::to_owned));
            } else {
                drivers.insert(claim.module.to_owned());
            }
        }
        drivers
    }

    /// The drivers that take the card in each kernel of the table, and so in the ones between.
    pub(super) fn drivers_of_all(&self, claims: &[Claim<'_>]) -> BTreeSet<String> {
        let each = (0..self.table.kernels.len()).map(|kernel| self.drivers(claims, kernel));
        each.reduce(|all, next| &all & &next).unwrap_or_default()
    }

    /// The guests of the first base and release that has any, one for each driver.
    fn guests(&self, card: &Card, claims: &[Claim<'_>]) -> Vec<Guest> {
        let newest = self.table.kernels.len().saturating_sub(1);
        let kind =
            |offer: &Offer| (offer.base.clone(), offer.release.clone(), offer.other_kernel.clone());
        let same = |a: &Offer, b: &Offer| kind(a) == kind(b);
        // First what is certain. A kernel that the table does not hold is only taken for the newest one
        // if the user wants just this base; the notes say so.
        for certain in [true, false] {
            for group in self.offers.chunk_by(same) {
                let kernel = group.first().and_then(|offer| offer.kernel);
                let drivers = match kernel {
                    Some(kernel) => self.drivers(claims, kernel),
                    None if certain => self.drivers_of_all(claims),
                    None if self.base.is_some() => self.drivers(claims, newest),
                    None => continue,
                };
                let kernel = kernel.unwrap_or(newest);
                let mut guests: Vec<Guest> = Vec::new();
                for driver in &drivers {
                    // Offers of a group are sorted: the one that brings the least comes first.
                    if let Some(offer) = group.iter().find(|offer| offer.with(driver).is_some()) {
                        guests.push(self.guest(card, claims, offer, driver, kernel));
                    }
                }
                if !guests.is_empty() {
                    return guests;
                }
            }
        }
        Vec::new()
    }

    /// The guest with the driver from outside Linux that an exception names. It knows its cards by their class
    /// only, so that no guest is cut down to one of them.
    fn guest_of_another_driver(&self, card: &Card, exception: &Exception) -> Option<Guest> {
        let (driver, base) = exception.elsewhere?;
        let of_base = |offer: &&Offer| offer.base == base && offer.with(driver).is_some();
        let offer = self.offers.iter().find(of_base)?;
        let newest = self.table.kernels.len().saturating_sub(1);
        let guest = self.guest(card, &[], offer, driver, newest);
        let chip = Some(exception.chip.to_owned());
        Some(Guest { chip, command: self.command(offer), ..guest })
    }

    /// The command that builds a guest for all cards of its flavor.
    fn command(&self, offer: &Offer) -> String {
        let mut command = format!("wifibox-build --flavor {}", offer.flavor);
        if !offer.default_base {
            command += &format!(" --base {}", offer.base);
        }
        if !offer.default_release {
            command += &format!(" --release {}", offer.release);
        }
        if let Some(kernel) = &offer.other_kernel {
            command += &format!(" --kernel {kernel}");
        }
        command + &self.arguments
    }

    fn guest(
        &self,
        card: &Card,
        claims: &[Claim<'_>],
        offer: &Offer,
        driver: &str,
        kernel: usize,
    ) -> Guest {
        let there = |(name, kernels): (&str, Kernels)| kernels.has(kernel).then(|| name.to_owned());
        let set = offer.with(driver);
        let id = match card.ident {
            Ident::Pci { id, .. } => Some(id),
            _ => None,
        };
        let known = set.zip(id).and_then(|(set, id)| set.card(id));
        let of_card = known.map(|known| &known.modules).filter(|modules| !modules.is_empty());
        let runtime = of_card.or(set.map(|set| &set.runtime_modules)).into_iter().flatten();
        // Of those in the table only the ones made for this driver: brcmfmac has some, and brcmsmac, of the
        // same manifest, none. A kernel need not have the optional ones.
        let is_for = |module: &&Module| {
            let in_table = self.table.about(Kind::Module, &module.name).any(|m| m.1.has(kernel));
            let mut needs = self.table.about(Kind::Need, &module.name);
            if in_table { needs.any(|(need, _)| need == driver) } else { !module.optional }
        };
        let mut modules: BTreeSet<String> =
            runtime.filter(is_for).map(|module| module.name.clone()).collect();
        modules.insert(driver.to_owned());
        for module in modules.clone() {
            modules.extend(self.table.about(Kind::Need, &module).filter_map(there));
        }
        let mut firmware: BTreeSet<String> = BTreeSet::new();
        if let Some(known) = known {
            firmware.extend(known.firmware.iter().map(|pattern| pattern.to_string()));
        } else {
            for module in &modules {
                firmware.extend(self.table.about(Kind::Firmware, module).filter_map(there));
            }
            firmware.extend(set.iter().flat_map(|set| set.firmware.clone()));
        }
        let mut command = self.command(offer);
        if let Some(id) = id {
            // The board only counts where a driver or its manifest tells boards apart.
            let by_board = claims.iter().any(|claim| claim.by_board)
                || set.is_some_and(|set| set.tells_boards_apart(id));
            let id = if by_board { id } else { id.chip() };
            command += &format!(" --device {id}");
        }
        Guest {
            flavor: offer.flavor.clone(),
            summary: offer.summary.clone(),
            base: offer.base.clone(),
            release: offer.release.clone(),
            kernel: offer.other_kernel.clone(),
            driver: driver.to_owned(),
            modules: modules.into_iter().collect(),
            firmware: firmware.into_iter().collect(),
            firmware_packages: set.map(|set| set.packages.clone()).unwrap_or_default(),
            chip: known.map(|known| known.name.clone()),
            memory_smallest: offer.memory_smallest,
            memory_recommended: offer.memory_recommended,
            command,
        }
    }

    fn reason(&self, card: &Card, claims: &[Claim<'_>]) -> Reason {
        let takes = |claim: &&Claim<'_>| !claim.kernels.with(claim.some_boards).is_empty();
        let names = |claims: Vec<&Claim<'_>>| {
            claims.iter().map(|claim| claim.module.to_owned()).collect::<Vec<_>>()
        };
        let taking: Vec<&Claim<'_>> = claims.iter().filter(takes).collect();
        let bus = card.ident.bus();
        if bus != Bus::Pci {
            return Reason::OtherBus { bus, drivers: names(taking) };
        }
        if let Some(exception) = exceptions::of(&card.ident) {
            let (chip, why) = (exception.chip.to_owned(), exception.why.to_owned());
            // Of the base itself, these recipes have no flavor with it.
            let elsewhere =
                exception.elsewhere.filter(|(_, pins)| self.base.is_some_and(|base| base != *pins));
            let elsewhere = elsewhere.map(|(driver, base)| OutOfTree {
                driver: driver.to_owned(),
                base: base.to_owned(),
            });
            return Reason::NoRadio { chip, drivers: names(taking), why, elsewhere };
        }
        if claims.is_empty() {
            let kernels = self.table.kernels.iter().map(|kernel| kernel.version.clone()).collect();
            return Reason::NoDriver { kernels, wireless: card.has_wireless_class() };
        }
        if taking.is_empty() {
            return Reason::OtherBoards { drivers: names(claims.iter().collect()) };
        }
        let with = taking.iter().fold(Kernels::default(), |kernels, claim| {
            kernels.with(claim.kernels).with(claim.some_boards)
        });
        let kernels = owned(self.table.versions(with));
        let ours: BTreeSet<usize> = self.offers.iter().filter_map(|offer| offer.kernel).collect();
        if !ours.is_empty() && !ours.iter().any(|kernel| with.has(*kernel)) {
            let version = |index: &usize| self.table.kernels.get(*index).map(|k| k.version.clone());
            let ours = ours.iter().filter_map(version).collect();
            return Reason::OtherKernels { drivers: names(taking), kernels, ours };
        }
        let all = 0..self.table.kernels.len();
        let drivers: BTreeSet<String> =
            all.flat_map(|kernel| self.drivers(claims, kernel)).collect();
        let base = self.base.map(str::to_owned);
        Reason::NoFlavor { drivers: drivers.into_iter().collect(), kernels, base }
    }
}

fn owned(list: Vec<&str>) -> Vec<String> {
    list.into_iter().map(str::to_owned).collect()
}
