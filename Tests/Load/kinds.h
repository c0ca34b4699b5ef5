// The records of an execve, as auditd writes them with log_format = enriched.
#pragma once
#include <stdint.h>

static const struct { uint32_t type; const char *name, *body; } kinds[] = {
	{1300, "SYSCALL",
		"arch=c000003e syscall=59 success=yes exit=0 a0=55d0c8a4b2e0 a1=55d0c8a4b340"
		" a2=55d0c8a4b3a0 a3=8 items=2 ppid=4021 pid=4077 auid=1000 uid=1000 gid=1000"
		" euid=1000 suid=1000 fsuid=1000 egid=1000 sgid=1000 fsgid=1000 tty=pts0 ses=3"
		" comm=\"ls\" exe=\"/usr/bin/ls\" subj=unconfined key=\"exec\"\x1d" "ARCH=x86_64"
		" SYSCALL=execve AUID=\"alice\" UID=\"alice\" GID=\"alice\""},
	{1309, "EXECVE", "argc=1 a0=\"ls\""},
	{1307, "CWD", "cwd=\"/home/alice\""},
	{1302, "PATH",
		"item=0 name=\"/usr/bin/ls\" inode=262419 dev=fe:00 mode=0100755 ouid=0 ogid=0"
		" rdev=00:00 nametype=NORMAL cap_fp=0 cap_fi=0 cap_fe=0 cap_fver=0 cap_frootid=0"
		"\x1dOUID=\"root\" OGID=\"root\""},
	{1327, "PROCTITLE", "proctitle=\"ls\""},
	{1320, "EOE", ""},
};
