#!/usr/bin/env bash
# A project: the guest of examples/own-project is built, built again from a copy elsewhere, and booted; what its service
# writes must be what the project says. And two guests of one project, built from one lock.
# usage: ci/project.sh PATH-TO-WIFIBOX-BUILD PATH-TO-XTASK LOCK-FILE CACHE-DIR FOLDER
set -euo pipefail

tool=$(realpath "$1") xtask=$(realpath "$2") lock=$(realpath "$3") cache=$(realpath "$4")
here=$(cd "$(dirname "$0")/.." && pwd)
rm -rf "$5"
mkdir -p "$5"
work=$(cd "$5" && pwd)

fail() {
    echo "$*" >&2
    exit 1
}

for copy in first "second one"; do
    mkdir -p "$work/$copy/locks"
    cp -R "$here/examples/own-project/." "$work/$copy/"
    rm -rf "$work/$copy/out"
    cp "$lock" "$work/$copy/locks/debian-trixie-amd64.lock"
done

cd "$work/first"
"$tool" --quiet --cache-dir "$cache"
"$tool" why tcpdump --cache-dir "$cache" --frozen | grep -q wifibox.yaml || fail "tcpdump is not there by the project"
"$tool" show | grep -q '# wifibox.yaml:4:9$' || fail "show does not say that the project names the flavor"

# Modes of the host do not count, nor does the folder.
cp locks/debian-trixie-amd64.lock "$work/second one/locks/"
cd "$work/second one"
chmod -R go-rwx .
mkdir deeper
(cd deeper && umask 0077 && TZ=Asia/Tokyo "$tool" --quiet --cache-dir "$cache" --no-cache --frozen --jobs 1)
diff -r "$work/first/out/debian-hwsim" "$work/second one/out/debian-hwsim"
echo "identical: SHA256SUMS $(sha256sum <out/debian-hwsim/SHA256SUMS | cut -c1-16)"

cat >several.yaml <<'YAML'
base: debian
packages: [tcpdump]
guests:
  home: { flavor: hwsim }
  lab: { flavor: hwsim, role: access-point, packages: [iperf3] }
YAML
"$tool" lock --project several.yaml --cache-dir "$cache" >/dev/null
"$tool" --quiet --project several.yaml --cache-dir "$cache" --locked
"$tool" show --project several.yaml -p lab | grep -q 'access-point  *# several.yaml:5:' || fail "lab is no access point"
for name in home lab; do [ -f "out/$name/root.img" ] || fail "$name is not there"; done

cd "$work"
"$xtask" boot-test first/out/debian-hwsim --keep | tee boot.log
kept=$(sed -n "s|^kept: ||p" boot.log | tail -n 1)
[ -n "$kept" ] || fail "boot-test does not say where its folder is"
report=$kept/var/lab-report
[ -f "$report" ] || fail "the service has written no report: $(ls "$kept/var")"
cat "$report"
for line in '^tcpdump version' '^loglevel=5$' '^module dummy$' '^A guest of the lab\.$' '^600 /etc/lab\.conf$' \
    '^755 /etc/sv/lab-report$'; do
    grep -q "$line" "$report" || fail "the report has no line $line"
done
rm -rf "$kept"
