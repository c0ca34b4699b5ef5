// handover PID NAME=FD... -- PROGRAM [ARGUMENT...]: executes a program as a service manager does that
// kept descriptors for it (sd_listen_fds(3)): copies of those of process PID.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv) {
	char names[65536] = "", text[16];
	int count = 0, at = 2, taken[4096];
	int process = argc > 2 ? (int)syscall(SYS_pidfd_open, atoi(argv[1]), 0) : -1;
	if (process < 0) return 200;
	for (; at < argc && strcmp(argv[at], "--"); at++) {
		char *value = strrchr(argv[at], '=');
		if (!value || count == 4096) return 201;
		*value++ = 0;
		int fd = (int)syscall(SYS_pidfd_getfd, process, atoi(value), 0);
		// Out of the way of what gets its place.
		if (fd < 0 || (taken[count] = fcntl(fd, F_DUPFD, 8192)) < 0) return 202;
		snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", count ? ":" : "", argv[at]);
		count++;
	}
	if (at + 1 >= argc) return 203;
	for (int i = 0; i < count; i++) {
		dup2(taken[i], 3 + i);
		close(taken[i]);
	}
	snprintf(text, sizeof text, "%d", count);
	setenv("LISTEN_FDS", text, 1);
	setenv("LISTEN_FDNAMES", names, 1);
	snprintf(text, sizeof text, "%d", getpid());
	setenv("LISTEN_PID", text, 1);
	execvp(argv[at + 1], argv + at + 1);
	return 204;
}
