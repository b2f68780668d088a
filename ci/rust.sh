#!/usr/bin/env bash
# Installs the version of Rust that continuous integration uses, by rustup.
set -euo pipefail
version=1.95.0

rustup toolchain install "$version" --profile minimal --component clippy --component rustfmt --no-self-update
rustup default "$version"
rustc --version
