#!/usr/bin/env python3
"""Writes audit events of many kinds, as auditd gives them to a plugin.

  many-events.py COUNT SEED PARENT PID...    of these processes, which are there; by chance

Execs with arguments of any bytes, scripts, programs that were deleted, files, sockets of several
families, signals, and what programs and the kernel's security modules tell. No process is said to be
another one than it is.
"""
import os
import random
import sys
import time

count, seed, parent, pids = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]
chance = random.Random(seed)
seconds = int(time.time())
US = '\x1d'
SLEEP = os.stat('/usr/bin/sleep')


def encoded(text):
    """As the kernel writes a text that somebody else has chosen."""
    if isinstance(text, str):
        text = text.encode()
    if all(0x20 < byte < 0x7f and byte != 0x22 for byte in text):
        return f'"{text.decode()}"'
    return text.hex().upper()


def any_text():
    return chance.choice([
        'a', 'two words', 'quote"d', 'tab\t', 'näme', 'x=y', '%41+b', '{}', "it's", 'a\\b', '-rf',
        b'\xff\xfe', b'\x01', 'new\nline', 'λ' * chance.randrange(1, 40), 'x' * chance.randrange(1, 300)])


def call(number, pid, comm, exe, items, key, exit=0):
    names = {59: 'execve', 257: 'openat', 42: 'connect', 49: 'bind', 62: 'kill', 87: 'unlink'}
    success = 'no' if exit < 0 else 'yes'
    return (f'SYSCALL arch=c000003e syscall={number} success={success} exit={exit} '
            f'a0={chance.getrandbits(48):x} a1={chance.getrandbits(20):x} a2=0 a3=7ffc items={items} '
            f'ppid={parent} pid={pid} auid=0 uid=0 gid=0 euid=33 suid=0 fsuid=0 egid=0 sgid=0 '
            f'fsgid=0 tty=pts0 ses=4 comm={encoded(comm)} exe={encoded(exe)} subj=unconfined key={key}'
            f'{US}ARCH=x86_64 SYSCALL={names[number]} AUID="root" UID="root" GID="root" '
            'EUID="www-data" SUID="root" FSUID="root" EGID="root" SGID="root" FSGID="root"')


def path(item, name, kind='NORMAL', mode='0100755', file=None):
    inode, device = (file.st_ino, file.st_dev) if file else (chance.randrange(1 << 30), 0)
    return (f'PATH item={item} name={encoded(name)} inode={inode} '
            f'dev={os.major(device):02x}:{os.minor(device):02x} '
            f'mode={mode} ouid=0 ogid=42 rdev=00:00 nametype={kind} cap_fp=0 cap_fi=0 cap_fe=0 '
            f'cap_fver=0 cap_frootid=0{US}OUID="root" OGID="shadow"')


def key():
    return chance.choice(['"exec"', '"exec"', '(null)', encoded(b'one\x01two'), encoded('a b')])


def title():
    words = [any_text() for _ in range(chance.randrange(1, 4))]
    data = b'\0'.join(word.encode() if isinstance(word, str) else word for word in words)
    return 'PROCTITLE proctitle=' + encoded(data[:128])


def arguments(words):
    return f'EXECVE argc={len(words)} ' + ' '.join(
        f'a{place}={encoded(word)}' for place, word in enumerate(words))


def execs(pid):
    words = ['sleep'] + [any_text() for _ in range(chance.randrange(5))] + ['600']
    name = chance.choice(['/usr/bin/sleep', 'sleep', '../bin/sleep'])
    return [call(59, pid, 'sleep', '/usr/bin/sleep', 2, key()), arguments(words), 'CWD cwd=' + encoded(
        chance.choice(['/', '/home/a b', '/root'])), path(0, name, file=SLEEP), path(1, '/lib64/ld.so'), title()]


def opens(pid):
    paths = [path(0, '/etc/', 'PARENT', '040755'), path(1, any_text(), 'CREATE', '0100640')]
    return [call(257, pid, 'sleep', '/usr/bin/sleep', 2, key(), chance.choice([3, -13])),
            'CWD cwd="/"'] + paths + [title()]


