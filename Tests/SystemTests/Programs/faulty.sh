#!/bin/sh
# faulty.sh FOLDER PROGRAM [ARGUMENT...]: the program; when it is started for the first time, under
# strace with the arguments in FOLDER/strace. What only looks at its configuration is no start.
folder=$1
shift
case " $* " in *' --check '*) exec "$@" ;; esac
mkdir "$folder/started" 2>/dev/null || exec "$@"
exec strace -D -f -qqq $(cat "$folder/strace") "$@"
