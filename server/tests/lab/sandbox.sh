#!/bin/bash
# The namespaces around the lab's hosts. The test's program runs in them, and everything in them ends with that program.
#
#   setpriv --pdeathsig KILL unshare --mount --net --pid --fork --kill-child --mount-proc sandbox.sh DIRECTORY PROGRAM ARGUMENT…
#
# This shell is the first process of a PID namespace, so the kernel kills all others when it ends. It reaps orphans, too:
# libvirt waits until a QEMU that ended has been reaped.
set -euo pipefail
directory=$1
shift

mount -t sysfs sysfs /sys
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs "$directory"
# The test's own home, where ssh has its keys, is replaced with an empty one.
export HOME=$directory/root
mkdir -m 700 "$HOME"
sed "s|^root:.*|root:x:0:0:root:$HOME:/bin/bash|" /etc/passwd >"$directory/passwd"
mount --bind "$directory/passwd" /etc/passwd

# 192.0.2.0/24 is reserved for documentation; here it exists in this network namespace only.
ip link set lo up
ip link add lab type bridge
ip address add 192.0.2.1/24 dev lab
ip link set lab up

# In a new session: the terminal's has no number in this PID namespace.
setsid --wait "$@" &
wait $!
