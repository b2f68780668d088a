#!/bin/sh
# checksum.sh DISTFILE[:GROUP]...: each file's SHA-256 and size are those of distinfo.
set -eu
cd "$DISTDIR"
bad=0
for distfile; do
    name=$DIST_SUBDIR/${distfile%:*}
    value() { awk -v key="$1" -v name="($name)" '$1 == key && $2 == name { print $4 }' "$DISTINFO"; }
    sha256=$(value SHA256) size=$(value SIZE)
    if [ -z "$sha256" ] || [ -z "$size" ]; then
        echo "=> No checksum recorded for $name." >&2
        bad=1
    elif [ "$(sha256sum <"$name" | cut -d' ' -f1)" != "$sha256" ]; then
        echo "=> SHA256 Checksum mismatch for $name." >&2
        bad=1
    elif [ "$(stat -c %s "$name")" != "$size" ]; then
        echo "=> Size mismatch for $name." >&2
        bad=1
    fi
done
exit "$bad"
