#!/bin/sh
# installed.sh ROOT PROGRAM [ARGUMENT...]: the program in a root that has what `make install` put
# there, this host's libraries and tools, and nothing else. To be run in a mount namespace of its own.
set -e
root=$1
shift
for link in bin sbin lib lib32 lib64; do
  [ ! -d "/usr/$link" ] || ln -sfn "usr/$link" "$root/$link"
done
# The unit is looked at before, by its test.
for folder in /usr/bin /usr/lib /usr/lib64 /usr/share/zoneinfo; do
  [ -d "$folder" ] && [ ! -L "$folder" ] || continue
  mkdir -p "$root$folder"
  mount --rbind "$folder" "$root$folder"
done
# Of devices what every program has, and /run/log as the host's own syslog.
mkdir -p "$root/dev"
mount -t tmpfs none "$root/dev"
for name in null zero full random urandom; do
  : >"$root/dev/$name"
  mount --bind "/dev/$name" "$root/dev/$name"
done
ln -s /run/log "$root/dev/log"
ln -s /proc/self/fd "$root/dev/fd"
mkdir -p "$root/usr/share/zoneinfo" "$root/proc" "$root/tmp" "$root/run" "$root/var/log" "$root/etc"
mount --rbind /proc "$root/proc"
for file in passwd group nsswitch.conf ld.so.cache localtime; do
  [ ! -e "/etc/$file" ] || cp -L "/etc/$file" "$root/etc/$file"
done
# Somebody else's plugin that is here.
[ ! -e /usr/sbin/audisp-syslog ] || cp /usr/sbin/audisp-syslog "$root/usr/sbin/"
exec /usr/sbin/chroot "$root" "$@"
