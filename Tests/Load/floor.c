// floor: the least that a dispatcher must do, to measure one against.
//
//   floor [-f] [-m MODE] REPORT...
//
// Starts `sink REPORT MODE` (from its own folder) for each report, reads binary
// records from standard input, and writes each record's text and a newline to
// every sink. No queue, no isolation: one slow sink stops it.
//
//   -f  fixed records of 8,986 bytes
//   -m  the mode of the sinks (default: count)
#define _GNU_SOURCE
#include "load.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

static char input[1 << 20], output[1 << 20];

static int start_sink(const char *sink, const char *report, const char *mode) {
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)) return -1;
	pid_t pid = fork();
	if (pid == 0) {
		dup2(pair[0], 0);
		execl(sink, sink, report, mode, (char *)0);
		_exit(127);
	}
	close(pair[0]);
	return pid < 0 ? -1 : pair[1];
}

// Moves the whole records at the start of `input` as lines into `output`; returns
// how much of the input they were.
static size_t take_records(size_t have, int fixed, size_t *lines) {
	size_t taken = 0, made = 0;
	while (have - taken >= sizeof(struct header)) {
		struct header h;
		memcpy(&h, input + taken, sizeof h);
		size_t whole = fixed ? RECORD_MAX : sizeof h + h.size;
		if (h.size > PAYLOAD_MAX) exit(1);
		if (have - taken < whole) break;
		memcpy(output + made, input + taken + sizeof h, h.size);
		made += h.size;
		output[made++] = '\n';
		taken += whole;
	}
	*lines = made;
	return taken;
}

int main(int argc, char **argv) {
	int fixed = 0, option;
	const char *mode = "count";
	while ((option = getopt(argc, argv, "+fm:")) != -1)
		switch (option) {
		case 'f': fixed = 1; break;
		case 'm': mode = optarg; break;
		default: return 2;
		}
	int sinks = argc - optind;
	int *sink_fd = calloc((size_t)sinks + 1, sizeof *sink_fd);
	char path[4096];
	ssize_t length = readlink("/proc/self/exe", path, sizeof path - 8);
	if (sinks < 1 || length < 0) {
		fprintf(stderr, "usage: floor [-f] [-m MODE] REPORT...\n");
		return 2;
	}
	path[length] = 0;
	strcpy(strrchr(path, '/') + 1, "sink");
	for (int i = 0; i < sinks; i++)
		if ((sink_fd[i] = start_sink(path, argv[optind + i], mode)) < 0) return perror("sink"), 1;

	size_t have = 0, lines;
	ssize_t count;
	while ((count = read(0, input + have, sizeof input - have)) > 0) {
		have += (size_t)count;
		size_t taken = take_records(have, fixed, &lines);
		memmove(input, input + taken, have -= taken);
		for (int i = 0; i < sinks; i++)
			if (write_all(sink_fd[i], output, lines)) return perror("write"), 1;
	}
	for (int i = 0; i < sinks; i++) close(sink_fd[i]);
	while (wait(NULL) > 0) {}
	return 0;
}
