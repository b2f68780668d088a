#!/usr/bin/env bash
# newest-kernel.sh GUEST: a guest of Debian 13 has the kernel that apt would install today from the release, its updates and the
# security archive, of whichever of them has the newest. The mirrors are those of the host's apt configuration, if it has any.
set -euo pipefail
guest=$1 release=trixie

state=$(mktemp -d)
trap 'rm -rf "$state"' EXIT
# shellcheck disable=SC2016 # apt expands it
mirror() { apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -m 1 "/$1/\$" || echo "$2"; }
debian=$(mirror debian http://deb.debian.org/debian/)
security=$(mirror debian-security http://security.debian.org/debian-security/)
mkdir -p "$state"/{lists,archives}/partial "$state/parts"
touch "$state/status"
signed='[arch=amd64 signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]'
printf "deb $signed %s main\n" "$debian $release" "$debian $release-updates" "$security $release-security" >"$state/sources.list"
cat >"$state/apt.conf" <<END
APT::Architecture "amd64";
APT::Architectures { "amd64"; };
Dir::State "$state";
Dir::State::status "$state/status";
Dir::Cache "$state";
Dir::Etc::sourcelist "$state/sources.list";
Dir::Etc::sourceparts "$state/parts";
Dir::Etc::preferences "$state/preferences";
Dir::Etc::preferencesparts "$state/parts";
END
export APT_CONFIG=$state/apt.conf
apt-get -q update >"$state/log" 2>&1 || { cat "$state/log" && exit 1; }
apt-cache policy linux-image-amd64
newest=$(apt-cache policy linux-image-amd64 | sed -n 's/^ *Candidate: //p')
python3 - "$guest/manifest.json" "$newest" <<'PYTHON'
import json, sys

versions = {package["name"]: package["version"] for package in json.load(open(sys.argv[1]))["packages"]}
found, newest = versions["linux-image-amd64"], sys.argv[2]
print(f"the guest has {found}, apt would take {newest}")
sys.exit(found != newest)
PYTHON
