#!/bin/sh
# with-remote.sh FILE PROGRAM [ARGUMENT...]: the program with FILE as audisp-remote's
# configuration and an empty spool. To be run in a mount namespace of its own.
set -e
mount --bind "$1" /etc/audit/audisp-remote.conf
mount -t tmpfs none /var/spool
mkdir -p /var/spool/audit
shift
exec "$@"
