#!/usr/bin/env bash
# remote-cache.sh: the test of the remote cache that needs one, against a real S3-compatible server (moto, of PyPI) on loopback.
set -euo pipefail
cd "$(dirname "$0")/.."
port=${PORT:-5559}
work=$(mktemp -d)
s3_server=
trap '[ -z "$s3_server" ] || kill "$s3_server"; rm -rf "$work"' EXIT
# shellcheck source=ci/lib/s3.sh
source ci/lib/s3.sh
mkdir "$work/s3"
s3_server "$work/s3" 127.0.0.1 "$port"
# Of the workspace: for one package alone, dependencies would be built again, with other features.
WIFIBOX_BUILD_TEST_S3="http://127.0.0.1:$port" cargo test --workspace --tests machines_share_by_s3 >"$work/tests.log" 2>&1 || {
    cat "$work/tests.log"
    exit 1
}
grep 'machines_share_by_s3 \.\.\. ok' "$work/tests.log"
