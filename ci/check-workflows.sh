#!/usr/bin/env bash
# The workflows of GitHub Actions: their form (the schema of SchemaStore, by check-jsonschema), what is known to be
# dangerous (zizmor), and the rules of this project: actions pinned by a full commit with the version beside it, jobs
# that may read and no more unless they say what for, steps that only call scripts of ci/. Each rule is shown to refuse
# what it is there to refuse. The forms for issues, and the workflows in examples/, which are for others' repositories,
# are checked by schema and zizmor. The programs are fetched into a temporary folder at pinned versions; nothing stays.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check 'zizmor==1.32.0' 'check-jsonschema==0.39.0' \
    'kubernetes-validate==1.37.0'

cat >"$work/rules.py" <<'PYTHON'
"""Prints what is wrong with each workflow; fails if anything is."""
import re
import sys
from pathlib import Path

from ruamel.yaml import YAML

PINNED = re.compile(r"^[\w.-]+/[\w./-]+@[0-9a-f]{40}$")
VERSION = re.compile(r"uses:\s*\S+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")
SCRIPT = re.compile(r"^ci/([\w-]+\.sh)( [\w./-]+)*$")
# What a job may do beyond reading the sources, by the job's name.
ALLOWED = {
    "attest": {"id-token": "write", "attestations": "write"},
    "publish": {"contents": "write"},
}


def problems(path, text):
    workflow = YAML(typ="safe").load(text)
    if workflow.get("permissions") != {"contents": "read"}:
        yield "permissions of the workflow must be exactly `contents: read`"
    triggers = workflow.get("on", workflow.get(True)) or {}
    for trigger in ("pull_request_target", "workflow_run", "issue_comment"):
        if trigger in triggers:
            yield f"is triggered by {trigger}, which hands secrets to strangers"
    for name, job in workflow["jobs"].items():
        allowed = ALLOWED.get(name, {})
        permissions = job.get("permissions", {})
        if not isinstance(permissions, dict):
            yield f"{name}: permissions: {permissions}"
            permissions = {}
        for what, how in permissions.items():
            if how != "read" and allowed.get(what) != how:
                yield f"{name}: may {how} {what}, which it does not need"
        if "timeout-minutes" not in job:
            yield f"{name}: no timeout-minutes"
        for step in job["steps"]:
            if "uses" in step and not PINNED.match(step["uses"]):
                yield f"{name}: {step['uses']} is not pinned by a full commit"
            if "run" in step:
                script = SCRIPT.match(step["run"])
                if not script:
                    yield f"{name}: a step does more than call a script of ci/: {step['run']!r}"
                elif not Path("ci", script[1]).is_file():
                    yield f"{name}: there is no ci/{script[1]}"
            if step.get("uses", "").startswith("actions/checkout@"):
                if step.get("with", {}).get("persist-credentials") is not False:
                    yield f"{name}: the checkout leaves its token behind"
            secrets = re.findall(r"secrets\.\w+", str(step))
            if secrets and not job.get("environment"):
                yield f"{name}: {secrets[0]} outside of a protected environment"
    for number, line in enumerate(text.splitlines(), 1):
        if re.search(r"^\s*-?\s*uses:", line) and not VERSION.search(line):
            yield f"line {number}: no version beside the commit (# v1.2.3)"


found = [f"{path}: {problem}" for path in sys.argv[1:] for problem in problems(path, Path(path).read_text())]
print(*found, sep="\n", end="\n" if found else "")
sys.exit(bool(found))
PYTHON

