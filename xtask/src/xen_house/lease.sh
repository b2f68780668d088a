#!/bin/sh
# What udhcpc calls.
[ "$1" = bound ] || exit 0
# shellcheck disable=SC2154 # the lease is in the environment
ip addr add "$ip/$mask" dev "$interface"
# shellcheck disable=SC2154
ip route add default via "${router%% *}"
