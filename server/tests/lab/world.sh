#!/bin/bash
# The world around the lab's hosts: what runs in it is a program of the test's own, and everything in it ends with that program.
#
#   setpriv --pdeathsig KILL unshare --mount --net --pid --fork --kill-child --mount-proc world.sh DIRECTORY PROGRAM ARGUMENT…
#
# This shell is the first process of a PID namespace, so the kernel kills all others when it ends. It reaps orphans, too, as an
# init must: libvirt waits until a QEMU that ended has been reaped.
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

# 192.0.2.0/24 is set apart for documentation and examples; here it exists in this network namespace only.
ip link set lo up
ip link add lab type bridge
ip address add 192.0.2.1/24 dev lab
ip link set lab up

# In a session of its own: that of the terminal has no number in here.
setsid --wait "$@" &
wait $!
