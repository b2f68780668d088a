#!/usr/bin/env bash
# rust-version.sh [real]: the version of Rust that Cargo.toml declares (rust-version) is true.
#
# What can be seen with any newer toolchain: documents name that version, no dependency asks for a newer one, and clippy
# refuses what the standard library has only since (incompatible_msrv; the workspace itself is checked by the step
# "cargo clippy"). That says nothing of the language's own news, nor of dependencies that declare nothing. So with `real`
# the declared toolchain is installed by rustup and compiles everything; without, it does so where it is installed.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cargo metadata --format-version 1 --locked --filter-platform x86_64-unknown-linux-gnu \
    --filter-platform aarch64-unknown-linux-musl --filter-platform x86_64-unknown-freebsd \
    --filter-platform aarch64-apple-darwin >"$work/metadata.json"

cat >"$work/rules.py" <<'PYTHON'
"""rules.py METADATA: prints the declared version, or what contradicts it; fails if anything does."""
import json
import sys


def number(text):
    return tuple(int(part) for part in (text + ".0.0").split(".")[:3])


metadata = json.load(open(sys.argv[1]))
members = set(metadata["workspace_members"])
used = {node["id"] for node in metadata["resolve"]["nodes"]}
packages = [package for package in metadata["packages"] if package["id"] in used]
declared = {package["rust_version"] for package in packages if package["id"] in members}
if len(declared) != 1 or None in declared:
    sys.exit(f"the crates of the workspace do not declare one version: {declared}")
(declared,) = declared
# What an edition needs is known where nothing else is declared.
editions = {"2015": "1.0", "2018": "1.31", "2021": "1.56", "2024": "1.85"}
wrong, silent = [], 0
for package in packages:
    needs = package["rust_version"] or editions[package["edition"]]
    silent += package["rust_version"] is None
    if number(needs) > number(declared):
        wrong.append(f"{package['name']} {package['version']} needs Rust {needs}, {declared} is declared")
if wrong:
    sys.exit("\n".join(wrong))
print(declared, len(packages), silent)
PYTHON
read -r declared packages silent < <(python3 "$work/rules.py" "$work/metadata.json")
if [ -z "${silent:-}" ]; then
    echo "$0: the dependencies do not fit the declared version" >&2
    exit 1
fi
echo "Rust $declared is declared; of $packages packages none needs a newer one, $silent do not say"

# The rule finds what it is there to find.
sed -E 's/("rust_version":")1\.[0-9.]+(")/\11.999\2/' "$work/metadata.json" >"$work/wrong.json"
if python3 "$work/rules.py" "$work/wrong.json" >/dev/null 2>&1; then
    echo "$0: a dependency that needs Rust 1.999 was not found" >&2
    exit 1
fi

grep -q "Rust $declared or newer" docs/book/src/installing.md || {
    echo "$0: docs/book/src/installing.md does not name Rust $declared" >&2
    exit 1
}

# A crate with the workspace's settings that uses what the standard library has since 1.94 only; take something newer
# once 1.94 is declared.
mkdir -p "$work/newer/src"
cp clippy.toml "$work/newer/"
{
    printf '[package]\nname = "newer"\nversion = "0.1.0"\nedition = "2024"\nrust-version = "%s"\n\n[workspace]\n\n' "$declared"
    sed -n '/^\[workspace\.lints\./,$p' Cargo.toml | sed '/^\[profile/,$d; s/^\[workspace\./[/'
} >"$work/newer/Cargo.toml"
cat >"$work/newer/src/lib.rs" <<'RUST'
//! Uses what is newer than the declared version.

/// The largest sum of two neighbours.
pub fn largest(values: &[u32]) -> Option<u32> {
    values.array_windows().map(|[one, other]| one + other).max()
}

#[cfg(test)]
mod tests {
    #[test]
    fn neighbours() {
        assert_eq!([1, 2, 4].array_windows::<2>().count(), 2);
    }
}
RUST
if cargo clippy --quiet --offline --all-targets --manifest-path "$work/newer/Cargo.toml" \
    --target-dir "$work/target" 2>"$work/log"; then
    echo "$0: clippy passed over what is newer than Rust $declared" >&2
    exit 1
fi
for reason in 'current MSRV' 'src/lib.rs:5' 'src/lib.rs:12'; do
    grep -q "$reason" "$work/log" || {
        cat "$work/log" >&2
        echo "$0: clippy refused the crate, but says nothing of $reason" >&2
        exit 1
    }
done
echo "clippy refuses what the standard library has only since"

toolchain=$declared.0
if [ "${1:-}" = real ]; then
    rustup toolchain install "$toolchain" --profile minimal --no-self-update
elif ! command -v rustup >/dev/null || ! rustup toolchain list | grep -q "^$toolchain-"; then
    echo "not compiled with Rust $declared itself, which is not installed: $0 real does"
    exit 0
fi
RUSTUP_TOOLCHAIN=$toolchain cargo check --workspace --all-targets --locked --quiet \
    --target-dir "${CARGO_TARGET_DIR:-target}/rust-$declared"
echo "compiles with Rust $declared"
