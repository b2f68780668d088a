#!/usr/bin/env bash
# The GitHub release that holds the kernels `slim` of one series, by the tag that their descriptor has
# (kernels/slim.yaml: kernel-slim-SERIES). Packages are added to it and never replaced or removed, because locks name them.
#
#   publish-kernel.sh before DIR            fetches what it holds; nothing, where it is not there yet
#   publish-kernel.sh publish BEFORE NEW    adds what NEW has and BEFORE had not; lists and signatures take the places of theirs
set -euo pipefail
step=$1 folder=$(realpath -m "$2")
cd "$(dirname "$0")/.."

series=$(sed -n 's/^  release: "\(.*\)"$/\1/p' kernels/slim.yaml)
tag=kernel-slim-${series:?kernels/slim.yaml names no series}
there() { gh release view "$tag" --json tagName >/dev/null; }

case $step in
before)
    mkdir -p "$folder"
    if there; then gh release download "$tag" --dir "$folder"; fi
    ;;
publish)
    new=$(realpath -e "$3")
    lists=() others=()
    for file in "$new"/*; do
        name=${file##*/}
        if cmp -s "$file" "$folder/$name"; then continue; fi
        case $name in
        distinfo | SHA256SUMS*) lists+=("$file") ;;
        *)
            if [ -e "$folder/$name" ]; then
                echo "$0: $name is published and has other bytes" >&2
                exit 1
            fi
            others+=("$file")
            ;;
        esac
    done
    if ! there; then
        gh release create "$tag" --title "Kernel slim $series" --notes-file ci/kernel-notes.md --latest=false
    fi
    # Packages first: a list must not name what is not there.
    if [ ${#others[@]} -gt 0 ]; then gh release upload "$tag" "${others[@]}"; fi
    if [ ${#lists[@]} -gt 0 ]; then gh release upload "$tag" --clobber "${lists[@]}"; fi
    ;;
*)
    echo "$0: there is no step $step" >&2
    exit 2
    ;;
esac
