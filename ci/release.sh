#!/usr/bin/env bash
# Builds a release: guests of all flavors and bases (or those named), each built twice and compared byte for byte,
# boot-tested where it can be, with checksums, bills of materials, licences, provenance and an index, all of it signed.
# Whatever continuous integration calls it, it does the same; nothing in the result depends on when and where it ran.
#
#   ci/release.sh --out DIR --key FILE [OPTION]...
#
#   --out DIR              the release folder; appears whole, or not at all
#   --key FILE             minisign's secret key (without it: the key in the variable MINISIGN_KEY); its password, if
#                          it has one, in the variable MINISIGN_PASSWORD
#   --public-key FILE      the public key that the result must verify with [default: that of the secret key]
#   --base BASE            a base, may be repeated [default: all]
#   --flavor FLAVOR        a flavor, may be repeated [default: all that may be passed on]
#   --role ROLE            a role, may be repeated [default: each base's own]
#   --arch NAME            the guests' architecture [default: each base's own]
#   --version VERSION      the release's version [default: the builder's]
#   --source URL@COMMIT    where the sources are from, for the provenance [default: this checkout's origin and commit]
#   --builder-id URI       who runs this, for the provenance [default: this script]
#   --locks DIR            lock files to start from (BASE-RELEASE-ARCHITECTURE.lock) [default: new ones]
#   --boot WHICH           hwsim: guests with simulated radios do their work, by UEFI and directly (the default);
#                          all: the others load all their modules, too; none
#   --program TARGET=FILE  puts a program of the tool (see ci/static.sh) into the release, may be repeated
#   --tool FILE            the tool [default: built from this checkout]
#   --xtask FILE           the developer's chores [default: built from this checkout]
#   --mirror NAME=URL, --cache-dir DIR, --jobs N    as the tool has them
set -euo pipefail

root=$(realpath "$(dirname "$0")/..")
bases=() flavors=() roles=() programs=() options=() arch=()
out='' key='' public='' version='' source='' builder_id='' locks='' boot=hwsim tool='' xtask=''

usage() {
    sed -n '2,/^set -/s/^# \{0,1\}//p' "$0" >&2
    exit 2
}
die() {
    echo "ci/release.sh: $*" >&2
    exit 1
}
while [ $# -gt 0 ]; do
    [ $# -ge 2 ] || usage
    case $1 in
    --out) out=$(realpath -m "$2") ;;
    --key) key=$(realpath -e "$2") ;;
    --public-key) public=$(realpath -e "$2") ;;
    --base) bases+=("$2") ;;
    --flavor) flavors+=("$2") ;;
    --role) roles+=("$2") ;;
    --arch) arch=(--arch "$2") ;;
    --version) version=$2 ;;
    --source) source=$2 ;;
    --builder-id) builder_id=$2 ;;
    --locks) locks=$(realpath -e "$2") ;;
    --boot) boot=$2 ;;
    --program) programs+=("$2") ;;
    --tool) tool=$(realpath -e "$2") ;;
    --xtask) xtask=$(realpath -e "$2") ;;
    --cache-dir) options+=("$1" "$(realpath -m "$2")") ;;
    --mirror | --jobs) options+=("$1" "$2") ;;
    *) usage ;;
    esac
    shift 2
done
[ -n "$out" ] || usage
[[ $boot == hwsim || $boot == all || $boot == none ]] || usage
if [ -e "$out" ] && ! [ -f "$out/index.json" ]; then die "$out exists and is no release: name another folder"; fi

mkdir -p "$(dirname "$out")"
work=$(mktemp -d "$(dirname "$out")/.release.XXXXXX")
trap 'rm -rf "$work"' EXIT
release=$work/release
mkdir -p "$release/guests" "$release/locks" "$work/first/locks" "$work/second and last"

if [ -z "$key" ]; then
    [ -n "${MINISIGN_KEY:-}" ] || die "no key to sign with: --key FILE, made by 'minisign -G -p minisign.pub -s FILE'"
    key=$work/key
    (umask 077 && printf '%s\n' "$MINISIGN_KEY" >"$key")
fi
unset MINISIGN_KEY
if [ -z "$tool" ]; then
    echo "=== building the tool"
    cargo build --manifest-path "$root/Cargo.toml" --release --quiet --bin wifibox-build
    tool=${CARGO_TARGET_DIR:-$root/target}/release/wifibox-build
fi
if [ -z "$xtask" ]; then
    cargo build --manifest-path "$root/Cargo.toml" --release --quiet --package xtask
    xtask=${CARGO_TARGET_DIR:-$root/target}/release/xtask
fi
[ -n "$version" ] || version=$("$tool" --version | cut -d ' ' -f 2)
if [ -z "$source" ] && ! git -C "$root" diff --quiet HEAD 2>/dev/null; then
    echo "the sources are not those of a commit: the provenance will name none"
