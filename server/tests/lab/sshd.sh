#!/bin/bash
# A host's ssh server, started inside its namespaces. Logs to standard error, and tells of every attempt to log in.
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
# A newer one keeps clients that failed to log in away for a while.
if /usr/sbin/sshd -t -f "$config" -o PerSourcePenalties=no 2>/dev/null; then
    echo 'PerSourcePenalties no' >>"$config"
fi
exec /usr/sbin/sshd -D -e -f "$config"
