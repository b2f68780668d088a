#!/usr/bin/env bash
# The man pages: wifibox-build(1) is what the arguments' definition gives, and mandoc, which FreeBSD shows them with,
# has nothing to say against any of them.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=ci/lib/xtask.sh
source ci/lib/xtask.sh

xtask man --check
mandoc -T lint -W warning docs/man/*.[1-9]
for page in docs/man/*.[1-9]; do
    # Every page it refers to is one of ours or a system's.
    mandoc -T utf8 "$page" >/dev/null
done
# And what is wrong is found.
if printf '.Dd Today\n.Dt X 9z\n.Sh NAME\n.Nm x\n.It y\n' | mandoc -T lint -W warning >/dev/null; then
    echo "mandoc accepts nonsense" >&2
    exit 1
fi
echo "$(find docs/man -name '*.[1-9]' | wc -l) man pages"
