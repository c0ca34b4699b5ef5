#!/bin/sh
# changes.sh before|after TREE: makes files, and changes each in a way of its own by a known login
# uid, which whoever changes it has set for himself before he became that user.
set -eu
cd "$2"
as() {
  # shellcheck disable=SC3037
  (
    echo "$1" > /proc/self/loginuid
    exec setpriv --reuid "$1" --regid "$1" --clear-groups sh -ec "$2"
  )
}
case $1 in
before)
  umask 0
  for f in inplace renamed sed unlinked moved gone mode both descriptor nobody; do
    echo old > "$f"
    chmod 0666 "$f"
  done
  mkdir folder
  echo old > folder/inside
  ;;
after)
  as 54001 'echo new >> inplace'
  as 54002 'echo new > r.tmp; mv r.tmp renamed'
  as 54001 'sed -i s/old/new/ sed'
  as 54002 'echo new > l.tmp; rm unlinked; ln l.tmp unlinked; rm l.tmp'
  as 54001 'mv moved moved.new'
  as 54002 'rm gone'
  (echo 54001 > /proc/self/loginuid; chmod 4755 mode)
  as 54001 'echo 1 >> both'
  as 54002 'echo 2 >> both'
  as 54002 'mv folder folder.new'
  as 54001 'echo new > created'
  # What has no name in the record, and what starts from a descriptor.
  (
    echo 54002 > /proc/self/loginuid
    tree=$PWD
    cd /
    perl -e 'use POSIX; $f = POSIX::open("$ARGV[0]/descriptor", O_RDONLY); open(my $h, "<&=", $f);
      chmod 0600, $h or die; chdir($ARGV[0]); open(my $d, ">", "./deep.tmp") or die; close $d;
      rename("deep.tmp", "deep") or die' "$tree"
  )
  echo new >> nobody
  ;;
esac
