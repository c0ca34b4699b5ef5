// tally: a plugin whose counts outlive it, for dispatchers and plugins that are killed.
//
//   tally FILE         reads events of the load generator, not interleaved, to the end of input
//   tally -p FILE      prints what was counted by all that had the file, one after the other:
//     records=   all but gap records, repeats included
//     twice=     that came again, or late
//     missing=   that were passed over
//     gaps=      what gap records said was dropped
//     starts=    generations
//
// A record that was read and not yet counted when it was killed is missing: at most BUFFER bytes.
#define _GNU_SOURCE
#include "load.h"
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { BUFFER = 64 << 10, KINDS = 5 };
static const char *const kinds[KINDS] = {"SYSCALL", "EXECVE", "CWD", "PATH", "PROCTITLE"};
struct tally { long records, next, twice, missing, gaps, starts; };

static void take(struct tally *t, const char *line, const char *end) {
	const char *type = memmem(line, (size_t)(end - line), "type=", 5);
	const char *stamp = type ? memmem(type, (size_t)(end - type), " msg=audit(", 11) : NULL;
	const char *colon = stamp ? memchr(stamp, ':', (size_t)(end - stamp)) : NULL;
	if (!colon) return;
	type += 5;
	if (!strncmp(type, "DAEMON_ERR ", 11)) {
		const char *dropped = memmem(line, (size_t)(end - line), " dropped=", 9);
		t->gaps += dropped ? atol(dropped + 9) : 0;
		return;
	}
	int kind = 0;
	while (kind < KINDS && (strncmp(type, kinds[kind], strlen(kinds[kind]))
			|| type[strlen(kinds[kind])] != ' ')) kind++;
	long serial = atol(colon + 1);
	if (kind == KINDS || serial < 1) return;
	long index = (serial - 1) * KINDS + kind;
	t->records++;
	if (index < t->next) {
		t->twice++;
	} else {
		t->missing += index - t->next;
		t->next = index + 1;
	}
}

int main(int argc, char **argv) {
	int printing = argc == 3 && !strcmp(argv[1], "-p");
	if (argc != 2 + printing) return 2;
	int fd = open(argv[argc - 1], printing ? O_RDWR : O_RDWR | O_CREAT, 0644);
	if (fd < 0 || ftruncate(fd, sizeof(struct tally))) return perror(argv[argc - 1]), 1;
	struct tally *t = mmap(NULL, sizeof *t, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (t == MAP_FAILED) return perror("mmap"), 1;
	if (printing) {
		printf("records=%ld twice=%ld missing=%ld gaps=%ld starts=%ld\n", t->records, t->twice,
			t->missing, t->gaps, t->starts);
		return 0;
	}
	signal(SIGTERM, SIG_IGN);
	t->starts++;
	static char buffer[BUFFER];
	size_t have = 0;
	ssize_t count;
	while ((count = read(0, buffer + have, sizeof buffer - have)) > 0) {
		char *line = buffer, *end = buffer + have + count, *newline;
		for (; (newline = memchr(line, '\n', (size_t)(end - line))); line = newline + 1)
			take(t, line, newline);
		have = (size_t)(end - line);
		if (have == sizeof buffer) have = 0;
		memmove(buffer, line, have);
	}
	return 0;
}
