#!/bin/sh
# check-plist.sh SED-ARGUMENT...: what was staged and what the packing list says are the same, in both directions.
# The arguments replace %%OPTION%%. Folders below PREFIX come and go with their files; others are listed with @dir.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
sed "$@" "$PLIST" | sed -e 's/^ *//' >"$work/plist"
if grep -E '%%' "$work/plist"; then
    echo "the packing list has variables that nothing replaces" >&2
    exit 1
fi
{
    sed -n -e '/^@comment/d' -e '/^@dir /d' -e 's/^@sample([^)]*)  *//' -e '/^@/d' -e 's,^[^/],'"$PREFIX"'/&,' -e p "$work/plist"
    case $PORTDOCS in
        '*') (cd "$STAGEDIR" && find ".$DOCSDIR" ! -type d 2>/dev/null | sed 's/^\.//') || true ;;
    esac
} | LC_ALL=C sort >"$work/files"
{
    sed -n -e 's/^@dir  *//p' "$work/plist"
    for folder in $PLIST_DIRS; do echo "$folder"; done
} | LC_ALL=C sort >"$work/folders"
(cd "$STAGEDIR" && find . ! -type d | sed 's/^\.//') | LC_ALL=C sort >"$work/staged-files"
# Those that every FreeBSD system has are nobody's.
(cd "$STAGEDIR" && find . -type d | sed 's/^\.//' | grep -v -E "^$PREFIX(/|\$)" |
    grep -v -x -E '|/usr|/usr/local|/var|/var/run') | LC_ALL=C sort >"$work/staged-folders" || true
status=0
for what in files folders; do
    diff -u "$work/$what" "$work/staged-$what" >"$work/diff" || {
        echo "packing list (-) and staged $what (+) differ:" >&2
        cat "$work/diff" >&2
        status=1
    }
done
[ "$status" -ne 0 ] || echo "===> $(wc -l <"$work/files") files and $(wc -l <"$work/folders") folders are those of the packing list"
exit "$status"
