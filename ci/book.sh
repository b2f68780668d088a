#!/usr/bin/env bash
# book.sh FOLDER: builds the book with mdBook, which is installed into FOLDER where the machine has none, and follows every link
# of the built pages: to files, and to places within them. Addresses in the web are not looked up.
set -euo pipefail
folder=$(realpath -m "$1")
cd "$(dirname "$0")/.."
mkdir -p "$folder"
mdbook=$(command -v mdbook || echo "$folder/bin/mdbook")
[ -x "$mdbook" ] || cargo install --quiet --locked --no-default-features --root "$folder" mdbook@0.5.4
rm -rf "$folder/book"
"$mdbook" build docs/book --dest-dir "$folder/book" 2>"$folder/log" || { cat "$folder/log" && exit 1; }
python3 - "$folder/book" <<'PYTHON'
import pathlib, sys
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

top = pathlib.Path(sys.argv[1])


class Page(HTMLParser):
    def __init__(self, path):
        super().__init__()
        self.ids, self.links = set(), []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name in ("id", "name") and value:
                self.ids.add(value)
            elif name in ("href", "src") and value:
                self.links.append(value)


# 404.html is served at any address: its links are of the site.
pages = {path: Page(path) for path in top.rglob("*.html") if path.name != "404.html"}
count, dead = 0, []
for path, page in pages.items():
    for link in page.links:
        parts = urlsplit(link)
        if parts.scheme or parts.netloc:
            continue
        count += 1
        there = (path.parent / unquote(parts.path)).resolve() if parts.path else path
        if there.is_dir():
            there /= "index.html"
        known = pages.get(there)
        if not there.is_file() or top not in there.parents:
            dead.append(f"{path.relative_to(top)}: {link} leads nowhere")
        elif parts.fragment and known and unquote(parts.fragment) not in known.ids:
            dead.append(f"{path.relative_to(top)}: {link} leads to no such place")
print(*dead, sep="\n", end="\n" if dead else "")
print(f"the book: {len(pages)} pages, {count} links, {len(dead)} dead")
sys.exit(bool(dead) or len(pages) < 10)
PYTHON
