#!/bin/sh
# audit-guard.sh LOCK SECONDS KEY: holds the host-wide lock on the kernel's audit
# until end of input or SECONDS have passed, then ends the processes whose ids it
# was sent, removes the rules with KEY and what audispatch-integrity has loaded, and
# puts back what `auditctl -s` said.
# Prints "held" when it has the lock, and "restored" when all is as it was.
set -u
exec 9>"$1" || exit 1
flock -w 600 9 || exit 1
status=$(auditctl -s) || exit 1
value() { printf '%s\n' "$status" | sed -n "s/^$1 //p"; }
state() {
  auditctl -s | grep -E '^(enabled|failure|pid|rate_limit|backlog_limit|backlog_wait_time) '
  auditctl -l
}
[ "$(value pid)" = 0 ] || { echo "an audit daemon runs here"; exit 1; }
[ "$(value enabled)" = 2 ] && { echo "audit is locked"; exit 1; }
pids=$(mktemp) || exit 1
found=$(state)
echo held
timeout "$2" cat > "$pids"
while read -r pid; do kill -TERM "$pid" 2> /dev/null; done < "$pids"
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
  [ "$(auditctl -s | sed -n 's/^pid //p')" = 0 ] && break
  sleep 0.2
done
while read -r pid; do kill -KILL "$pid" 2> /dev/null; done < "$pids"
rm -f "$pids"
auditctl -D -k "$3" > /dev/null 2>&1
# What a test's audispatch-integrity has loaded and could not unload; a host may have its own.
case $found in
*audispatch-integrity*) ;;
*) auditctl -D -k audispatch-integrity > /dev/null 2>&1 ;;
esac
auditctl -e "$(value enabled)" > /dev/null
auditctl -f "$(value failure)" > /dev/null
auditctl -r "$(value rate_limit)" > /dev/null
auditctl -b "$(value backlog_limit)" > /dev/null
auditctl --backlog_wait_time "$(value backlog_wait_time)" > /dev/null
left=$(state)
[ "$found" = "$left" ] && echo restored || printf 'changed from %s to %s\n' "$found" "$left"
