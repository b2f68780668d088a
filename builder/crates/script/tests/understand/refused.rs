//! Scripts that are refused, and the messages for them.

use wifibox_script::Reason;

use crate::{debian, root};

#[test]
fn an_unknown_command_is_named_with_its_place() {
    let text = "#!/bin/sh\nset -e\n\n# Makes it.\nfrobnicate --all /etc\nexit 0\n";
    let error = debian(text, &mut root()).expect_err("nobody knows it");
    assert_eq!((error.line, error.command.as_str()), (5, "frobnicate --all /etc"));
    let message = "package pkg, postinst, line 5: the command \"frobnicate\" is not known\n  \
        in the command: frobnicate --all /etc\n       \
        4 | # Makes it.\n  >    5 | frobnicate --all /etc\n       6 | exit 0";
    assert_eq!(error.to_string(), message);
}

#[test]
fn what_asks_the_host_is_refused() {
    for text in [
        "uname -r",
        "date +%s",
        "hostname -f",
        "cat /proc/cpuinfo",
        "echo $RANDOM",
        "[ -e /sys/x ]",
    ] {
        let error = debian(text, &mut root()).expect_err(text);
        assert!(matches!(error.reason, Reason::Host(_)), "{text}: {error}");
    }
}

#[test]
fn what_is_outside_of_the_vocabulary_is_refused() {
    for text in
        ["eval \"$x\"", "sleep 1 &", "useradd -r --root /x a", "sed -f /x", "chmod u=q /etc"]
    {
        let error = debian(text, &mut root()).expect_err(text);
        assert!(matches!(error.reason, Reason::Unsupported(_)), "{text}: {error}");
    }
    for text in
        ["if true; then", "echo \"open", "x=(a b)", "case x in", "f() {", "a && ", "cat <(ls)"]
    {
        let error = debian(text, &mut root()).expect_err(text);
        assert!(matches!(error.reason, Reason::Syntax(_)), "{text}: {error}");
    }
    let error = debian("#!/usr/bin/perl\nprint;\n", &mut root()).expect_err("not a shell's");
    assert!(matches!(error.reason, Reason::Interpreter(_)), "{error}");
}

#[test]
fn what_does_not_end_is_refused() {
    let growing = "x=aaaaaaaaaaaaaaaa; while :; do x=$x$x; done";
    let calls = "f() { f; }; f";
    for text in ["while true; do :; done", growing, calls, "until false; do echo x >> /tmp/f; done"]
    {
        let error = debian(text, &mut root()).expect_err(text);
        assert!(matches!(error.reason, Reason::Limit(_)), "{text}: {error}");
    }
    let deep = format!("{}x{}", "$(".repeat(5000), ")".repeat(5000));
    let error = debian(&format!("echo {deep}"), &mut root()).expect_err("too deep");
    assert!(matches!(error.reason, Reason::Syntax(_)), "{error}");
}
