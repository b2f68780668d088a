# Stand-in for procd's functions: an instance is a process that is started again whenever it ends.
# Commands must be words without blanks.

procd_open_instance() { command=; }

procd_set_param() {
	[ "$1" = command ] || return 0
	shift
	command=$*
}

procd_close_instance() {
	# shellcheck disable=SC2086 # words
	setsid /lib/procd/supervise $command </dev/null >/dev/console 2>&1 &
}
