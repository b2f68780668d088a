#!/bin/sh
# fetch.sh DISTFILE[:GROUP]...: what is not in DISTDIR is fetched, from OVERRIDE or from the sites of its group, as
# GROUP=URL in SITES. A path keeps its folders.
set -eu
cd "$DISTDIR" 2>/dev/null || { echo "=> DISTDIR $DISTDIR does not exist" >&2; exit 1; }
for distfile; do
    file=${distfile%:*} group=${distfile##*:}
    name=$DIST_SUBDIR/$file
    [ -f "$name" ] && continue
    grep -qF "SHA256 ($name) = " "$DISTINFO" || { echo "=> $name is not in $DISTINFO." >&2; exit 1; }
    echo "=> $file doesn't seem to exist in $DISTDIR/$DIST_SUBDIR."
    [ -w . ] || { echo "=> $DISTDIR is not writable by you; cannot fetch." >&2; exit 1; }
    fetched=
    for site in $OVERRIDE $SITES; do
        case $site in
            "$group="*) site=${site#*=} ;;
            *=*) continue ;;
        esac
        echo "=> Attempting to fetch $site$file"
        mkdir -p "${name%/*}"
        if curl -fsS -o "$name.part" "$site$file"; then
            mv "$name.part" "$name"
            fetched=yes
            break
        fi
    done
    [ -n "$fetched" ] || { echo "=> Couldn't fetch $file" >&2; exit 1; }
done
