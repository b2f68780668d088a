#!/usr/bin/env bash
# The release of the tag that this checkout is at, by ci/release.sh, with the programs below PROGRAMS
# (PROGRAMS/TARGET/wifibox-build, as ci/static.sh and ci/freebsd.sh leave them), in three steps:
#
#   release-tag.sh plan PROGRAMS PLAN            writes plan.json and locks/ into the folder PLAN; the names of the guests
#                                                are the output `guests` of a step of GitHub Actions
#   release-tag.sh one PROGRAMS PLAN SHARDS      builds $GUEST into SHARDS/GUEST.tar, which keeps modes
#   release-tag.sh seal PROGRAMS PLAN SHARDS OUT makes the release of all SHARDS/*.tar
set -euo pipefail
step=$1 programs=$(realpath -e "$2") plan=$(realpath -m "$3")
shift 3
cd "$(dirname "$0")/.."

tool=$programs/x86_64-unknown-linux-musl/wifibox-build
# What carries files from job to job drops their modes.
chmod +x "$tool"
mirrors=(--mirror debian=https://deb.debian.org/debian --mirror debian-security=https://deb.debian.org/debian-security)
here=() source=()
if [ -n "${GITHUB_WORKFLOW_REF:-}" ]; then
    here=(--builder-id "$GITHUB_SERVER_URL/$GITHUB_WORKFLOW_REF")
    source=(--source "$GITHUB_SERVER_URL/$GITHUB_REPOSITORY@$GITHUB_SHA")
fi
case $step in
plan)
    tag=$(git describe --exact-match --tags --match 'v*' HEAD)
    version=$("$tool" --version | cut -d ' ' -f 2)
    if [ "$tag" != "v$version" ]; then
        echo "$0: the tag is $tag, the version of the program $version" >&2
        exit 1
    fi
    mkdir -p "$plan/locks"
    # Locks that the repository keeps are what users build from: the release starts from them.
    [ ! -d locks ] || cp -t "$plan/locks" -- locks/*.lock
    ci/release.sh plan --version "$version" "${source[@]}" "${mirrors[@]}" --locks "$plan/locks" --tool "$tool" \
        >"$plan/plan.json"
    guests=$(python3 -c 'import json, sys
guests = sorted(json.load(open(sys.argv[1]))["guests"], key=lambda guest: -guest["weight"])
print(json.dumps([guest["name"] for guest in guests]))' "$plan/plan.json")
    echo "guests=$guests" | tee -a "${GITHUB_OUTPUT:-/dev/null}"
    ;;
one)
    shards=$(realpath -m "$1")
    mkdir -p "$shards"
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    ci/release.sh one "$GUEST" --plan "$plan/plan.json" --shard "$work/$GUEST" --locks "$plan/locks" "${mirrors[@]}" \
        ${REMOTE_CACHE:+--remote-cache "$REMOTE_CACHE"} --tool "$tool"
    tar -c -f "$shards/$GUEST.tar" -C "$work" "$GUEST"
    ;;
seal)
    shards=$(realpath -e "$1") out=$(realpath -m "$2")
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    for shard in "$shards"/*.tar; do tar -x -p -f "$shard" -C "$work"; done
    arguments=("${here[@]}")
    for program in "$programs"/*/wifibox-build; do
        target=${program%/*}
        arguments+=(--program "${target##*/}=$program")
    done
    # The public key that users know is in the repository: a release by another key is none.
    [ ! -f ci/minisign.pub ] || arguments+=(--public-key ci/minisign.pub)
    ci/release.sh seal --plan "$plan/plan.json" --out "$out" "${arguments[@]}" --tool "$tool" "$work"
    ;;
*)
    echo "usage: $0 plan|one|seal PROGRAMS PLAN [SHARDS [OUT]]" >&2
    exit 2
    ;;
esac
