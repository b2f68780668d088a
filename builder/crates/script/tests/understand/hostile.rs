//! Scripts that were written to take all time and memory: each ends soon, understood or refused.

use std::time::{Duration, Instant};

use wifibox_script::Ecosystem;

use crate::{root, run};

/// The most time of a processor that one may take in a build without optimisation: five times what the slowest does.
const MOST: Duration = Duration::from_secs(20);

/// A variable of one megabyte of the letter a.
const BIG: &str = "x=aaaaaaaaaaaaaaaa\n\
    for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do x=$x$x; done\n";
/// 10,000 arguments.
const MANY: &str = "set -- $(seq 1 10000)\n";

/// The time that this thread has had of a processor, where the system says: other programs do not count.
fn worked(since: Instant) -> Duration {
    let times = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let spent = times.split(' ').next().and_then(|text| text.parse().ok());
    spent.map_or_else(|| since.elapsed(), Duration::from_nanos)
}

#[track_caller]
fn ends(text: &str) {
    let since = Instant::now();
    let before = worked(since);
    let answer = run(Ecosystem::Debian, "postinst", text, &mut root());
    let took = worked(since).saturating_sub(before);
    let answer = answer.map_or_else(|refused| refused.reason.to_string(), |_| "understood".into());
    assert!(took < MOST, "{took:?}, {answer}: {text:.200}");
}

/// Something in a loop, behind what makes it costly.
#[track_caller]
fn loops(before: &str, command: &str) {
    ends(&format!("{before}while :; do {command}; done\n"));
}

#[test]
fn arguments_and_variables() {
    ends("f() { f \"$@\" \"$@\"; }\nf a b\n");
    ends(
        "f() { local a=\"$1\"; shift; [ $# -gt 0 ] || return 0; echo \"$a $@\"; f \"$@\" \"$@\"; }\nf a b c d\n",
    );
    loops(BIG, ": \"${x+y}\"");
    loops(BIG, ": ${#x}");
    loops(BIG, "x=1 :");
    loops(&format!("{BIG}f() {{ local x; : ; }}\n"), "f");
    loops(MANY, ": \"$@\"");
    loops(MANY, ": \"${*+y}\"");
    loops(MANY, "getopts a o || :");
    loops(&format!("{BIG}IFS=$x\n"), "for i in $x; do :; done");
    ends(&format!("{BIG}IFS=a\nfor i in $x; do :; done\n"));
}

#[test]
fn what_is_nothing_is_work() {
    loops("", &format!("false{}", " && a".repeat(50_000)));
    loops("", &format!("case x in {} *) ;; esac", "'') ;; ".repeat(50_000)));
    loops("", &format!(": {}", "$e ".repeat(50_000)));
    loops("", &"a= ".repeat(50_000));
    loops("", &format!(": ${{e:-$( : || {} )}}", ": ".repeat(50_000)));
    loops(&format!("#{}\n", "x".repeat(900_000)), "echo x >/dev/null");
}

#[test]
fn patterns() {
    loops(&format!("p='{}'\n", "[".repeat(60_000)), "case x in $p) ;; esac");
    let set: String = (' '..'~').filter(|c| !"\\'\"]/-^!".contains(*c)).collect();
    let set = format!("p='*[{}]*[{set}]*b'\n", set.repeat(100));
    ends(&format!("{BIG}{set}case $x in $p) ;; esac\n"));
    ends(&format!("#!/bin/bash\n{BIG}[[ $x == *a*a*a*a*a*a*b ]]\n"));
    loops("", "find / -name '*s*s*s*s*b'");
    loops(&format!("p='{}'\n", "*a".repeat(10_000)), "find / -name \"$p\"");
    ends(&format!("{BIG}y=${{x%%*b}}; y=${{x#*b}}\n"));
}

#[test]
fn expressions() {
    ends(&format!("echo a | sed '{}'\n", "s/a/aa/g;".repeat(60)));
    ends(&format!("echo a | sed '{}'\n", "p;s/$/aaaaaaaaaaaaaaaa/;".repeat(60)));
    loops("", "echo a | grep -E '(a{100}){90}' || :");
    ends(&format!("{BIG}echo $x | grep -E '(((a*)*)*)*b' || :\n"));
    ends(&format!("{BIG}echo $x | grep -E '(a{{50}}){{50}}b' || :\n"));
    ends(&format!("{BIG}echo $x | sed -E 's/a*b|a/x/g' | tail -n 1\n"));
    ends(&format!("{BIG}echo $x | grep -oE 'a*b|a' | tail -n 1\n"));
    loops("", &format!("echo a | sed '{}'", "s/(a\\{100\\}\\{90\\})/b/;".repeat(50)));
    loops("", &format!("echo a | sed 's/{}/b/'", "[".repeat(10_000)));
    ends(&format!("{BIG}expr \"$x\" : 'a*b\\|\\(a\\)*c'\n"));
}

