//! Commands that OpenWrt's scripts call while an image is built.

use wifibox_script::{Ecosystem, Files};

use crate::{root, run};

#[test]
fn what_is_for_running_systems_is_left_out() {
    let text = "#!/bin/sh\n[ -n \"${IPKG_INSTROOT}\" ] || { /etc/init.d/x restart; reboot; }\n\
        [ -z \"${IPKG_INSTROOT}\" ] && touch /etc/running\nexit 0\n";
    let mut files = root();
    let done = run(Ecosystem::OpenWrt, "postinst", text, &mut files).expect("understood");
    assert_eq!(done.effects, []);
}

#[test]
fn files_below_the_images_root_are_the_trees() {
    let text = "#!/bin/sh\n. ${IPKG_INSTROOT}/lib/functions.sh\ndefault_postinst $0 $@\n\
        grep -q x ${IPKG_INSTROOT}/etc/services || echo 'x 1/tcp' >> ${IPKG_INSTROOT}/etc/services\n";
    let mut files = root();
    run(Ecosystem::OpenWrt, "postinst", text, &mut files).expect("understood");
    assert_eq!(files.text("/etc/services").as_deref(), Some("x 1/tcp\n"));
    assert!(files.lookup("/etc/services").is_some());
}