elif [ -z "$source" ]; then
    origin=$(git -C "$root" config --get remote.origin.url || true)
    # A folder of this machine, or a place that needs a password, says nothing to others.
    [[ $origin == https://* && $origin != *@* ]] || origin=https://github.com/wifibox-build/wifibox-build
    source=${origin%.git}@$(git -C "$root" rev-parse HEAD)
fi

# sign FOLDER WHAT: signs its SHA256SUMS. The untrusted comment repeats the trusted one: `verify` asks for that.
sign() {
    local comment="wifibox-build $version: $2"
    # Not by a pipe: minisign does not read the password of a key that has none, and the writer would fail.
    minisign -S -s "$key" -m "$1/SHA256SUMS" -c "$comment" -t "$comment" \
        <<<"${MINISIGN_PASSWORD:-}" >"$work/log" 2>&1 || {
        cat "$work/log" >&2
        die "cannot sign $1"
    }
}

# listing KIND: names, each with the bases that it is for (none: all of them).
listing() {
    "$tool" list --json | python3 -c 'import json, sys
for item in json.load(sys.stdin)["list"][sys.argv[1]]:
    print(item["name"], *(item["only_with"] if sys.argv[1] == "flavors" else []))' "$1"
}

# Why a flavor is not released unless it is asked for.
declare -A withheld=(
    [wl]="who passes Broadcom's driver on has to agree to its licence: build the guest yourself"
    [b43legacy]="its firmware may not be passed on: build the guest with your own (--firmware-add)"
    [b43]="its firmware may not be passed on: build the guest with your own (--firmware-add)"
    [ipw2x00]="its user has to agree to a licence: build the guest with --accept-licence ipw2x00"
)
[ ${#bases[@]} -gt 0 ] || mapfile -t bases < <(listing bases)
everything=
if [ ${#flavors[@]} -eq 0 ]; then
    everything=yes
    mapfile -t flavors < <(listing flavors | cut -d ' ' -f 1)
fi
[ ${#roles[@]} -gt 0 ] || roles=('')
[ -z "$locks" ] || find "$locks" -maxdepth 1 -name '*.lock' -exec cp -t "$work/first/locks" -- {} +

seal=(release "$release" --version "$version")
[ -z "$source" ] || seal+=(--source "$source")
[ -z "$builder_id" ] || seal+=(--builder-id "$builder_id")

# build FOLDER OUT ARGUMENT...: in FOLDER, where the locks are, with these variables.
variables=()
build() {
    local folder=$1 result=$2
    shift 2
    (cd "$folder" && env "${variables[@]}" "$tool" --quiet "$@" "${arch[@]}" "${options[@]}" --out "$result" >"$work/log") || return 1
}

# boot_test NAME HOW ARGUMENT...
boot_test() {
    local name=$1 how=$2
    shift 2
    "$xtask" boot-test "$release/guests/$name" "$@" >"$work/log" 2>&1 || {
        tail -n 50 "$work/log" >&2
        die "$name does not pass its boot test ($how)"
    }
    seal+=(--boot-tested "$name=$how")
    echo "    booted: $how"
}

for base in "${bases[@]}"; do
    for flavor in "${flavors[@]}"; do
        if [ -n "$everything" ]; then
            only=$(listing flavors | sed -n "s/^$flavor //p")
            [[ -z $only || " $only " == *" $base "* ]] || continue
            if [ -n "${withheld[$flavor]:-}" ]; then
                seal+=(--omitted "$base-$flavor=${withheld[$flavor]}")
                echo "=== $base-$flavor left out: ${withheld[$flavor]}"
                continue
            fi
        fi
        for role in "${roles[@]}"; do
            name=$base-$flavor${role:+-$role}${arch[1]:+-${arch[1]}} begin=$SECONDS
            what=(--base "$base" --flavor "$flavor" ${role:+--role "$role"})
            echo "=== $name"
            build "$work/first" "$release/guests/$name" "${what[@]}" || die "$name was not built"
            # Again: in another folder, with another umask, time zone, locale and number of threads, from the lock.
            cp -rT "$work/first/locks" "$work/second and last/locks"
            (
                umask 0077
                variables=(TZ=Pacific/Kiritimati LC_ALL=tr_TR.UTF-8)
                build "$work/second and last" "$work/second and last/$name" "${what[@]}" --frozen --jobs 1
            ) || die "$name was not built a second time"
            diff -r "$release/guests/$name" "$work/second and last/$name" || die "$name: two builds differ"
            for folder in "$release/guests/$name" "$work/second and last/$name"; do
                (cd "$folder" && find . -printf '%P %y %m\n' | LC_ALL=C sort)
            done | LC_ALL=C sort | uniq -c | awk '$1 != 2 { bad = 1 } END { exit bad }' ||
                die "$name: modes of files differ between two builds"
            rm -rf "$work/second and last/$name"
            echo "    built twice: equal, SHA256SUMS $(sha256sum <"$release/guests/$name/SHA256SUMS" | cut -c 1-16)"
            if [ "$flavor" = hwsim ] && [ "$boot" != none ]; then
                boot_test "$name" direct
                boot_test "$name" uefi --uefi
            elif [ "$boot" = all ]; then
                boot_test "$name" modules --load-modules
            fi
            sign "$release/guests/$name" "guest $name"
            echo "    done in $((SECONDS - begin)) s"
        done
    done
done
cp -t "$release/locks" -- "$work"/first/locks/*.lock
for program in "${programs[@]}"; do
    install -D -m 0755 "${program#*=}" "$release/tools/${program%%=*}/wifibox-build"
done

echo "=== index, provenance, checksums, signature"
"$xtask" "${seal[@]}"
sign "$release" "release"
if [ -z "$public" ]; then
    public=$work/minisign.pub
    minisign -R -s "$key" -p "$public" <<<"${MINISIGN_PASSWORD:-}" >/dev/null 2>&1 ||
        die "cannot derive the public key: name it with --public-key"
fi
find "$release" -type d -exec chmod 0755 {} +
"$tool" verify "$release" --public-key "$public"

# In its place, whole.
if [ -e "$out" ]; then mv -T "$out" "$work/old"; fi
mv -T "$release" "$out"
echo "=== released: $out"
echo "check it with: wifibox-build verify $out --public-key $(tail -n 1 "$public")"
