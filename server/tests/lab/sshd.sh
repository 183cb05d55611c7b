#!/bin/bash
# A host's ssh server, started inside its namespaces. Logs every login attempt to standard error.
set -euo pipefail

key=/etc/ssh/lab_host_key config=/run/sshd_config
mkdir -p /run/sshd
[ -e "$key" ] || ssh-keygen -q -t ed25519 -N '' -f "$key"
cat >"$config" <<END
HostKey $key
PermitRootLogin yes
PasswordAuthentication yes
KbdInteractiveAuthentication no
UsePAM no
PidFile none
LogLevel VERBOSE
END
# Newer versions refuse clients for a while after failed logins.
if /usr/sbin/sshd -t -f "$config" -o PerSourcePenalties=no 2>/dev/null; then
    echo 'PerSourcePenalties no' >>"$config"
fi
exec /usr/sbin/sshd -D -e -f "$config"
