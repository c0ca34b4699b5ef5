#!/bin/sh
# with-names.sh RESOLV HOSTS PROGRAM [ARGUMENT...]: the program with these files as resolv.conf and
# hosts. To be run in a mount namespace of its own.
set -e
mount --bind "$1" /etc/resolv.conf
mount --bind "$2" /etc/hosts
shift 2
exec "$@"
