# What the parts of ci/release.sh share.
# shellcheck shell=bash

die() {
    echo "ci/release.sh: $*" >&2
    exit 1
}

# usage FILE: the options, from the head of the script.
usage() {
    sed -n '2,/^set -/s/^# \{0,1\}//p' "$1" >&2
    exit 2
}

# built_tool, built_xtask: the programs of this checkout, where none were named.
built_tool() {
    echo "=== building the tool" >&2
    cargo build --manifest-path "$root/Cargo.toml" --release --quiet --bin wifibox-build || exit
    echo "${CARGO_TARGET_DIR:-$root/target}/release/wifibox-build"
}
built_xtask() {
    cargo build --manifest-path "$root/Cargo.toml" --release --quiet --package xtask || exit
    echo "${CARGO_TARGET_DIR:-$root/target}/release/xtask"
}

# of_plan PLAN EXPRESSION ARGUMENT...: a Python expression over `plan`, its strings one to a line.
of_plan() {
    python3 - "$@" <<'PYTHON'
import json, sys

plan = json.load(open(sys.argv[1]))
found = eval(sys.argv[2], {"plan": plan, "words": sys.argv[3:]})
for line in [found] if isinstance(found, str) else found:
    print(line)
PYTHON
}
