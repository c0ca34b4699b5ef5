#!/bin/sh
# collector.sh FOLDER SYSLOG DENY SIZE: auditd with its configuration in FOLDER, that writes
# its log into FOLDER/log, a file system of its own with SIZE unless that is 0; with a private
# /run, the socket SYSLOG as /dev/log and the file DENY as hosts.deny. To be run in a mount
# namespace of its own.
set -e
mount -t tmpfs none /run
mkdir -p /run/audit
[ "$4" = 0 ] || mount -t tmpfs -o size="$4" none "$1/log"
mount --bind "$3" /etc/hosts.deny
exec "${0%/*}/with-log.sh" "$2" /sbin/auditd -n -c "$1"
