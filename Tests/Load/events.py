#!/usr/bin/env python3
"""Writes audit events of processes that there are, as auditd gives them to a plugin.

  events.py COUNT PID...    COUNT events of these processes, in turns: of ten, four execs, three of
                            files that are opened, two connections and one signal

The times are those of the moment, the serials rise: who follows processes looks for these, and
who refuses an event that came twice finds none.
"""
import sys
import time

count, pids = int(sys.argv[1]), sys.argv[2:]
out = sys.stdout
seconds = int(time.time())
IDS = ('auid=1000 uid=0 gid=0 euid=0 suid=0 fsuid=0 egid=0 sgid=0 fsgid=0 tty=pts0 ses=4')
CAPS = 'cap_fp=0 cap_fi=0 cap_fe=0 cap_fver=0 cap_frootid=0'


def call(number, pid, parent, comm, exe, key, items, exit=0):
    return (f'type=SYSCALL %sarch=c000003e syscall={number} success=yes exit={exit} a0=55d0c8a3b5c0 '
            f'a1=55d0c8a2f770 a2=55d0c8a1e1b0 a3=fffffffffffff286 items={items} ppid={parent} pid={pid} '
            f'{IDS} comm="{comm}" exe="{exe}" subj=unconfined key="{key}"\n')


def path(item, name, inode):
    return (f'type=PATH %sitem={item} name="{name}" inode={inode} dev=fe:00 mode=0100755 ouid=0 '
            f'ogid=0 rdev=00:00 nametype=NORMAL {CAPS}\n')


CWD = 'type=CWD %scwd="/root"\n'
TITLE = 'type=PROCTITLE %sproctitle=2F7573722F62696E2F736C65657000333030\n'
END = 'type=EOE %s\n'


def event(kind, pid, parent):
    if kind < 4:
        return (call(59, pid, parent, 'sleep', '/usr/bin/sleep', 'exec', 2)
                + 'type=EXECVE %sargc=3 a0="/usr/bin/sleep" a1="--" a2="300"\n' + CWD
                + path(0, '/usr/bin/sleep', 254651) + path(1, '/lib64/ld-linux-x86-64.so.2', 332717)
                + TITLE + END)
    if kind < 7:
        return (call(257, pid, parent, 'sleep', '/usr/bin/sleep', 'files', 1, 3) + CWD
                + path(0, '/etc/passwd', 1234) + TITLE + END)
    if kind < 9:
        return (call(42, pid, parent, 'sleep', '/usr/bin/sleep', 'net', 0)
                + 'type=SOCKADDR %ssaddr=02000050A9FEA9FE0000000000000000\n' + TITLE + END)
    return (call(62, pid, parent, 'sleep', '/usr/bin/sleep', 'kill', 0)
            + f'type=OBJ_PID %sopid={parent} oauid=1000 ouid=0 oses=4 ocomm="sh"\n' + TITLE + END)


for serial in range(1, count + 1):
    pid = pids[1 + serial // 3 % (len(pids) - 1)]
    text = event(serial % 10, pid, pids[0])
    out.write(text.replace('%s', f'msg=audit({seconds + serial // 20000}.{serial // 20 % 1000:03}:{serial}): '))
