//! Programs that the test's own scripts in the guest need and a guest may be without: the host's
//! busybox, if it is a static program for the guest's processor, goes along on the share `e2e`.

use super::session::Session;
use super::setup::Setup;

/// Where a host has its busybox.
const PLACES: [&str; 3] = ["/bin/busybox", "/usr/bin/busybox", "/usr/local/bin/busybox"];

/// `tool NAME` gives the command for NAME: the guest's own, or else the one that came along.
const TOOLS: &str = "\
tool() {
	if command -v \"$1\" >/dev/null; then
		echo \"$1\"
	else
		echo \"/run/e2e/busybox $1\"
	fi
}
# orders NAME: runs what the test orders of NAME while it goes on, one script after the other.
orders() {
	number=1
	while :; do
		if [ -f \"orders/$1-$number\" ]; then
			sh \"orders/$1-$number\" >\"out/$1-$number.log\" 2>&1 </dev/null
			echo $? >\"out/$1-$number.new\"
			mv \"out/$1-$number.new\" \"out/$1-$number\"
			number=$((number + 1))
		fi
		sleep 1
	done
}
# Not every sleep knows fractions of a second.
sleep 0.01 2>/dev/null || sleep() { /run/e2e/busybox sleep \"$1\"; }
";

/// Puts the scripts' helper, and the host's busybox where it has one that the guest can run, into the share.
pub fn put(setup: &Setup) -> Result<(), String> {
    let exchange = &setup.exchange;
    Session::put(exchange, "tools.sh", TOOLS.as_bytes())?;
    if setup.architecture != std::env::consts::ARCH {
        return Ok(());
    }
    for place in PLACES {
        // Without one, a guest that needs it fails with the name of the program that it misses.
        if let Ok(program) = std::fs::read(place)
            && is_static(&program)
        {
            return Session::put(exchange, "busybox", &program);
        }
    }
    Ok(())
}

/// Whether this is an ELF program that asks for no dynamic linker, so that it runs in any guest.
fn is_static(program: &[u8]) -> bool {
    program.starts_with(b"\x7fELF")
        && wifibox_tree::libraries::needs(program)
            .is_none_or(|needs| needs.interpreter.is_none() && needs.libraries.is_empty())
}
