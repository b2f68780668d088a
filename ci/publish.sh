#!/usr/bin/env bash
# publish.sh ASSETS: makes the GitHub release of the tag that the workflow runs for, with the files of ci/pack.sh.
# It is a draft until all files are there.
set -euo pipefail
assets=$(realpath -e "$1")
cd "$(dirname "$0")/.."

tag=${GITHUB_REF_NAME:?is set by GitHub: the tag}
gh release create "$tag" --draft --verify-tag --title "wifibox-build ${tag#v}" --notes-file ci/release-notes.md
gh release upload "$tag" "$assets"/*
gh release edit "$tag" --draft=false
