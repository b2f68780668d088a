#!/usr/bin/env bash
# Makes a release of the shards that `one` left, wherever they were built: all planned guests and no other, from the
# same locks by the same builder; signs it.
#
#   ci/release.sh seal --plan FILE --out DIR --key FILE [OPTION]... SHARD...
#
#   --plan FILE            what `plan` printed
#   --out DIR              the release folder; appears whole, or not at all
#   --key FILE             minisign's secret key (without it: the key in the variable MINISIGN_KEY); its password, if
#                          it has one, in the variable MINISIGN_PASSWORD
#   --public-key FILE      the public key that the result must verify with [default: that of the secret key]
#   --builder-id URI       who makes the release, for the provenance [default: this script]
#   --pkg-key FILE         an RSA key (openssl genrsa): the guests for bhyve are in the release once more, as repositories
#                          of FreeBSD's pkg signed by it, one for each base (without it: the key in the variable PKG_KEY)
#   --pkg-url URL          where they will be: URL/NAME for freebsd/NAME of the release
#   --program TARGET=FILE  puts a program of the tool (see ci/static.sh) into the release, may be repeated
#   --times FILE           writes how long each guest took, for `plan --weights`; no part of the release
#   --tool FILE, --xtask FILE    the tool and the developer's chores [default: built from this checkout]
#   SHARD                  a shard, or a folder of shards
set -euo pipefail

root=$(realpath "$(dirname "$0")/../..")
. "$root/ci/release/lib.sh"
. "$root/ci/lib/minisign.sh"
plan='' out='' key='' public='' pkg_key='' pkg_url='' builder_id='' programs=() times='' tool='' xtask='' shards=()
while [ $# -gt 0 ]; do
    [[ $1 != --* ]] || [ $# -ge 2 ] || usage "$0"
    case $1 in
    --plan) plan=$(realpath -e "$2") ;;
    --out) out=$(realpath -m "$2") ;;
    --key) key=$(realpath -e "$2") ;;
    --public-key) public=$(realpath -e "$2") ;;
    --pkg-key) pkg_key=$(realpath -e "$2") ;;
    --pkg-url) pkg_url=$2 ;;
    --builder-id) builder_id=$2 ;;
    --program) programs+=("$2") ;;
    --times) times=$(realpath -m "$2") ;;
    --tool) tool=$(realpath -e "$2") ;;
    --xtask) xtask=$(realpath -e "$2") ;;
    --*) usage "$0" ;;
    *)
        shards+=("$(realpath -e "$1")")
        shift
        continue
        ;;
    esac
    shift 2
done
if [ -z "$plan" ] || [ -z "$out" ] || [ ${#shards[@]} -eq 0 ]; then usage "$0"; fi
if [ -e "$out" ] && ! [ -f "$out/index.json" ]; then die "$out exists and is no release: name another folder"; fi

mkdir -p "$(dirname "$out")"
work=$(mktemp -d "$(dirname "$out")/.release.XXXXXX")
trap 'rm -rf "$work"' EXIT
release=$work/release
mkdir -p "$release/guests" "$release/locks"
if [ -z "$key" ]; then
    [ -n "${MINISIGN_KEY:-}" ] || die "no key to sign with: --key FILE, made by 'minisign -G -p minisign.pub -s FILE'"
    key=$work/key
    keep_secret "$key" "$MINISIGN_KEY"
fi
unset MINISIGN_KEY
if [ -z "$pkg_key" ] && [ -n "${PKG_KEY:-}" ]; then
    pkg_key=$work/pkg-key
    keep_secret "$pkg_key" "$PKG_KEY"
fi
unset PKG_KEY
[ -n "$tool" ] || tool=$(built_tool)
[ -n "$xtask" ] || xtask=$(built_xtask)

# What is checked before anything is signed; prints the shards in the order of the plan, and what the chore is to know.
python3 "$root/ci/release/gather.py" "$plan" "${times:-}" "${shards[@]}" >"$work/gathered" || exit 1
mapfile -t seal < <(sed -n 's/^argument //p' "$work/gathered")
version=$(of_plan "$plan" 'plan["version"]')
while IFS= read -r folder; do
    cp -rT --preserve=mode "$folder/guests" "$release/guests"
    cp -rT "$folder/locks" "$release/locks"
done < <(sed -n 's/^shard //p' "$work/gathered")

# sign_sums FOLDER WHAT: signs its SHA256SUMS.
sign_sums() {
    sign "$key" "$1/SHA256SUMS" "wifibox-build $version: $2" || die "cannot sign $1"
}
for guest in "$release"/guests/*; do
    sign_sums "$guest" "guest ${guest##*/}"
done
if [ -n "$pkg_key" ]; then
    echo "=== repositories for FreeBSD"
    # A flavor is in a repository once. What bhyve cannot start has no files for it.
    while read -r name guests; do
        folders=()
        for guest in $guests; do
            [ ! -d "$release/guests/$guest/host/bhyve" ] || folders+=("$release/guests/$guest")
        done
        [ ${#folders[@]} -gt 0 ] || continue
        url=()
        [ -z "$pkg_url" ] || url=(--url "${pkg_url%/}/$name")
        "$tool" export freebsd-pkg "${folders[@]}" --key "$pkg_key" "${url[@]}" --out "$release/freebsd/$name" --quiet >/dev/null
    done < <(of_plan "$plan" '(lambda name: [" ".join([one] + [guest["name"] for guest in plan["guests"] if name(guest) == one])
        for one in sorted(set(map(name, plan["guests"])))])(lambda guest: "-".join(guest[key] for key
        in ["base", "release", "role", "hypervisor", "arch"] if key in guest))')
fi
for program in "${programs[@]}"; do
    install -D -m 0755 "${program#*=}" "$release/tools/${program%%=*}/wifibox-build"
done

echo "=== index, provenance, checksums, signature"
[ -z "$builder_id" ] || seal+=(--builder-id "$builder_id")
"$xtask" release "$release" --version "$version" "${seal[@]}"
sign_sums "$release" "release"
if [ -z "$public" ]; then
    public=$work/minisign.pub
    with_key "$key" -R -p "$public" ||
        die "cannot derive the public key: name it with --public-key"
fi
find "$release" -type d -exec chmod 0755 {} +
"$tool" verify "$release" --public-key "$public"

# In its place, whole.
if [ -e "$out" ]; then mv -T "$out" "$work/old"; fi
mv -T "$release" "$out"
echo "=== released: $out"
echo "check it with: wifibox-build verify $out --public-key $(tail -n 1 "$public")"
