#!/usr/bin/env bash
# Installs the version of Rust that continuous integration uses, by rustup, and takes it for this folder in place of
# what rust-toolchain.toml says.
set -euo pipefail
cd "$(dirname "$0")/.."
version=1.95.0

rustup toolchain install "$version" --profile minimal --component clippy --component rustfmt --no-self-update
rustup default "$version"
rustup override set "$version"
rustc --version
