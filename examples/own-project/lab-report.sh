#!/bin/sh
# Writes to the share `var` what of the project is in the running guest, and waits.

{
	tcpdump --version 2>&1 | head -n 1
	grep -o loglevel=5 /proc/cmdline
	[ -d /sys/module/dummy ] && echo module dummy
	cat /etc/lab/message
	stat -c '%a %n' /etc/lab.conf /etc/sv/lab-report
} >/var/lab-report.new
mv /var/lab-report.new /var/lab-report

while sleep 3600; do :; done
