#!/usr/bin/env bash
# freebsd-port-test.sh TOOL LOCK CACHE [IWLWIFI]: the FreeBSD port, made from LOCK (of Debian) and tried with bmake and a
# small stand-in for the ports framework (ci/freebsd-port/test/mk), not on FreeBSD: every flavor with every option is
# evaluated, distinfo is complete and holds nothing else, guests are built and staged by a user without privileges and
# without a network, and what is wrong is refused. IWLWIFI is an output of the same lock: the port makes the same bytes.
set -euo pipefail
tool=$(realpath "$1") lock=$(realpath "$2") cache=$(realpath "$3") reference=${4:-}
here=$(cd "$(dirname "$0")/freebsd-port" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"

fail() {
    echo "freebsd-port-test.sh: $*" >&2
    exit 1
}

# What nobody has to read.
port=$work/net/wifibox-guest
mkdir -p "$work/local/bin" "$work/distfiles" "$work/build"
install -m 755 "$tool" "$work/local/bin/wifibox-build"
cp -r "$here/test/mk" "$work/mk"
cp "$lock" "$work/debian.lock"
"$here/make-port.sh" "$tool" "$port" --base debian --lock-file "$work/debian.lock" --frozen --cache-dir "$cache"
before=$(sha256sum "$port"/*.debian "$port"/files/*)
"$here/make-port.sh" "$tool" "$port" --base debian --lock-file "$work/debian.lock" --frozen --cache-dir "$cache" --jobs 1 \
    >/dev/null
[ "$before" = "$(sha256sum "$port"/*.debian "$port"/files/*)" ] || fail "the second export differs from the first"
chmod -R a+rX "$work"

ports_make=(bmake -m "$work/mk" -C "$port" WIFIBOX_BASE=debian "LOCALBASE=$work/local" "DISTDIR=$work/distfiles")
port_make() { "${ports_make[@]}" "$@"; }
# refuses PATTERN COMMAND...: the command fails and says so.
refuses() {
    local pattern=$1 said
    shift
    if said=$("$@" 2>&1); then fail "not refused: $*"; fi
    grep -qE "$pattern" <<<"$said" || fail "refused for another reason than $pattern: $* says: $said"
}

echo "--- every flavor with every option"
read -r -a flavors <<<"$(port_make -V FLAVORS)"
read -r -a singles <<<"$(port_make -V OPTIONS_SINGLE_APPLICATION)"
read -r -a kernels <<<"$(port_make -V OPTIONS_SINGLE_KERNEL)"
read -r -a switches <<<"$(port_make -V OPTIONS_DEFINE -V OPTIONS_GROUP_EXTRAS | tr '\n' ' ' | sed 's/DOCS//')"
# Those of this base: the others name theirs.
[ "${#flavors[@]}" -eq "$(grep -L '^bases:' "$here"/../../recipes/flavors/*.yaml | wc -l)" ] || fail "flavors are missing"
[ "${#singles[@]}" -eq 2 ] || fail "roles are missing: ${singles[*]}"
[ "${#kernels[@]}" -eq 2 ] || fail "kernels are missing: ${kernels[*]}"
[ "${#switches[@]}" -ge 5 ] || fail "options are missing: ${switches[*]}"
: >"$work/needed"
evaluated=0 prevented=0
# evaluate FLAVOR APPLICATION KERNEL SET: what this guest fetches; bit N of SET says whether switch N is on.
evaluate() {
    local flavor=$1 with="$2 $3" without='' other bit
    for other in "${singles[@]}" "${kernels[@]}"; do [[ $other == "$2" || $other == "$3" ]] || without+=" $other"; done
    for ((bit = 0; bit < ${#switches[@]}; bit++)); do
        if (($4 >> bit & 1)); then with+=" ${switches[bit]}"; else without+=" ${switches[bit]}"; fi
    done
    if ! port_make -V DISTFILES "FLAVOR=$flavor" "WITH=$with" "WITHOUT=$without" >"$work/list" 2>"$work/said"; then
        # What the recipes exclude, the port prevents.
        grep -q 'does not go with' "$work/said" || fail "$flavor with $with: $(cat "$work/said")"
        prevented=$((prevented + 1))
        return
    fi
    tr -s ' ' '\n' <"$work/list" | sed '/^$/d' >"$work/names"
    [ -s "$work/names" ] || fail "$flavor with $with: nothing to fetch"
    [ -z "$(sort "$work/names" | uniq -d)" ] || fail "$flavor with $with: listed twice"
    cat "$work/names" >>"$work/needed"
    evaluated=$((evaluated + 1))
}
all=$(((1 << ${#switches[@]}) - 1))
for flavor in "${flavors[@]}"; do
    suffix=-$flavor
    [ "$flavor" = default ] && suffix=
    [[ $(port_make -V PKGNAME "FLAVOR=$flavor") =~ ^wifibox-guest$suffix-[0-9]{8}$ ]] || fail "$flavor: name of the package"
    for application in "${singles[@]}"; do
        # Everything off, one thing on; for one flavor every set.
        sets=(0)
        for ((bit = 0; bit < ${#switches[@]}; bit++)); do sets+=($((1 << bit))); done
        [ "$flavor" != hwsim ] || mapfile -t sets < <(seq 0 "$all")
        for kernel in "${kernels[@]}"; do
            for set in "${sets[@]}"; do evaluate "$flavor" "$application" "$kernel" "$set"; done
        done
    done
done
for option in $(port_make -V OPTIONS_SINGLE_COMPRESSION); do
    chosen=$(port_make -V GUEST_ARGS "WITH=$option" "WITHOUT=$(port_make -V OPTIONS_SINGLE_COMPRESSION | sed "s/$option//")")
    grep -q -- "--compression $(tr '[:upper:]' '[:lower:]' <<<"${option#COMP_}")" <<<"$chosen" || fail "$option: $chosen"
    evaluated=$((evaluated + 1))
done

# Several flavors in one guest, by options of the flavor default: what each of them fetches, together.
read -r -a parts <<<"$(port_make -V OPTIONS_GROUP_FIRMWARE FLAVOR=default | tr -s ' ')"
[ "${#parts[@]}" -ge 14 ] || fail "options of the flavor default are missing: ${parts[*]}"
[ -z "$(port_make -V OPTIONS_GROUP_FIRMWARE FLAVOR=iwlwifi)" ] || fail "one flavor has options of the default one"
# files_of FLAVOR [OPTION...]: what it fetches, of the parts only those named.
files_of() {
    local flavor=$1 with=''
    local without="${parts[*]}" option
    shift
    [ "$flavor" = default ] || without=''
    for option; do
        with+=" $option"
        without=$(sed -E "s/(^| )$option( |\$)/ /" <<<"$without")
    done
    port_make -V DISTFILES "FLAVOR=$flavor" "WITH=$with" "WITHOUT=$without" | tr -s ' ' '\n' | sed '/^$/d' | LC_ALL=C sort -u
}
combined=0
for option in "${parts[@]}"; do
    flavor=${option#FW_}
    flavor=${flavor,,}
    files_of "$flavor" >"$work/one"
    files_of default "$option" | cmp - "$work/one" || fail "$option alone is not the flavor $flavor"
    # Beside another one, both; the other is the one before it.
    if [ -n "${last:-}" ]; then
        files_of default "FW_${last^^}" "$option" >"$work/both"
        cat "$work/one" "$work/last" | LC_ALL=C sort -u | cmp - "$work/both" || fail "$option with FW_${last^^}: not the files of both"
        combined=$((combined + 1))
    fi
    mv "$work/one" "$work/last"
    last=$flavor
done
[ "$(port_make -V GUEST_FLAVOR FLAVOR=default)" = default ] || fail "all of the default one is not the flavor default"
chosen=$(port_make -V GUEST_FLAVOR FLAVOR=default WITH=FW_B43LEGACY "WITHOUT=$(sed -E 's/FW_(B43LEGACY|RTW88)( |$)//g' <<<"${parts[*]}")")
[ "$chosen" = b43legacy+rtw88 ] || fail "FW_B43LEGACY and FW_RTW88 are told to the builder as $chosen"
echo "${#parts[@]} options of firmware, alone and $combined pairs: each fetches what its flavors fetch"

sed 's/:.*//' "$work/needed" | LC_ALL=C sort -u >"$work/names"
for key in SHA256 SIZE; do
    sed -n "s,^$key (wifibox-guest/\(.*\)) = .*,\1,p" "$port/distinfo.debian" | LC_ALL=C sort >"$work/$key"
    diff "$work/names" "$work/$key" || fail "DISTFILES and $key of distinfo differ"
done
[ "$(port_make -V DISTFILES makesum | tr -s ' ' '\n' | grep -c .)" -eq "$(wc -l <"$work/names")" ] ||
    fail "makesum does not sum up everything"
grep -qx 'TIMESTAMP = [0-9]*' "$port/distinfo.debian" || fail "distinfo has no TIMESTAMP"
echo "$evaluated guests ($prevented prevented), $(wc -l <"$work/names") distfiles: each has SHA256 and SIZE, and no other has"

echo "--- fetched from a mirror, built and staged by nobody without a network"
for guest in "--flavor iwlwifi" "--flavor hwsim --role access-point --with mdns --with forwarding --with tcpdump"; do
    # shellcheck disable=SC2086 # words
    "$tool" fetch --base debian $guest --quiet --locked --lock-file "$work/debian.lock" --cache-dir "$cache" >/dev/null
done
# What is in the store, in the layout of its mirror.
while read -r _ name _ sha256; do
    name=${name#(wifibox-guest/} stored=$cache/store/sha256/${sha256:0:2}/$sha256
    name=$work/mirror/${name%)}
    [ -f "$stored" ] || continue
    mkdir -p "${name%/*}"
    ln "$stored" "$name" 2>/dev/null || cp "$stored" "$name"
done < <(grep '^SHA256' "$port/distinfo.debian")
chown -R nobody "$work/build" 2>/dev/null || true

cut=(unshare -n setpriv --reuid nobody --regid nogroup --clear-groups)
[ "$(id -u)" -eq 0 ] || cut=(unshare -rn)
as_nobody() { "${cut[@]}" env -i "PATH=$PATH" HOME=/nonexistent "$@"; }
[ "$(as_nobody sh -c 'cat /proc/net/dev' | tail -n +3 | grep -cv '^ *lo:')" -eq 0 ] || fail "the network is not cut"
[ "$(id -u)" -ne 0 ] || [ "$(as_nobody id -un)" = nobody ] || fail "privileges are not dropped"

# stage NAME VARIABLE...: fetches with a network, builds and stages without.
stage() {
    local name=$1
    shift
    port_make fetch "MASTER_SITE_OVERRIDE=file://$work/mirror/" "$@" >"$work/fetch.log" 2>&1 || {
        cat "$work/fetch.log"
        fail "$name: not fetched"
    }
    as_nobody "${ports_make[@]}" "WRKDIR=$work/build/$name" "$@" stage test check-plist >"$work/stage.log" 2>&1 || {
        cat "$work/stage.log"
        fail "$name: not staged"
    }
    local listed built
    listed=$(port_make -V 'DISTFILES:[#]' "$@")
    built=$(grep -c '^    {' <(sed -n '/^  "packages"/,/^  \]/p' "$work/build/$name/guest/manifest.json"))
    [ "$listed" -eq "$built" ] || fail "$name: $listed distfiles, but the guest has $built packages"
    echo "$name: $listed distfiles, all used; $(tail -n 1 "$work/stage.log")"
}
stage iwlwifi FLAVOR=iwlwifi
stage access-point FLAVOR=hwsim "WITH=APP_ACCESS_POINT COMP_LZ4 XX_MDNS XX_FORWARDING XX_TCPDUMP" \
    "WITHOUT=APP_SUPPLICANT COMP_XZ IPV6"
stage several FLAVOR=default WITH=COMP_LZO "WITHOUT=COMP_XZ $(sed -E 's/FW_(ATH9K|RTW88)( |$)//g' <<<"${parts[*]}")"
stage smallest FLAVOR=hwsim WITH=COMP_GZIP "WITHOUT=COMP_XZ IPV6 UDS_PASSTHRU DOCS"
if [ -n "$reference" ]; then
    for image in root.img esp.img; do
        cmp "$reference/$image" "$work/build/iwlwifi/stage/usr/local/share/wifibox/$image" ||
            fail "$image is not that of a build without the port"
    done
    echo "root.img and esp.img are those of a build without the port"
fi
# net/wifibox-core follows this link, and bhyve ends where it is a file.
for link in iwlwifi=wpa_supplicant access-point=hostapd smallest=wpa_supplicant; do
    staged=$work/build/${link%%=*}/stage/usr/local/etc/wifibox/app_config
    [[ $(readlink "$staged") == "${link#*=}" && -d $staged ]] || fail "$staged is no link to the folder ${link#*=}"
done
for file in etc/wifibox/appliance/hostname.sample share/wifibox/esp.img share/wifibox/root.img \
    share/man/man5/wifibox-alpine.5.gz share/doc/wifibox-guest/licenses/SUMMARY.txt; do
    [ -f "$work/build/iwlwifi/stage/usr/local/$file" ] || fail "not staged: $file"
done
[ -d "$work/build/iwlwifi/stage/var/run/wifibox/appliance/lib/misc" ] || fail "no skeleton of var"
[ -d "$work/build/access-point/stage/var/run/hostapd" ] || fail "no place for the control sockets of hostapd"
[ ! -e "$work/build/smallest/stage/usr/local/share/doc" ] || fail "documents in spite of WITHOUT=DOCS"

echo "--- packages of the same guests are what the port stages"
openssl genrsa -out "$work/key" 2048 2>/dev/null
for guest in iwlwifi access-point; do
    "$tool" export freebsd-pkg "$work/build/$guest/guest" --key "$work/key" --out "$work/packages/$guest" --quiet >/dev/null
    zstd -dqc "$work/packages/$guest"/All/*.pkg >"$work/package.tar"
    python3 - "$work/package.tar" "$work/build/$guest/stage" <<'PYTHON'
import os, stat, sys, tarfile

package, stage = {}, {}
with tarfile.open(sys.argv[1]) as archive:
    for member in archive:
        content = archive.extractfile(member).read() if member.isfile() else member.linkname
        package[member.name.lstrip("/")] = (oct(member.mode), content)
for above, folders, files in os.walk(sys.argv[2]):
    for name in folders + files:
        path = os.path.join(above, name)
        data = os.lstat(path)
        if stat.S_ISLNK(data.st_mode):
            mode, content = "0o755", os.readlink(path)
        else:
            mode = oct(stat.S_IMODE(data.st_mode))
            content = open(path, "rb").read() if stat.S_ISREG(data.st_mode) else ""
        stage[os.path.relpath(path, sys.argv[2])] = (mode, content)
own = {name for name in package if name.startswith("+")}
# Folders below PREFIX come and go with their files, and every FreeBSD system has these.
nobodys = {name for name, (_, content) in stage.items() if content == "" and
           (name in ("usr", "var", "var/run") or name.startswith("usr/local"))}
for name in sorted(own ^ {"+MANIFEST", "+COMPACT_MANIFEST"} | (package.keys() - own) ^ (stage.keys() - nobodys)):
    sys.exit(f"{name} is in the package or in the staging folder only")
for name in package.keys() - own:
    if package[name] != stage[name]:
        sys.exit(f"{name} is not as it was staged: {package[name][0]}, {stage[name][0]}")
print(f"{len(package) - len(own)} files, links and folders of the package are those of the staging folder")
PYTHON
done

echo "--- what is wrong is refused"
refused=0
wrong() {
    refuses "$@"
    refused=$((refused + 1))
}
wrong 'at least one of the options FW_' port_make FLAVOR=default "WITHOUT=${parts[*]}" fetch
wrong 'unknown flavor nosuch' port_make -V PKGNAME FLAVOR=nosuch
wrong 'exactly one option of APPLICATION' port_make -V PKGNAME WITH=APP_ACCESS_POINT
wrong 'there is no option NOSUCH' port_make -V PKGNAME WITH=NOSUCH
wrong 'has no lists for WIFIBOX_BASE=nosuch' port_make WIFIBOX_BASE=nosuch fetch
wrong 'must agree to.*ACCEPT_LICENCE=ipw2x00' port_make FLAVOR=ipw2x00 fetch
wrong 'name your own files with FIRMWARE_ADD' port_make FLAVOR=b43 fetch
wrong 'is only for amd64, and this is riscv64' port_make ARCH=riscv64 fetch
[ -z "$(port_make -V IGNORE FLAVOR=ipw2x00 ACCEPT_LICENCE=ipw2x00)" ] || fail "agreement is not heard"

victim=$(port_make -V DISTFILES FLAVOR=hwsim | tr -s ' ' '\n' | sed -n 's/:.*//;/\/iw_/p')
file=$work/distfiles/wifibox-guest/$victim
name=${victim##*/} name=${name//+/\\+}
mv "$file" "$work/kept"
# The build directory of the smallest guest is good: what fails now fails for the file.
again=("${ports_make[@]}" FLAVOR=hwsim "WRKDIR=$work/build/again" WITH=COMP_LZ4 WITHOUT=COMP_XZ)
wrong "$name" as_nobody "${again[@]}" stage
wrong "$name" as_nobody "${again[@]}" do-build
printf x | cat "$work/kept" - >"$file"
wrong "Checksum mismatch for .*$name" as_nobody "${again[@]}" stage
wrong "$name.* is not used" as_nobody "${again[@]}" NO_CHECKSUM=yes stage
# One byte, the same size.
{ printf x; tail -c +2 "$work/kept"; } >"$file"
wrong "Checksum mismatch for .*$name" as_nobody "${again[@]}" stage
wrong "$name.* is not used" as_nobody "${again[@]}" NO_CHECKSUM=yes stage
[ ! -e "$work/build/again/guest/root.img" ] || fail "a guest was made of a wrong distfile"
mv "$work/kept" "$file"
mv "$work/local/bin/wifibox-build" "$work/kept"
wrong 'depends on package wifibox-build' as_nobody "${again[@]}" stage
mv "$work/kept" "$work/local/bin/wifibox-build"
cp "$port/distinfo.debian" "$work/kept"
grep -vE "$name" "$work/kept" >"$port/distinfo.debian"
wrong 'No checksum recorded' as_nobody "${again[@]}" stage
cp "$work/kept" "$port/distinfo.debian"
# The packing list with a file less, and with one more.
cp "$port/pkg-plist.debian" "$work/kept"
smallest=(WRKDIR="$work/build/smallest" FLAVOR=hwsim WITH=COMP_GZIP "WITHOUT=COMP_XZ IPV6 UDS_PASSTHRU DOCS")
grep -v 'iptables.sample' "$work/kept" >"$port/pkg-plist.debian"
wrong 'iptables.sample' port_make check-plist "${smallest[@]}"
{ cat "$work/kept"; echo share/wifibox/nosuch; } >"$port/pkg-plist.debian"
wrong 'nosuch' port_make check-plist "${smallest[@]}"
cp "$work/kept" "$port/pkg-plist.debian"
port_make check-plist "${smallest[@]}" >/dev/null || fail "the packing list was good before"
echo "$refused of $refused refused, each for its reason"

echo "--- the port of the builder itself"
"$here/make-crates.sh" "$work/sysutils/wifibox-build"
listed=$(grep -cE $'^(CARGO_CRATES=|\t)' "$work/sysutils/wifibox-build/Makefile.crates")
for key in SHA256 SIZE; do
    [ "$listed" -eq "$(grep -c "^$key (rust/crates/.*\.crate) = " "$work/sysutils/wifibox-build/distinfo")" ] ||
        fail "crates and $key of distinfo differ"
done
# Where cargo leaves the program: frameworks before 2026 name the target, and WITH_DEBUG takes --release away.
builder=(bmake -m "$work/mk" -C "$work/sysutils/wifibox-build" "WRKSRC=$(realpath "$here/../..")" "STAGEDIR=$work/build/builder" CARGO_TARGET_DIR=/t)
for built in "/t//release" "/t/x/release CARGO_BUILD_TARGET=x" "/t/x/debug CARGO_BUILD_TARGET=x WITH_DEBUG=yes" "/t//debug WITH_DEBUG=yes"; do
    read -r folder with <<<"$built"
    # shellcheck disable=SC2086 # words
    [ "$("${builder[@]}" -V _BUILT $with)" = "$folder/wifibox-build" ] || fail "the program is not looked for in $folder"
done
"${builder[@]}" do-install "_BUILT=$tool" INSTALL_PROGRAM="ln -s" >"$work/stage.log" 2>&1 || fail "the builder is not staged: $(cat "$work/stage.log")"
diff <("${builder[@]}" -V PLIST_FILES | tr -s ' ' '\n' | sed 's/\.gz$//' | LC_ALL=C sort) \
    <(cd "$work/build/builder/usr/local" && find . ! -type d -printf '%P\n' | LC_ALL=C sort) || fail "PLIST_FILES is not what is staged"
echo "$listed crates; the program, its man pages and completions are staged as PLIST_FILES has them"
