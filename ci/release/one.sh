#!/usr/bin/env bash
# Builds one guest of a plan twice, compares the two byte for byte, and boots it where it can be.
#
#   ci/release.sh one NAME --plan FILE --shard DIR [OPTION]...
#
#   --plan FILE            what `plan` printed
#   --shard DIR            the result, for `seal`; appears whole, or not at all
#   --locks DIR            lock files to start from (BASE-RELEASE-ARCHITECTURE.lock) [default: new ones]
#   --boot WHICH           hwsim: guests with simulated radios do their work, by UEFI and directly (the default);
#                          all: the others load all their modules, too; none
#   --builder-id URI       which machine this is, for the provenance [default: not said]
#   --cache-dir DIR        the first build's cache; the second has the packages of it and nothing else [default: one of
#                          its own]
#   --remote-cache URL, --mirror NAME=URL, --jobs N    as the tool has them, for the first build
#   --tool FILE, --xtask FILE    the tool and the developer's chores [default: built from this checkout]
set -euo pipefail

root=$(realpath "$(dirname "$0")/../..")
. "$root/ci/release/lib.sh"
if [ $# -eq 0 ] || [[ $1 == -* ]]; then usage "$0"; fi
name=$1
shift
plan='' shard='' locks='' boot=hwsim builder_id='' cache='' options=() tool='' xtask=''
while [ $# -gt 0 ]; do
    [ $# -ge 2 ] || usage "$0"
    case $1 in
    --plan) plan=$(realpath -e "$2") ;;
    --shard) shard=$(realpath -m "$2") ;;
    --locks) locks=$(realpath -e "$2") ;;
    --boot) boot=$2 ;;
    --builder-id) builder_id=$2 ;;
    --cache-dir) cache=$(realpath -m "$2") ;;
    --remote-cache | --mirror | --jobs) options+=("$1" "$2") ;;
    --tool) tool=$(realpath -e "$2") ;;
    --xtask) xtask=$(realpath -e "$2") ;;
    *) usage "$0" ;;
    esac
    shift 2
done
if [ -z "$plan" ] || [ -z "$shard" ]; then usage "$0"; fi
[[ $boot == hwsim || $boot == all || $boot == none ]] || usage "$0"
if [ -e "$shard" ] && ! [ -f "$shard/shard.json" ]; then die "$shard exists and is no shard: name another folder"; fi
[ -n "$tool" ] || tool=$(built_tool)

mapfile -t what < <(of_plan "$plan" '[word for guest in plan["guests"] if guest["name"] == words[0]
    for key in ["base", "release", "arch", "flavor", "role", "hypervisor"] if key in guest for word in ["--" + key, guest[key]]]' "$name")
[ ${#what[@]} -gt 0 ] || die "the plan has no guest $name"
builder=$("$tool" --version)
planned=$(of_plan "$plan" 'plan["builder"]')
[ "$builder" = "$planned" ] || die "the plan is of $planned, and this is $builder"
flavor=$(of_plan "$plan" 'next(guest["flavor"] for guest in plan["guests"] if guest["name"] == words[0])' "$name")

begin=$SECONDS
mkdir -p "$(dirname "$shard")"
work=$(mktemp -d "$(dirname "$shard")/.shard.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/first/locks" "$work/second and last/locks" "$work/shard/guests" "$work/shard/locks"
[ -n "$cache" ] || cache=$work/cache
[ -z "$locks" ] || find "$locks" -maxdepth 1 -name '*.lock' -exec cp -t "$work/first/locks" -- {} +
guest=$work/shard/guests/$name again="$work/second and last/$name"

# build FOLDER OUT ARGUMENT...: in FOLDER, where the locks are, with these variables.
variables=()
build() {
    local folder=$1 result=$2
    shift 2
    (cd "$folder" && env "${variables[@]}" "$tool" --quiet "${what[@]}" "$@" --out "$result" >"$work/log")
}
build "$work/first" "$guest" --cache-dir "$cache" "${options[@]}" || die "$name was not built"
cp -rT "$work/first/locks" "$work/second and last/locks"
# Again: in another folder, with another cache, umask, time zone, locale and number of threads, from the lock, without
# the network. The packages are the same files.
mkdir "$work/again"
cp -al "$cache/store" "$work/again/store" 2>/dev/null || cp -a "$cache/store" "$work/again/store"
(
    umask 0077
    variables=(TZ=Pacific/Kiritimati LC_ALL=tr_TR.UTF-8)
    build "$work/second and last" "$again" --cache-dir "$work/again" --frozen --jobs 1
) || die "$name was not built a second time"
diff -r "$guest" "$again" || die "$name: two builds differ"
for folder in "$guest" "$again"; do
    (cd "$folder" && find . -printf '%P %y %m\n' | LC_ALL=C sort)
done | LC_ALL=C sort | uniq -c | awk '$1 != 2 { bad = 1 } END { exit bad }' ||
    die "$name: modes of files differ between two builds"
sums=$(sha256sum <"$guest/SHA256SUMS" | cut -d ' ' -f 1)
echo "    built twice: equal, SHA256SUMS ${sums:0:16}"

booted=()
# boot_test HOW ARGUMENT...
boot_test() {
    local how=$1
    shift
    [ -n "$xtask" ] || xtask=$(built_xtask)
    "$xtask" boot-test "$guest" "$@" >"$work/log" 2>&1 || {
        tail -n 50 "$work/log" >&2
        die "$name does not pass its boot test ($how)"
    }
    booted+=("$how")
    echo "    booted: $how"
}
if [ "$flavor" = hwsim ] && [ "$boot" != none ]; then
    boot_test direct
    boot_test uefi --uefi
elif [ "$boot" = all ]; then
    boot_test modules --load-modules
fi

# The lock that it was built from, and no other.
lock=$(python3 -c 'import json, sys; recipe = json.load(open(sys.argv[1]))["recipe"]
print("{base}-{release}-{architecture}.lock".format(**recipe))' "$guest/manifest.json")
cp -t "$work/shard/locks" -- "$work/first/locks/$lock"
python3 - "$work/shard/shard.json" "$plan" "$name" "$sums" "$((SECONDS - begin))" "$builder_id" "${booted[@]}" <<'PYTHON'
import hashlib, json, sys

to, plan, name, sums, seconds, builder_id, *booted = sys.argv[1:]
record = {
    "schema": 1,
    "guest": name,
    "plan": hashlib.sha256(open(plan, "rb").read()).hexdigest(),
    "sha256sums": sums,
    "boot_tested": booted,
    "seconds": int(seconds),
}
if builder_id:
    record["builder_id"] = builder_id
with open(to, "w") as file:
    json.dump(record, file, indent=1)
    file.write("\n")
PYTHON
find "$work/shard" -type d -exec chmod 0755 {} +
if [ -e "$shard" ]; then mv -T "$shard" "$work/old"; fi
mv -T "$work/shard" "$shard"
echo "    done in $((SECONDS - begin)) s"
