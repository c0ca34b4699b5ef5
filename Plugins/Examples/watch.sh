#!/bin/sh
# watch.sh KEY FILE: appends every record with the rule key KEY to FILE.
# plugins.d: path = /usr/local/libexec/watch.sh, args = KEY FILE, format = string

trap '' HUP TERM PIPE # the end of input is the end
key=$1 file=$2 n=$AUDISPATCH_FIRST
# What a full disk has cut off gets its newline, and comes again.
[ -z "$(tail -c 1 "$file" 2>&-)" ] || echo >>"$file" || exit 1
while IFS= read -r line; do
  case $line in
    *" key=\"$key\""*) printf '%s\n' "$line" >>"$file" || exit 1 ;;
  esac
  # Confirming, if the dispatcher asks for it: a gap record has no number.
  [ -n "$n" ] || continue
  case $line in
    *" gap=$AUDISPATCH_GAP") ;;
    *) echo "ok $n" >&0; n=$((n + 1)) ;;
  esac
done