files=(.github/workflows/*.yml)
check() {
    "$work/venv/bin/check-jsonschema" --quiet --builtin-schema vendor.github-workflows "$@" &&
        "$work/venv/bin/python" "$work/rules.py" "$@" &&
        "$work/venv/bin/zizmor" --quiet --no-progress --offline --persona pedantic "$@"
}
check "${files[@]}"

mapfile -t forms < <(find .github/ISSUE_TEMPLATE -name '*.yml' ! -name config.yml | LC_ALL=C sort)
check_forms() { "$work/venv/bin/check-jsonschema" --quiet --builtin-schema vendor.github-issue-forms "$@"; }
check_forms "${forms[@]}"
"$work/venv/bin/check-jsonschema" --quiet --builtin-schema vendor.github-issue-config .github/ISSUE_TEMPLATE/config.yml
sed 's/^body:/corpus:/' .github/ISSUE_TEMPLATE/card.yml >"$work/form.yml"
if check_forms "$work/form.yml" >/dev/null; then
    echo "a form without a body was not refused" >&2
    exit 1
fi
examples=(examples/*/*.yml)
"$work/venv/bin/check-jsonschema" --quiet --builtin-schema vendor.github-workflows "${examples[@]}"
"$work/venv/bin/zizmor" --quiet --no-progress --offline --persona pedantic "${examples[@]}"

# A release on many machines, by others than GitHub: GitLab's schema, and that of Kubernetes.
many=examples/release-on-many-machines
gitlab() { "$work/venv/bin/check-jsonschema" --quiet --builtin-schema vendor.gitlab-ci --data-transform gitlab-ci "$1"; }
kubernetes() { "$work/venv/bin/kubernetes-validate" --quiet --strict "$1"; }
gitlab "$many/gitlab-ci.yaml"
kubernetes "$many/kubernetes.yaml"
sed 's/matrix:/matrices:/' "$many/gitlab-ci.yaml" >"$work/gitlab.yaml"
sed 's/completions: 16/completions: sixteen/' "$many/kubernetes.yaml" >"$work/kubernetes.yaml"
if gitlab "$work/gitlab.yaml" >/dev/null 2>&1 || kubernetes "$work/kubernetes.yaml" >/dev/null 2>&1; then
    echo "a damaged pipeline was not refused" >&2
    exit 1
fi

# refused NAME FILE SED-EXPRESSION: a workflow that is changed like that must not pass.
refused() {
    mkdir -p "$work/changed/.github/workflows"
    local copy=$work/changed/.github/workflows/$2
    sed -E "$3" ".github/workflows/$2" >"$copy"
    if cmp -s "$copy" ".github/workflows/$2"; then
        echo "$1: nothing was changed" >&2
        return 1
    fi
    if check "$copy" >/dev/null 2>&1; then
        echo "$1: was not refused" >&2
        return 1
    fi
    refusals=$((refusals + 1))
}
refusals=0
refused "a tag instead of a commit" release.yml 's/(checkout)@[0-9a-f]{40} # (v.*)/\1@\2/'
refused "a short commit" ci.yml 's/(checkout@[0-9a-f]{12})[0-9a-f]*/\1/'
refused "no version beside the commit" ci.yml 's/ # v[0-9.]+$//'
refused "no permissions" ci.yml '/^permissions:/,/^$/d'
refused "all permissions" ci.yml 's/^  contents: read/  contents: write/'
refused "a job that may write" ci.yml 's/^    runs-on/    permissions: {packages: write}\n    runs-on/'
refused "a script in the workflow" ci.yml 's/run: .*/run: cargo test/'
refused "a script that is not there" ci.yml 's/run: .*/run: ci\/nowhere.sh/'
# shellcheck disable=SC2016 # an expression of GitHub's
refused "the title of a pull request in a command" ci.yml 's/run: .*/run: echo ${{ github.event.pull_request.title }}/'
refused "a token left behind" ci.yml '/persist-credentials/s/false/true/'
refused "secrets for strangers" ci.yml 's/pull_request:/pull_request_target:/'
refused "secrets outside of the environment" release.yml '/^    environment:/d'
refused "a key that does not exist" ci.yml 's/timeout-minutes/timeout/'
echo "${#files[@]} workflows are sound, $refusals bad ones were refused; ${#forms[@]} forms and ${#examples[@]} example"
