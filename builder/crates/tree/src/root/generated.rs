//! Files of the guest that follow from the recipe: accounts, inittab, fstab, the modules to load.

use super::Error;
use super::openrc;
use super::transport::transport;
use crate::accounts::Accounts;
use crate::{Tree, append, write_file};
use wifibox_recipe::{Access, AccountsFrom, InitSystem, Recipe};

/// Writes them into the tree.
///
/// # Errors
/// [`Error::Tree`] where one cannot be put.
pub fn write(recipe: &Recipe, accounts: &Accounts, tree: &mut Tree) -> Result<(), Error> {
    if recipe.accounts_from.value == AccountsFrom::Recipes {
        write_file(tree, "etc/passwd", accounts.passwd(), 0o644)?;
        write_file(tree, "etc/group", accounts.group(), 0o644)?;
        write_file(tree, "etc/shadow", accounts.shadow(), 0o600)?;
    }
    match recipe.init_system.value {
        InitSystem::Supervised => {
            append(tree, "etc/inittab", &inittab(recipe))?;
            append(tree, "etc/fstab", &fstab(recipe))?;
        }
        InitSystem::Openrc => {
            openrc::adapt(recipe, tree)?;
            openrc::link_services(recipe, tree)?;
        }
        // Its packages bring these files; `super::openwrt` enables their services.
        InitSystem::Procd => {}
    }
    Ok(write_file(tree, "etc/os-release", os_release(recipe), 0o644)?)
}

/// One respawned process for each service. Those of every guest come last: joining a wireless network
/// takes longest, so what does that starts first.
fn inittab(recipe: &Recipe) -> String {
    let (common, own): (Vec<_>, Vec<_>) =
        recipe.services.iter().partition(|service| &*service.origin.file == "recipes/guest.yaml");
    let line = |service: &str| format!("::respawn:/etc/sv/{service}\n");
    own.into_iter().chain(common).map(|service| line(&service.value)).collect()
}

/// One line for each 9P share, as the hypervisor offers them.
fn fstab(recipe: &Recipe) -> String {
    let transport = transport(recipe);
    let line = |share: &wifibox_recipe::Share| {
        let read_only = if share.access == Access::ReadOnly { ",ro" } else { "" };
        let options = format!("trans={transport},version=9p2000.L,noatime{read_only}");
        format!("{} {} 9p {options} 0 0\n", share.tag, share.path)
    };
    recipe.shares.iter().map(|share| line(&share.value)).collect()
}

fn os_release(recipe: &Recipe) -> String {
    let (base, release) = (&recipe.base.value, &recipe.release.value);
    format!(
        "NAME=\"wifibox guest\"\nID=wifibox\nID_LIKE={base}\nVERSION_ID={release}\n\
         VARIANT_ID={}\nPRETTY_NAME=\"wifibox guest ({} on {base} {release})\"\n",
        recipe.flavor.value, recipe.flavor.value
    )
}
