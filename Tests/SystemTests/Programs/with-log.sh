#!/bin/sh
# with-log.sh LOG PROGRAM [ARGUMENT...]: the program with the socket LOG as /dev/log.
# To be run in a mount namespace of its own.
set -e
log=$1
shift
mkdir -p "$log.dev"
mount -t tmpfs none "$log.dev"
for name in null zero full random urandom; do
  : > "$log.dev/$name"
  mount --bind "/dev/$name" "$log.dev/$name"
done
mkdir "$log.dev/shm"
ln -s "$log" "$log.dev/log"
ln -s /proc/self/fd "$log.dev/fd"
mount --rbind "$log.dev" /dev
exec "$@"
