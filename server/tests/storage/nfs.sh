#!/bin/bash
# A real NFS server for one directory: nfs-ganesha with NFSv3, the version that QEMU speaks.
#
#   unshare --mount nfs.sh PACKAGES DIRECTORY
#
# PACKAGES is the directory of its unpacked packages. Prints "ready" when the server answers, and serves as long as it runs.
set -euo pipefail
packages=$1 directory=$2
# A child that survives would keep this script's output open, and the test waiting for it.
trap 'kill $(jobs -pr) 2>/dev/null || true' EXIT

mount -t overlay -o "lowerdir=$packages/usr:/usr" overlay /usr
mount -t tmpfs tmpfs /run
mkdir /run/rpcbind /run/ganesha
# What the packages would have configured: the port mapper's user, and the owner of files of unknown users.
{ cat /etc/passwd; echo '_rpc:x:0:0::/run/rpcbind:/usr/sbin/nologin'; } >/run/passwd
mount --bind /run/passwd /etc/passwd
printf '[General]\nDomain = localdomain\n[Mapping]\nNobody-User = nobody\nNobody-Group = nogroup\n' >/run/idmapd.conf
cat >/run/ganesha.conf <<END
NFS_CORE_PARAM { Protocols = 3; Enable_NLM = false; Enable_RQUOTA = false; mount_path_pseudo = false; }
NFS_KRB5 { Active_krb5 = false; }
NFSv4 { IdmapConf = /run/idmapd.conf; Only_Numeric_Owners = true; }
EXPORT {
    Export_Id = 1; Path = $directory; Pseudo = /export; Protocols = 3; Transports = TCP;
    Access_Type = RW; Squash = No_Root_Squash; SecType = sys; FSAL { Name = VFS; }
}
END

rpcbind -f -w &
# ganesha registers at it once, and gives up if it is not there yet.
until rpcinfo -p 127.0.0.1 >/dev/null 2>&1; do
    [ -n "$(jobs -pr)" ] || exit 1
    sleep 0.1
done
LD_LIBRARY_PATH=/usr/lib/ganesha ganesha.nfsd -F -f /run/ganesha.conf -L /run/ganesha.log -p /run/ganesha.pid &
until rpcinfo -t 127.0.0.1 nfs 3 >/dev/null 2>&1; do
    if [ "$(jobs -pr | wc -l)" -lt 2 ]; then
        cat /run/ganesha.log >&2
        exit 1
    fi
    sleep 0.1
done
echo ready
wait