#[test]
fn text_and_columns() {
    loops("", &format!("printf '{}' >/dev/null", "%4096s".repeat(10_000)));
    ends(&format!("{BIG}echo $x | tr a '\\n' | sort -V | head -n 1\n"));
    ends(&format!("{BIG}echo $x | tr a '\\n' | xargs -n 1 ls -d {}\n", "b ".repeat(10_000)));
    ends(&format!("{MANY}seq 1 9999 | xargs -I 1 ls -d {}\n", "1".repeat(10_000)));
    ends(&format!("{BIG}echo $x | cut -c {}1\n", "1,".repeat(10_000)));
    ends(&format!("{BIG}echo $x | awk '{{ print {} }}'\n", "$0, ".repeat(1000) + "$0"));
    ends(&format!("{BIG}echo $x | tr '{}' b | tail -n 1\n", "b-z".repeat(3000)));
    loops("", &format!("stat -c '{}' /etc/passwd >/dev/null", "%n".repeat(10_000)));
    let script = format!("x=1\n. /tmp/a\n{}", "a\n".repeat(100_000));
    ends(&format!("cat >/tmp/a <<'EOF'\n{script}EOF\n. /tmp/a\n"));
}

#[test]
fn files_and_accounts() {
    let deep = format!("mkdir -p /{}\n", "a/".repeat(2000));
    loops(&deep, &format!("[ -e /{} ]", "a/".repeat(2000)));
    loops(&deep, "mv /a /b; mv /b /a");
    loops(&deep, "cp -a /a /b; rm -rf /b");
    loops("", &format!("chmod -R {}u+r /", "u+r,".repeat(10_000)));
    ends(&format!("{BIG}echo $x | tr a : >/etc/passwd\nuseradd a; useradd b\n"));
    loops("n=1\n", "n=$((n + 1)); useradd -r u$n");
    let line = format!("u u1 - {}\n", "a ".repeat(100_000));
    loops(
        &format!("mkdir -p /etc/sysusers.d\necho '{line}' >/etc/sysusers.d/a.conf\n"),
        "systemd-sysusers",
    );
    let unit = format!("[Install]\nAlso={}\n", "a.service b.service ".repeat(50_000));
    let unit =
        format!("mkdir -p /etc/systemd/system\necho '{unit}' >/etc/systemd/system/a.service\n");
    loops(&unit, "deb-systemd-helper enable a.service");
    let slaves: String = (0..10_000).map(|n| format!(" --slave /a/{n} {n} /etc/passwd")).collect();
    let install = format!("update-alternatives --install /usr/bin/x x /etc/passwd 5{slaves}");
    loops("mkdir -p /usr/bin /var/lib/dpkg/alternatives\n", &install);
    loops(&format!("PATH={}\n", ":".repeat(100_000)), "command -v nothing || :");
    loops(
        &format!("f='{}'\n", "x".repeat(100_000)),
        "dpkg-query -W -f \"$f\" libc6 libc6 libc6 || :",
    );
}

#[test]
fn texts_for_the_parser() {
    ends(&"((x '((((((((((((' ) )\n".repeat(40_000));
    ends(&format!("x=$(({}", "((".repeat(500_000)));
    ends(&": $((x '((((((((((((' ) )\n".repeat(40_000));
    for piece in [
        "(",
        "((",
        "$(",
        "$((",
        "`",
        "\\`",
        "${x:-",
        "\"$(",
        "{ ",
        "if ",
        "case x in x) ",
        "<<a ",
        "<<a\n",
        "[[ (",
        "f() ",
        "a=b ",
        "\\\n",
        "'",
        "\"",
        "!",
        "| ",
        "&& ",
        ";;",
        "$",
        "a\n",
        "for i in ",
        "while ",
        "${x/",
        "$(cat <<a\n",
        "((a $(",
        "(( ) $(( ",
        "#\n",
    ] {
        ends(&piece.repeat(200_000 / piece.len()));
    }
}
