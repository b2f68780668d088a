//! Values of a description that files could not hold.

use wifibox_ground::address::Address;
use wifibox_ground::guest::Guest;

use crate::sample::guest;

#[test]
fn what_files_cannot_hold_is_refused() {
    guest().check().unwrap();
    let refused = |change: &dyn Fn(&mut Guest), words: &str| {
        let mut guest = guest();
        change(&mut guest);
        let message = guest.check().unwrap_err().to_string();
        assert!(message.contains(words), "{message}");
    };
    refused(&|guest| guest.name = "a b".to_owned(), "guest's name");
    refused(&|guest| guest.name = "-a".to_owned(), "guest's name");
    refused(&|guest| guest.name = String::new(), "guest's name");
    refused(&|guest| guest.flavor = "$(x)".to_owned(), "guest's flavor");
    refused(&|guest| guest.console = "tty S0".to_owned(), "guest's console");
    refused(&|guest| guest.memory = 15, "16 to 1048576 MiB");
    refused(&|guest| guest.vcpus = 65, "1 to 64");
    refused(&|guest| guest.disks[0].file = "../x".to_owned(), "disk image");
    refused(&|guest| guest.disks[0].file = "/x".to_owned(), "disk image");
    refused(&|guest| guest.disks[0].file = "a,b".to_owned(), "disk image");
    refused(&|guest| guest.shares[0].tag = "a=b".to_owned(), "guest's share");
    refused(&|guest| guest.shares[0].mount = "a\nb".to_owned(), "mount point");
    refused(&|guest| guest.nics[0].uplink = Some("a;b".to_owned()), "uplink");
    let line = |text: &str| {
        let text = text.to_owned();
        move |guest: &mut Guest| guest.boot.direct.as_mut().unwrap().cmdline = text.clone()
    };
    refused(&line("a\nb"), "command line");
    refused(&line(&"a".repeat(2048)), "command line");
    let card = Address::new(0, 3, 0, 0).unwrap();
    refused(&|guest| guest.passthru = vec![card, card], "once");
    refused(
        &|guest| guest.passthru = (0..9).filter_map(|n| Address::new(0, n, 0, 0)).collect(),
        "at most 8",
    );
}
