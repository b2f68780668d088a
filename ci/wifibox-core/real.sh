# real.sh, read by ci/wifibox-core-replay.sh: the real program (sbin/wifibox of the checkout REAL), with stand-ins for the
# programs of FreeBSD, is given the same hosts as ours, and must give bhyve the same command lines.
# shellcheck shell=bash
# shellcheck disable=SC2154 # root, work, configuration and real are the reader's

fake=$work/fake
mkdir -p "$fake"
# stand_in NAME TEXT: what the program prints or does.
stand_in() {
    printf '#!/bin/sh\n%s\n' "$2" >"$fake/$1"
    chmod +x "$fake/$1"
}
# shellcheck disable=SC2016 # for those scripts
{
    stand_in sysctl 'case $2 in kern.module_path) echo /boot/kernel ;; hw.vmm.maxcpu) echo 16 ;; *) echo 1 ;; esac'
    stand_in ifconfig 'echo "	member: tap0 flags=143<LEARNING>"'
    stand_in ps 'printf "COMMAND\ndaemon\n"'
    stand_in tail 'exec tail -n "$1"'
    stand_in nice 'shift 2; exec "$@"'
    # readlink -f of FreeBSD says nothing of a file that is not there, such as its format "%Y".
    stand_in readlink 'shift 2; exec readlink -e "$@"'
}
for name in devctl bhyvectl kldload kldunload kldstat daemon pgrep kill sleep sha256; do stand_in "$name" true; done

real_start() {
    mkdir -p "$root/usr/local/sbin"
    touch "$root/var/log/wifibox.log"
    sed -e "s,%%PREFIX%%,$root/usr/local,; s,%%LOCALBASE%%,$root/usr/local,; s,%%VERSION%%,replayed," \
        -e "s,%%GUEST_ROOT%%,$root/usr/local/share/wifibox,; s,^RUNDIR=,&$root,; s,^LOGDIR=,&$root," \
        "$real/sbin/wifibox" >"$root/usr/local/sbin/wifibox"
    rm -f "$BHYVE_ARGUMENTS"
    # Not by its first line: some sh know no pipefail.
    (
        for name in sysctl ifconfig ps tail nice readlink devctl bhyvectl kldload kldunload kldstat daemon pgrep kill sleep sha256; do
            export "${name^^}=$fake/$name"
        done
        for name in sed cat echo expr printf grep head rm tr seq ls; do
            export "${name^^}=$(type -P "$name")"
        done
        export PS=$fake/ps
        bash "$root/usr/local/sbin/wifibox" _manage_vm
    ) >"$work/said" 2>&1 || true
    [ -f "$BHYVE_ARGUMENTS" ] || {
        cat "$work/said" "$root/var/log/wifibox.log" >&2
        fail "the real program starts no bhyve"
    }
    tr -s ' ' <"$BHYVE_ARGUMENTS" >"$work/real"
}

compared=0
# same COMMAND...: after this, both give the same command line.
same() {
    lay_out
    "$@"
    real_start
    start
    diff "$work/real" "$BHYVE_ARGUMENTS" || fail "the real program's command line is another one, after: $*"
    compared=$((compared + 1))
}
same true
same rm -f "$configuration/appliance/uds_passthru.conf"
same setting console=yes
same ln -sfn nosuch "$configuration/app_config"
same rm "$configuration/app_config"
PPTS='3/0/0 0/20/0' same setting 'passthru="3/0/0 0/20/0"'
same setting memory=1G
echo "the real program gives bhyve the same command line, on $compared hosts of $compared"
