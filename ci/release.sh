#!/usr/bin/env bash
# Builds a release: guests of all flavors and bases (or those named), each built twice and compared byte for byte,
# boot-tested where it can be, with checksums, bills of materials, licences, provenance and an index, all of it signed.
# Whatever continuous integration calls it, it does the same; nothing in the result depends on when and where it ran.
#
#   ci/release.sh --out DIR --key FILE [OPTION]...    all of it on this machine: plan, each guest, seal
#
# Or in pieces, on as many machines as there are guests; the release is the same, byte for byte:
#
#   ci/release.sh plan [OPTION]... >PLAN              what is to be built, as JSON
#   ci/release.sh one NAME --plan PLAN --shard DIR    builds one guest of it
#   ci/release.sh share I/N PLAN                      the guests that machine I of N builds, the same weight for each
#   ci/release.sh seal --plan PLAN --out DIR --key FILE SHARD...
#
# Options of `plan`: --base, --release, --flavor, --role, --hypervisor (each may be repeated; the default is all bases
# with all flavors that may be passed on), --arch, --version, --source, --weights, --locks. Of `one`: --locks, --boot,
# --builder-id, --cache-dir, --remote-cache, --mirror, --jobs. Of `seal`: --key, --public-key, --pkg-key, --pkg-url,
# --program, --times, --builder-id. Each says more if it is called without any. On one machine: all of them but --weights, and
#
#   --keep-going           builds the other guests, too, where one fails; then there is no release
#   --tool FILE, --xtask FILE    the tool and the developer's chores [default: built from this checkout]
set -euo pipefail

root=$(realpath "$(dirname "$0")/..")
. "$root/ci/release/lib.sh"

# own_source: this checkout's origin and commit, for the provenance; nothing where the sources are not those of a commit.
own_source() {
    if ! git -C "$root" diff --quiet HEAD 2>/dev/null; then
        echo "the sources are not those of a commit: the provenance will name none" >&2
        return
    fi
    local origin
    origin=$(git -C "$root" config --get remote.origin.url || true)
    # A folder of this machine, or a place that needs a password, says nothing to others.
    [[ $origin == https://* && $origin != *@* ]] || origin=https://github.com/wifibox-build/wifibox-build
    echo "${origin%.git}@$(git -C "$root" rev-parse HEAD)"
}

# plan OPTION...: runs the planner, with the tool and the source where none are named.
plan() {
    local given=" $* " more=()
    [[ $given == *" --tool "* ]] || more+=(--tool "$(built_tool)")
    if [[ $given != *" --source "* ]]; then
        local source
        source=$(own_source)
        [ -z "$source" ] || more+=(--source "$source")
    fi
    python3 "$root/ci/release/plan.py" "$@" "${more[@]}"
}

case ${1:-} in
plan)
    shift
    plan "$@"
    exit
    ;;
share)
    shift
    exec python3 "$root/ci/release/share.py" "$@"
    ;;
one | seal)
    part=$1
    shift
    exec "$root/ci/release/$part.sh" "$@"
    ;;
esac

to_plan=() to_one=() to_seal=() out='' cache='' tool='' xtask='' locks='' keep_going=''
while [ $# -gt 0 ]; do
    if [ "$1" = --keep-going ]; then
        keep_going=yes
        shift
        continue
    fi
    [ $# -ge 2 ] || usage "$0"
    case $1 in
    --base | --release | --flavor | --role | --hypervisor | --arch | --version | --source) to_plan+=("$1" "$2") ;;
    --boot | --mirror | --jobs | --remote-cache) to_one+=("$1" "$2") ;;
    --key | --public-key | --pkg-key | --pkg-url | --program | --times | --builder-id) to_seal+=("$1" "$2") ;;
    --out) out=$(realpath -m "$2") ;;
    --locks) locks=$(realpath -e "$2") ;;
    --cache-dir) cache=$(realpath -m "$2") ;;
    --tool) tool=$(realpath -e "$2") ;;
    --xtask) xtask=$(realpath -e "$2") ;;
    *) usage "$0" ;;
    esac
    shift 2
done
[ -n "$out" ] || usage "$0"
if [ -e "$out" ] && ! [ -f "$out/index.json" ]; then die "$out exists and is no release: name another folder"; fi
[[ " ${to_seal[*]} " == *" --key "* ]] || [ -n "${MINISIGN_KEY:-}" ] ||
    die "no key to sign with: --key FILE, made by 'minisign -G -p minisign.pub -s FILE'"
[ -n "$tool" ] || tool=$(built_tool)
[ -n "$xtask" ] || xtask=$(built_xtask)
programs=(--tool "$tool" --xtask "$xtask")

mkdir -p "$(dirname "$out")"
work=$(mktemp -d "$(dirname "$out")/.parts.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir "$work/locks" "$work/shards"
[ -z "$locks" ] || find "$locks" -maxdepth 1 -name '*.lock' -exec cp -t "$work/locks" -- {} +
plan "${to_plan[@]}" --tool "$tool" >"$work/plan.json"
of_plan "$work/plan.json" '["=== %(name)s left out: %(why)s" % guest for guest in plan["omitted"]]'
failed=()
while IFS= read -r name; do
    echo "=== $name"
    # The keys are nobody's business who builds. Standard input holds the list.
    env -u MINISIGN_KEY -u MINISIGN_PASSWORD -u PKG_KEY "$root/ci/release/one.sh" "$name" --plan "$work/plan.json" \
        --shard "$work/shards/$name" --locks "$work/locks" --cache-dir "${cache:-$work/cache}" "${to_one[@]}" \
        "${programs[@]}" </dev/null || {
        [ -n "$keep_going" ] || exit 1
        failed+=("$name")
        continue
    }
    # The next ones start from the same locks.
    cp -t "$work/locks" -- "$work/shards/$name"/locks/*.lock
done < <(of_plan "$work/plan.json" '[guest["name"] for guest in plan["guests"]]')
[ ${#failed[@]} -eq 0 ] || die "${#failed[@]} guests were not built: ${failed[*]}"
"$root/ci/release/seal.sh" --plan "$work/plan.json" --out "$out" "${to_seal[@]}" "${programs[@]}" "$work/shards"
