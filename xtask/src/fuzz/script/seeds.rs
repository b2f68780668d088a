//! Scripts for the fuzzer to begin with: every construct of the shell, and every family of commands.

/// Each is understood in one ecosystem at least, or nearly.
const SCRIPTS: [&str; 17] = [
    // The shell.
    "#!/bin/sh\nset -e\nx=1 y=\"a b\"; z=${x:-2}${y#a}${y%%b}${#y}$((x + 2 * (3 - 1) << 1))\n\
     case \"$1\" in\n  configure|'') : ;;\n  abort-*) exit 0 ;;\n  *) echo \"unknown $1\" >&2; exit 1 ;;\nesac\n",
    "f() { local a=\"$1\"; shift; [ $# -gt 0 ] || return 0; echo \"$a $@\"; f \"$@\"; }\nf a b c d\n\
     i=0; while [ $i -lt 5 ]; do i=$((i + 1)); [ \"$i\" = 3 ] && continue; echo $i; done\n\
     for j in /etc/*.conf *; do test -f \"$j\" || break; done\nuntil false; do break; done\n",
    "cat > /tmp/a <<EOF\n$HOME `echo b` $(echo \"c d\") \\$x\nEOF\ncat >>/tmp/a <<-'EOF'\n\t$x\n\tEOF\n\
     while IFS=: read -r name _ uid rest; do echo \"$name=$uid\"; done < /etc/passwd\n\
     { echo 1; echo 2; } | ( read -r a; echo \"$a\" ) 2>&1 >/dev/null || true\n",
    "trap 'rm -f \"$t\"' EXIT INT\nt=$(mktemp)\nprintf '%s=%03d %x\\n' a 7 255 > \"$t\"\n\
     while getopts ab:c o -a -b x; do case $o in a) A=1;; b) B=$OPTARG;; esac; done\n\
     eval \"v_$A=\\\"$B\\\"\"; set -- $v_1; if ! [ -n \"$1\" -a ! -e /nowhere ]; then exit 3; fi\n",
    "#!/bin/bash\nif [[ $1 == conf* && -d /etc ]]; then x=${1/conf/b}; fi\n((x++)) || :\necho <<< \"$x\"\n",
    // Files.
    "mkdir -p -m 0750 /var/lib/tool/a /srv\ninstall -d -o root -g users -m 2775 /var/lib/tool/b\n\
     install -D -m 644 /etc/tool.conf /srv/x/y.conf\ncp -a /etc/tool.conf /tmp/c\nln -sf ../tmp/c /srv/l\n\
     mv /tmp/c /tmp/d\nchmod -R u=rwX,g+s,o-w /var/lib/tool\nchown -R 1:2 /srv\nchgrp users /tmp/d\ntouch /tmp/e\n\
     rm -rf /var/lib/tool /nowhere\nrmdir --ignore-fail-on-non-empty /srv\nreadlink -f /srv/l\nrm -f /etc/circle\n",
    "sed -i -e 's/^#\\? *key *= *\\(.*\\)$/key=\\1/;/^list/d;2,3{s/a/b/;p}' -e '$a end' /etc/tool.conf\n\
     grep -qE '^(key|list)=[0-9a-z]+$' /etc/tool.conf && cut -d= -f2 /etc/tool.conf | sort -u | tr a-z A-Z | head -n 2\n\
     awk -F: '$3 >= 0 && $1 != \"x\" { print $1, $3 }' /etc/passwd | wc -l\n\
     find /etc /usr -type f -name '*.conf' -print0 | xargs -0 ls -l\ncmp -s /etc/tool.conf /tmp/a || diff /etc/tool.conf /tmp/a\n",
    // Accounts.
    "if ! getent passwd tool >/dev/null; then\nadduser --system --group --home /var/lib/tool --gecos 'A tool' \
     --no-create-home --quiet tool\nfi\naddgroup --system more\nadduser tool more\nusermod -d /srv -s /bin/false tool\n\
     groupadd -r -g 77 third\nuseradd -r -M -N -g third -G more,users -s /usr/sbin/nologin fourth\npasswd -l fourth\nid -u fourth\n",
    "cat > /usr/lib/sysusers.d/x.conf <<EOF\ng gg 88\nu uu 89:gg \"U u\" /var/uu /bin/sh\nm uu users\nr - 500-600\nEOF\n\
     systemd-sysusers x.conf tool.conf\ncat > /etc/tmpfiles.d/x.conf <<EOF\nd /var/log/x 2755 root uu 10d\nf+ /tmp/y 0600 - - - text\n\
     L /etc/link - - - - /tmp/y\nz /etc/tool.conf 0640 root users\nEOF\nsystemd-tmpfiles --create x.conf tool.conf\n",
    "addgroup -S -g 82 www-data 2>/dev/null\nadduser -S -D -H -h /var/www -s /sbin/nologin -G www-data -g www www 2>/dev/null\n\
     for d in \"$@\"; do [ -e \"$d\" ] && echo $d; done\nrc-update add tool default\nadd-shell /bin/tool\nbusybox --install -s\nexit 0\n",
    // Debian's own.
    "dpkg-maintscript-helper rm_conffile /etc/old 1.0~ tool -- \"$@\"\nif dpkg --compare-versions \"$2\" lt-nl 1:2.0~rc1-3; then echo old; fi\n\
     dpkg-divert --package tool --add --rename --divert /usr/bin/tool.real /usr/bin/tool\n\
     dpkg-statoverride --list /usr/bin/tool.real >/dev/null || dpkg-statoverride --update --add root users 2755 /usr/bin/tool.real\n\
     dpkg-query -W -f '${Version}\\n' libc6; dpkg -L tool | grep bin; dpkg --print-architecture\n",
    "update-alternatives --install /usr/bin/x x /usr/bin/tool 50 --slave /usr/share/x.1 x.1 /etc/tool.conf\n\
     update-alternatives --install /usr/bin/x x /usr/bin/other 60\nupdate-alternatives --set x /usr/bin/tool\n\
     update-alternatives --auto x\nupdate-alternatives --query x\nupdate-alternatives --remove x /usr/bin/other\n",
    "if deb-systemd-helper --quiet was-enabled 'tool.service'; then deb-systemd-helper enable 'tool.service' >/dev/null || true\n\
     else deb-systemd-helper update-state 'tool.service' >/dev/null || true; fi\ndeb-systemd-helper unmask tool.service\n\
     update-rc.d tool defaults-disabled\ninvoke-rc.d --skip-systemd-native tool start || exit 1\nsystemctl --system daemon-reload\n",
    ". /usr/share/debconf/confmodule\ndb_version 2.0\ndb_input high tool/question || true\ndb_go || true\ndb_get tool/question\n\
     if [ \"$RET\" = true ]; then db_set tool/other no; fi\ndb_fget tool/other seen\ndb_stop\n\
     \nTemplate: tool/question\nType: boolean\nDefault: true\nDescription: A question\n",
    // OpenWrt.
    "#!/bin/sh\n[ \"${IPKG_NO_SCRIPT}\" = \"1\" ] && exit 0\n[ -s ${IPKG_INSTROOT}/lib/functions.sh ] || exit 0\n\
     . ${IPKG_INSTROOT}/lib/functions.sh\ndefault_postinst $0 $@\n",
    "#!/bin/sh\n[ -n \"${IPKG_INSTROOT}\" ] || { /etc/init.d/tool enable; exit 0; }\n\
     ${IPKG_INSTROOT}/etc/init.d/tool enable\nuci -q batch <<-EOF\n\tset a.b=c\n\tEOF\n",
    // Calls of what is in the tree.
    "tool a b | while read -r l; do case \"$l\" in [a-m]*) ;; *) tool \"$l\";; esac; done\n. /etc/init.d/tool\ncommand -v tool other nothing\n\
     cd /usr; pwd; umask 027; : > new; cd - >/dev/null; type tool; /usr/bin/tool x\n",
];

/// The scripts.
pub fn all() -> Vec<Vec<u8>> {
    SCRIPTS.iter().map(|script| script.as_bytes().to_vec()).collect()
}
