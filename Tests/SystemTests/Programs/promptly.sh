#!/bin/sh
# promptly.sh PROGRAM [ARGUMENT...]: the program before all others on the host, where
# that is allowed: what a test says of a program that keeps up must not depend on load.
chrt --fifo 1 true 2> /dev/null && exec chrt --fifo 1 "$@"
exec "$@"
