//! What to do first: the answer to a command line that asks for nothing.

use super::failure::Failure;

/// The failure that says it.
pub(crate) fn nothing_asked() -> Failure {
    Failure::usage("nothing to do: no command and no chipset is given")
        .with_hint(
            "which chipset is it?    wifibox-build detect    (or: pciconf -lv | wifibox-build detect -)",
        )
        .with_hint(
            "build a guest for it:   wifibox-build --flavor iwlwifi    (without a card, to try it out: \
             --flavor hwsim)",
        )
        .with_hint("then start it:          wifibox-build boot out/BASE-FLAVOR")
        .with_hint("everything else:        wifibox-build --help, and wifibox-build list")
}
