#!/usr/bin/env bash
# release-tag.sh PROGRAMS OUT: the release of the tag that this checkout is at, by ci/release.sh, with the programs
# below PROGRAMS (PROGRAMS/TARGET/wifibox-build, as ci/static.sh and ci/freebsd.sh leave them).
set -euo pipefail
programs=$(realpath -e "$1") out=$(realpath -m "$2")
cd "$(dirname "$0")/.."

tag=$(git describe --exact-match --tags --match 'v*' HEAD)
version=$(cargo metadata --format-version 1 --no-deps |
    python3 -c 'import json, sys
print(next(p["version"] for p in json.load(sys.stdin)["packages"] if p["name"] == "wifibox-build"))')
if [ "$tag" != "v$version" ]; then
    echo "$0: the tag is $tag, the version in Cargo.toml $version" >&2
    exit 1
fi
arguments=(--out "$out" --version "$version" --mirror debian=https://deb.debian.org/debian
    --mirror debian-security=https://deb.debian.org/debian-security)
for program in "$programs"/*/wifibox-build; do
    target=${program%/*}
    arguments+=(--program "${target##*/}=$program")
done
# The public key that users know is in the repository: a release by another key is none.
[ ! -f ci/minisign.pub ] || arguments+=(--public-key ci/minisign.pub)
if [ -n "${GITHUB_WORKFLOW_REF:-}" ]; then
    arguments+=(--builder-id "$GITHUB_SERVER_URL/$GITHUB_WORKFLOW_REF"
        --source "$GITHUB_SERVER_URL/$GITHUB_REPOSITORY@$GITHUB_SHA")
fi
# Locks that the repository keeps are what users build from: the release starts from them.
[ ! -d locks ] || arguments+=(--locks locks)
exec ci/release.sh "${arguments[@]}"
