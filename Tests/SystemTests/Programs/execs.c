// execs COUNT UID: executes itself COUNT times as UID, one after the other, and
// prints the nanoseconds that took. Each is one execve event for a rule on UID.
#define _GNU_SOURCE
#include <grp.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

int main(int argc, char **argv) {
	if (argc < 3) return 0;
	long count = atol(argv[1]);
	uid_t uid = (uid_t)atol(argv[2]);
	// The program must stay reachable as the user: it is executed by descriptor.
	static char path[] = "/proc/self/exe";
	char *arguments[] = {"execs", NULL}, *environment[] = {NULL};
	if (setgroups(0, NULL) || setgid(uid) || setuid(uid)) return 1;
	long long before = now();
	for (long i = 0; i < count; i++) {
		pid_t child;
		int status = 0;
		if (posix_spawn(&child, path, NULL, NULL, arguments, environment)) return 1;
		if (waitpid(child, &status, 0) < 0 || status) return 1;
	}
	printf("%lld\n", now() - before);
	return 0;
}
