#!/bin/bash
# A host of the lab: namespaces with directories of their own at the paths that are compiled into libvirt's privileged daemon.
#
#   unshare --mount --net host.sh SANDBOX NAME ADDRESS UUID [UNPACKED…]
#
# SANDBOX is the sandbox's directory. UNPACKED are directories with unpacked packages that this host has and the machine has not.
# The namespaces live as long as this process; it prints "ready" when programs may be started in them (nsenter).
set -euo pipefail
sandbox=$1 name=$2 address=$3 uuid=$4
shift 4
directory=$sandbox/$name

# A pair of virtual network devices; the other end is attached to the sandbox's bridge.
ip link set lo up
ip link add eth0 type veth peer name "$name" netns 1
ip address add "$address/24" dev eth0
ip link set eth0 up
nsenter --target 1 --net ip link set "$name" master lab up
# A destination that drops packets is given up after 3 s, not after two minutes.
echo 1 >/proc/sys/net/ipv4/tcp_syn_retries

mount -t sysfs sysfs /sys
mkdir -p "$directory/root"
cp --archive /etc "$directory/etc"
rm -rf "$directory/etc/libvirt" "$directory/etc/pki"
mkdir "$directory/etc/libvirt" "$directory/etc/pki"
for path in /etc /var/lib/libvirt /var/log /var/cache /run; do
    mkdir -p "$directory$path"
    mount --bind "$directory$path" "$path"
done
# The state of swtpm's certificate authority.
[ ! -d /var/lib/swtpm-localca ] || mount -t tmpfs tmpfs /var/lib/swtpm-localca
if [ $# -gt 0 ]; then
    mount -t overlay -o "lowerdir=$(printf '%s/usr:' "$@")/usr" overlay /usr
fi

# Accounts of its own, without passwords yet: root with a home on this host only, `operator`, which may use libvirt, `noaccess`, which
# may not, and sshd's.
sed -i '/^\(root\|operator\|noaccess\|sshd\):/d' /etc/passwd /etc/shadow
sed -i '/^\(libvirt\|operator\|noaccess\):/d' /etc/group
cat >>/etc/passwd <<END
root:x:0:0:root:$directory/root:/bin/bash
operator:x:2001:2001::/:/bin/sh
noaccess:x:2002:2002::/:/bin/sh
sshd:x:2003:65534::/run/sshd:/usr/sbin/nologin
END
printf '%s:*:::::::\n' root operator noaccess sshd >>/etc/shadow
cat >>/etc/group <<END
libvirt:x:2000:operator
operator:x:2001:
noaccess:x:2002:
END

cat >/etc/libvirt/libvirtd.conf <<END
host_uuid = "$uuid"
listen_tls = 0
listen_tcp = 1
listen_addr = "$address"
auth_tcp = "none"
auth_unix_ro = "none"
auth_unix_rw = "none"
unix_sock_group = "libvirt"
unix_sock_rw_perms = "0770"
log_outputs = "3:stderr"
END
# All hosts share one kernel: libvirt must not manage control groups or change the owners of files. QEMU keeps root's rights, without which
# it may not use userfaultfd (post-copy) where libvirt, before 10.1, does not hand it over.
cat >/etc/libvirt/qemu.conf <<END
user = "root"
group = "root"
swtpm_user = "root"
swtpm_group = "root"
security_driver = "none"
dynamic_ownership = 0
remember_owner = 0
clear_emulator_capabilities = 0
namespaces = []
cgroup_controllers = []
stdio_handler = "file"
migration_host = "$address"
migration_address = "$address"
shared_filesystems = [ "$sandbox/shared" ]
auto_shutdown_try_save = "none"
auto_shutdown_try_shutdown = "none"
auto_shutdown_poweroff = "none"
END

echo ready
exec sleep infinity
