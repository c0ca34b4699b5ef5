#!/bin/sh
# auditd.sh FOLDER FLAG LOG: auditd with its configuration in FOLDER, with a private
# /run and /var/log/audit, and the socket LOG as /dev/log. To be run in a mount
# namespace of its own.
set -e
mount -t tmpfs none /run
mkdir -p /run/audit
mount -t tmpfs none /var/log/audit
exec "${0%/*}/with-log.sh" "$3" /sbin/auditd "$2" -c "$1"
