//! What a package says of itself to people: as the port does, whose files are the source of the longer texts.

/// The port's origin.
pub(super) const ORIGIN: &str = "net/wifibox-guest";
/// The name of the package of the flavor `default`, with which those of the others begin.
pub(super) const NAME: &str = "wifibox-guest";
/// The flavor that has no suffix.
pub(super) const DEFAULT: &str = "default";
pub(super) const CATEGORY: &str = "net";
pub(super) const MAINTAINER: &str = "ports@FreeBSD.org";
pub(super) const COMMENT: &str = "Linux guest of Wifibox that drives a Wi-Fi card for the host";
pub(super) const WWW: &str = "https://github.com/pgj/freebsd-wifibox";
pub(super) const LICENCES: [&str; 2] = ["BSD2CLAUSE", "GUEST"];
/// The program that starts the guest, and where the ports tree has it.
pub(super) const CORE: (&str, &str) = ("wifibox-core", "net/wifibox-core");
/// What passes the sockets of the guest's daemons on to the host, for guests with [`SOCKETS`].
pub(super) const SOCAT: (&str, &str) = ("socat", "net/socat");
/// The feature that needs it.
pub(super) const SOCKETS: &str = "uds_passthru";
/// Features for which the host's packet filter has to be told something.
const FILTERED: [&str; 2] = ["mdns", "forwarding"];

pub(super) const DESCRIPTION: &str =
    include_str!("../../../../../ci/freebsd-port/net/wifibox-guest/pkg-descr");
const MESSAGE: &str = include_str!("../../../../../ci/freebsd-port/net/wifibox-guest/pkg-message");
const MESSAGE_FILTERED: &str =
    include_str!("../../../../../ci/freebsd-port/net/wifibox-guest/pkg-message.iptables");

/// What is printed after the installation of a guest with these features.
pub(super) fn message(features: &[String]) -> &'static str {
    let filtered = features.iter().any(|feature| FILTERED.contains(&feature.as_str()));
    let file = if filtered { MESSAGE_FILTERED } else { MESSAGE };
    // The port's file is UCL: a list of one message, as a text between two lines.
    let text = file.split_once("<<EOM\n").and_then(|(_, rest)| rest.split_once("\nEOM\n"));
    text.map_or(file, |(text, _)| text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_says_the_same() {
        let makefile = include_str!("../../../../../ci/freebsd-port/net/wifibox-guest/Makefile");
        let has = |line: &str| assert!(makefile.contains(&format!("{line}\n")), "{line}");
        has(&format!("PORTNAME=\t{NAME}"));
        has(&format!("CATEGORIES=\t{CATEGORY}"));
        has(&format!("MAINTAINER=\t{MAINTAINER}"));
        has(&format!("COMMENT=\t{COMMENT}"));
        has(&format!("WWW=\t\t{WWW}"));
        has(&format!("LICENSE=\t{}", LICENCES.join(" ")));
        has(&format!("RUN_DEPENDS=\t{}>0:{}", CORE.0, CORE.1));
        has(&format!("{}_RUN_DEPENDS=\t{}>0:{}", SOCKETS.to_uppercase(), SOCAT.0, SOCAT.1));
        has(&format!(".for flavor in ${{FLAVORS:N{DEFAULT}}}"));
        for feature in FILTERED {
            assert!(
                makefile.contains(&format!("${{PORT_OPTIONS:MXX_{}}}", feature.to_uppercase()))
            );
        }
    }

    #[test]
    fn messages_are_the_text_alone() {
        for (features, words) in
            [(vec![], "see\nwifibox-guest(5)"), (vec!["mdns".to_owned()], "multicast DNS")]
        {
            let text = message(&features);
            assert!(text.starts_with("Copy what you want") && text.contains(words), "{text}");
            assert!(!text.contains("EOM") && !text.ends_with('\n'), "{text}");
        }
    }
}
