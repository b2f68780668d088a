#!/usr/bin/env bash
# The bills of materials of an output against the schemas and the rules of their formats, by others' programs:
# CycloneDX 1.6 by cyclonedx-python-lib, SPDX 2.3 by spdx-tools and by its own JSON schema, which the crate serde-spdx
# carries. All of it is fetched into a temporary folder at pinned versions; nothing stays.
# usage: ci/sbom.sh OUTPUT-FOLDER...
set -euo pipefail

if [ $# -eq 0 ]; then
    echo "usage: $0 OUTPUT-FOLDER..." >&2
    exit 2
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
    'cyclonedx-python-lib[json-validation]==11.12.0' 'spdx-tools==0.8.5' 'jsonschema==4.26.0'

mkdir -p "$work/schema/src"
: >"$work/schema/src/lib.rs"
cat >"$work/schema/Cargo.toml" <<'TOML'
[package]
name = "schema"
version = "0.0.0"
edition = "2024"

[dependencies]
serde-spdx = "=0.10.0"

[workspace]
TOML
manifest=$(cargo metadata --quiet --format-version 1 --manifest-path "$work/schema/Cargo.toml" |
    python3 -c 'import json, sys
print(next(p["manifest_path"] for p in json.load(sys.stdin)["packages"] if p["name"] == "serde-spdx"))')
schema=$(dirname "$manifest")/schemas/spdx_2_3.json

"$work/venv/bin/python" - "$schema" "$@" <<'PYTHON'
import json
import sys
from pathlib import Path

import jsonschema
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from spdx_tools.spdx.parser.parse_anything import parse_file
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

schema = json.loads(Path(sys.argv[1]).read_text())
bad = 0
for folder in map(Path, sys.argv[2:]):
    cyclonedx, spdx = folder / "sbom.cdx.json", folder / "sbom.spdx.json"
    errors = [str(error)[:300] for error in
              JsonStrictValidator(SchemaVersion.V1_6).validate_str(cyclonedx.read_text(), all_errors=True) or []]
    found = [(cyclonedx, error) for error in errors]
    document = json.loads(spdx.read_text())
    found += [(spdx, f"{error.json_path}: {error.message}"[:300])
              for error in jsonschema.validators.validator_for(schema)(schema).iter_errors(document)]
    found += [(spdx, f"{message.context.spdx_id}: {message.validation_message}")
              for message in validate_full_spdx_document(parse_file(str(spdx)))]
    for path, error in found:
        print(f"{path}: {error}")
    bad += len(found)
    components = json.loads(cyclonedx.read_text())["components"]
    print(f"{folder}: {len(document['packages'])} packages and {len(document['files'])} files in SPDX, "
          f"{len(components)} components in CycloneDX, {len(found)} errors")
sys.exit(bad > 0)
PYTHON
