# An S3-compatible server with a bucket `wifibox`: moto, of PyPI.
# shellcheck shell=bash

# s3_server FOLDER HOST PORT [PREFIX]...: starts it, and waits until the bucket is there; the programs stay in FOLDER.
# PREFIX is a command by which all of it runs. Sets the variable s3_server to its process, for who ends it.
s3_server() {
    local folder=$1 host=$2 port=$3
    shift 3
    python3 -m venv "$folder/venv"
    "$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'moto[server]>=5,<6'
    "$@" "$folder/venv/bin/moto_server" -H "$host" -p "$port" >"$folder/log" 2>&1 &
    s3_server=$!
    "$@" env no_proxy='*' AWS_ACCESS_KEY_ID=testing AWS_SECRET_ACCESS_KEY=testing \
        "$folder/venv/bin/python" - "http://$host:$port" <<'PYTHON'
import sys, time
import boto3

client = boto3.client("s3", endpoint_url=sys.argv[1], region_name="us-east-1")
for attempt in range(100):
    try:
        client.create_bucket(Bucket="wifibox")
        break
    except Exception:
        if attempt == 99:
            raise
        time.sleep(0.5)
PYTHON
}
