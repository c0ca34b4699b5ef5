#!/usr/bin/env python3
"""watch.py KEY FILE: appends every record with the rule key KEY to FILE.

plugins.d: path = /usr/local/libexec/watch.py, args = KEY FILE, format = string
"""
import os
import signal
import sys

key, path = sys.argv[1:]
wanted = b' key="%s"' % os.fsencode(key)
number = int(os.environ.get("AUDISPATCH_FIRST", 0))
gap = b" gap=%s\n" % os.fsencode(os.environ.get("AUDISPATCH_GAP", ""))


def reopen(*_):
    global out
    out = open(path, "a+b", buffering=0)
    if out.tell():  # what a full disk has cut off gets its newline, and comes again
        out.seek(-1, os.SEEK_END)
        if out.read(1) != b"\n":
            out.write(b"\n")


reopen()
signal.signal(signal.SIGHUP, reopen)
signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the end of input is the end
for line in sys.stdin.buffer:
    if not line.endswith(b"\n"):  # a dispatcher that died: the record comes again, whole
        break
    if wanted in line and out.write(line) != len(line):
        sys.exit(1)
    if number and not line.endswith(gap):  # confirming, if the dispatcher asks for it
        os.write(0, b"ok %d\n" % number)
        number += 1
