#!/bin/sh
# auditd.sh FOLDER FLAG: auditd with its configuration in FOLDER, and with a private
# /run and /var/log/audit. To be run in a mount namespace of its own.
set -e
mount -t tmpfs none /run
mkdir -p /run/audit
mount -t tmpfs none /var/log/audit
exec /sbin/auditd "$2" -c "$1"