def unlinks(pid):
    return [call(87, pid, 'sleep', '/usr/bin/sleep', 2, key()), 'CWD cwd="/tmp"',
            path(0, '/tmp/', 'PARENT', '041777'), path(1, '/tmp/' + 'f' * chance.randrange(1, 20), 'DELETE'),
            title()]


ADDRESSES = ['0200005010A9FEA90000000000000000', '0A000050000000002001067C217010B7DEADBEEF0000000100000000',
             '01002F72756E2F73797374656D642F6E6F7469667900', '100000000000000000000000',
             '0100', '02000035', '0200003508080808']


def connects(pid):
    number = chance.choice([42, 49])
    return [call(number, pid, 'sleep', '/usr/bin/sleep', 0, key(), chance.choice([0, -115])),
            f'SOCKADDR saddr={chance.choice(ADDRESSES)}', title()]


def kills(pid):
    return [call(62, pid, 'sleep', '/usr/bin/sleep', 0, key()),
            f'OBJ_PID opid={parent} oauid=0 ouid=0 oses=4 ocomm={encoded("sh")}{US}OAUID="root" OUID="root"',
            title()]


def messages(pid):
    kind, text = chance.choice([
        ('USER_LOGIN', 'op=login id=0 exe="/usr/sbin/sshd" hostname=? addr=10.0.0.9 terminal=ssh res=success'),
        ('USER_AUTH', 'op=PAM:authentication grantors=pam_unix acct="ann" exe="/usr/bin/su" hostname=? '
                      'addr=? terminal=pts/0 res=failed'),
        ('USER_CMD', 'cwd="/root" cmd=6C73202D6C exe="/usr/bin/sudo" terminal=pts/0 res=success'),
        ('SERVICE_START', 'unit=cron comm="systemd" exe="/lib/systemd/systemd" hostname=? addr=? '
                          'terminal=? res=success'),
        ('CRED_ACQ', 'op=PAM:setcred grantors=pam_permit acct="root" exe="/usr/sbin/cron" hostname=? '
                     'addr=? terminal=cron res=success')])
    return [f'{kind} pid={pid} uid=0 auid=0 ses=4 subj=unconfined msg=\'{text}\'{US}UID="root" AUID="root"']


def modules(pid):
    kind = chance.randrange(4)
    if kind == 0:
        return [f'AVC apparmor="DENIED" operation="open" profile="/usr/bin/x" name={encoded(any_text())} '
                f'pid={pid} comm="sleep" requested_mask="r" denied_mask="r" fsuid=0 ouid=0']
    if kind == 1:
        return [f'ANOM_ABEND auid=0 uid=0 gid=0 ses=4 subj=unconfined pid={pid} comm="sleep" '
                f'exe="/usr/bin/sleep" sig=11 res=1{US}AUID="root" UID="root" GID="root"']
    if kind == 2:
        return [f'SECCOMP auid=0 uid=0 gid=0 ses=4 subj=unconfined pid={pid} comm="sleep" '
                'exe="/usr/bin/sleep" sig=31 arch=c000003e syscall=101 compat=0 ip=0x7f12 code=0x80000000'
                f'{US}AUID="root" UID="root" GID="root" ARCH=x86_64 SYSCALL=ptrace']
    return [f'CONFIG_CHANGE auid=0 ses=4 subj=unconfined op=add_rule key={encoded(any_text())} list=4 res=1'
            f'{US}AUID="root"']


KINDS = [execs] * 4 + [opens, opens, unlinks, connects, connects, kills, messages, modules]
for serial in range(1, count + 1):
    stamp = f'msg=audit({seconds + serial // 20000}.{serial // 20 % 1000:03}:{serial}): '
    records = chance.choice(KINDS)(chance.choice(pids))
    if records[0].startswith('SYSCALL'):
        records.append('EOE ')
    for record in records:
        kind, _, fields = record.partition(' ')
        sys.stdout.write(f'type={kind} {stamp}{fields}\n')
