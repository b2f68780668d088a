#!/usr/bin/env bash
# remote-cache.sh: the test of the remote cache that needs one, against a real S3-compatible server (moto, of PyPI) on loopback.
set -euo pipefail
cd "$(dirname "$0")/.."
port=${PORT:-5559}
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet 'moto[server]>=5,<6'
"$work/venv/bin/moto_server" -H 127.0.0.1 -p "$port" >"$work/log" 2>&1 &
server=$!
AWS_ACCESS_KEY_ID=testing AWS_SECRET_ACCESS_KEY=testing "$work/venv/bin/python" - "http://127.0.0.1:$port" <<'PYTHON'
import sys, time
import boto3

client = boto3.client("s3", endpoint_url=sys.argv[1], region_name="us-east-1")
for attempt in range(60):
    try:
        client.create_bucket(Bucket="wifibox")
        break
    except Exception:
        if attempt == 59:
            raise
        time.sleep(0.5)
PYTHON
# Of the workspace: for one package alone, dependencies would be built again, with other features.
WIFIBOX_BUILD_TEST_S3="http://127.0.0.1:$port" cargo test --workspace --tests machines_share_by_s3 >"$work/tests.log" 2>&1 || {
    cat "$work/tests.log"
    exit 1
}
grep 'machines_share_by_s3 \.\.\. ok' "$work/tests.log"
