//! Guests that OpenRC starts: runlevels, and what their packages' own files leave to the machine.
//!
//! A service is in a runlevel when `/etc/runlevels/LEVEL/SERVICE` is a link to its init script in
//! `/etc/init.d` (rc-update(8)).

use super::Error;
use super::transport::transport;
use crate::place::read_file;
use crate::{Kind, Origin, Tree};
use crate::{guest_path, put, write_file};
use wifibox_recipe::{Access, Recipe};

/// Puts the recipe's services into their runlevels.
///
/// # Errors
/// [`Error::NoInitScript`] for a service that no package of the guest brings.
pub(crate) fn link_services(recipe: &Recipe, tree: &mut Tree) -> Result<(), Error> {
    for (level, services) in &recipe.runlevels {
        for service in services {
            let name = &service.value;
            let script = format!("etc/init.d/{name}");
            let is_file = tree
                .lookup(&guest_path(&script)?)
                .is_some_and(|(_, node)| matches!(node.kind, Kind::File(_)));
            if !is_file {
                return Err(Error::NoInitScript {
                    service: name.clone(),
                    level: level.clone(),
                    origin: service.origin.to_string(),
                });
            }
            let link = guest_path(&format!("etc/runlevels/{level}/{name}"))?;
            let target = Kind::Symlink(format!("/{script}").into_bytes());
            put(tree, &link, target, 0o777, Origin::Recipe(service.origin.file.to_string()))?;
        }
    }
    Ok(())
}

/// Adapts etc/fstab and etc/inittab, which packages bring, to the recipe: shares that they do not
/// mount are added, and another way of sharing or another console than theirs is put in.
///
/// # Errors
/// [`Error`]: a file cannot be read or put.
pub(crate) fn adapt(recipe: &Recipe, tree: &mut Tree) -> Result<(), Error> {
    let text = |tree: &Tree, path| {
        let bytes = read_file(tree, path)?.unwrap_or_default();
        Ok::<_, Error>(String::from_utf8_lossy(&bytes).into_owned())
    };
    let (before, console) = (text(tree, "etc/fstab")?, &recipe.hypervisor.console.value);
    let shares: Vec<_> = recipe.shares.iter().map(|share| &share.value).collect();
    let fstab = fstab(&before, &shares, transport(recipe));
    if fstab != before {
        write_file(tree, "etc/fstab", fstab, 0o644)?;
    }
    let before = text(tree, "etc/inittab")?;
    let inittab = before.replace(SERIAL_CONSOLE, console);
    if inittab != before {
        write_file(tree, "etc/inittab", inittab, 0o644)?;
    }
    Ok(())
}

/// The console in packages' own etc/inittab.
const SERIAL_CONSOLE: &str = "ttyS0";

fn fstab(before: &str, shares: &[&wifibox_recipe::Share], transport: &str) -> String {
    let mut fstab = String::new();
    let mut mounted = Vec::new();
    for line in before.lines() {
        let tag = line.split_whitespace().next().unwrap_or_default();
        let line = match shares.iter().find(|share| share.tag == tag) {
            Some(share) => {
                mounted.push(&share.tag);
                line.replace("trans=virtio", &format!("trans={transport}"))
            }
            None => line.to_owned(),
        };
        fstab += &format!("{line}\n");
    }
    for share in shares.iter().filter(|share| !mounted.contains(&&share.tag)) {
        let access = if share.access == Access::ReadOnly { "ro" } else { "rw" };
        fstab += &format!("{} {} 9p trans={transport},{access} 0 0\n", share.tag, share.path);
    }
    fstab
}

#[cfg(test)]
mod tests {
    use super::*;
    use wifibox_ground::path::GuestPath;
    use wifibox_recipe::Share;

    #[test]
    fn shares_are_mounted_once_and_as_the_hypervisor_offers_them() {
        let share = |tag: &str, path: &str, access| Share {
            tag: tag.into(),
            path: GuestPath::new(path).expect("a path"),
            access,
        };
        let config = share("config", "media/etc", Access::ReadOnly);
        let application = share("app_config", "etc/hostapd", Access::ReadWrite);
        let before = "tmpfs /tmp tmpfs size=128K 0 0\nconfig /media/etc 9p trans=virtio,ro 0 0\n";
        let both = [&config, &application];
        assert_eq!(
            fstab(before, &both, "virtio"),
            format!("{before}app_config /etc/hostapd 9p trans=virtio,rw 0 0\n")
        );
        assert_eq!(
            fstab(before, &[&config], "xen"),
            "tmpfs /tmp tmpfs size=128K 0 0\nconfig /media/etc 9p trans=xen,ro 0 0\n"
        );
    }
}
