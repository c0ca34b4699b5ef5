// A plugin for tests: plugin MODE FILE
//   copy            appends its input to FILE
//   lines           as copy, but whole lines only
//   catch           as copy; catches SIGHUP and notes it
//   never           never reads
//   peeks           never reads; whoever looks at its input without reading sees nothing
//   reads:BYTES     reads so many bytes, and no more
//   gate:PATH       reads nothing until PATH exists, then as copy
//   slow:BYTES:US   reads at most BYTES, then sleeps US microseconds
//   exit:LINES:N    reads exactly LINES lines, then exits with status N
//   dump            writes what it was started with to FILE, then reads and forgets
//   confirm:EVERY:DIE  writes `NUMBER LINE` to FILE (gap records: `- LINE`), and says `ok N` after
//                   every EVERY lines and at the end; with DIE it kills itself after DIE lines
//   urgent:HOW      copies; at each read it writes `ok N` and an urgent byte (between), urgent bytes
//                   alone (only), or all of `ok N` as urgent (all) to its descriptor 0
//   deaf            closes its input both ways, and stays
//   stubborn        copies, then ignores end of input and SIGTERM
// Beside FILE it keeps FILE.log (start, signals, end, each with pid and time) and
// FILE.lock, whose exclusive lock shows that no other generation runs.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

extern char **environ;
static int out = -1, log_fd = -1;
static volatile sig_atomic_t hung_up;

static void note(const char *format, ...) {
	char text[256];
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	int n = snprintf(text, sizeof text, "%lld.%09ld %d ", (long long)t.tv_sec, t.tv_nsec, getpid());
	va_list rest;
	va_start(rest, format);
	n += vsnprintf(text + n, sizeof text - n - 1, format, rest);
	va_end(rest);
	text[n++] = '\n';
	if (write(log_fd, text, n) < 0) _exit(9);
}

static void on_hup(int signal) { (void)signal; hung_up = 1; }

static void keep(const char *bytes, size_t count) {
	while (count) {
		ssize_t n = write(out, bytes, count);
		if (n < 0 && errno != EINTR) _exit(9);
		if (n > 0) bytes += n, count -= n;
	}
}

static void copy(size_t most, long pause) {
	static char buffer[256 << 10];
	for (;;) {
		ssize_t n = read(0, buffer, most && most < sizeof buffer ? most : sizeof buffer);
		if (hung_up) hung_up = 0, note("HUP");
		if (n < 0 && errno == EINTR) continue;
		if (n <= 0) return;
		keep(buffer, n);
		if (pause) usleep(pause);
	}
}

// Reads up to the given newline and not a byte further.
static void copy_lines(long lines) {
	char buffer[4096];
	while (lines > 0) {
		ssize_t n = recv(0, buffer, sizeof buffer, MSG_PEEK);
		if (n < 0 && errno == EINTR) continue;
		if (n <= 0) return;
		ssize_t take = 0;
		while (take < n && lines > 0) if (buffer[take++] == '\n') lines--;
		ssize_t got = read(0, buffer, take);
		if (got > 0) keep(buffer, got);
	}
}

static void whole_lines(void) {
	static char buffer[512 << 10];
	size_t have = 0;
	ssize_t n;
	while ((n = read(0, buffer + have, sizeof buffer - have)) > 0) {
		have += (size_t)n;
		char *last = memrchr(buffer, '\n', have);
		if (!last) continue;
		size_t whole = (size_t)(last + 1 - buffer);
		keep(buffer, whole);
		memmove(buffer, buffer + whole, have -= whole);
	}
}

static void confirm(long every, long die) {
	static char line[64 << 10];
	const char *first = getenv("AUDISPATCH_FIRST");
	unsigned long long number = first ? strtoull(first, 0, 10) : 0;
	long lines = 0;
	char mark[64];
	snprintf(mark, sizeof mark, " gap=%s\n", getenv("AUDISPATCH_GAP"));
	FILE *in = fdopen(dup(0), "r");
	note("first %llu", number);
	while (fgets(line, sizeof line, in)) {
		char text[(64 << 10) + 32], ok[32];
		// The end of a dispatcher that died: the record comes again, whole.
		if (!strchr(line, '\n')) break;
		size_t length = strlen(line), end = strlen(mark);
		int gap = strstr(line, "op=queue-drop") && length > end && !strcmp(line + length - end, mark);
		if (gap) keep(text, snprintf(text, sizeof text, "- %s", line));
		else keep(text, snprintf(text, sizeof text, "%llu %s", number++, line));
		if (++lines % every == 0)
			if (send(0, ok, snprintf(ok, sizeof ok, "ok %llu\n", number - 1), MSG_NOSIGNAL) < 0) break;
		if (lines == die) raise(SIGKILL);
	}
	dprintf(0, "ok %llu\n", number - 1);
}

static void urgent(const char *how) {
	static char buffer[256 << 10];
	const char *first = getenv("AUDISPATCH_FIRST");
	unsigned long long number = first ? strtoull(first, 0, 10) - 1 : 0;
	for (ssize_t n; (n = read(0, buffer, sizeof buffer)) > 0;) {
		char ok[32];
		keep(buffer, n);
		for (ssize_t i = 0; i < n; i++) number += buffer[i] == '\n';
		int length = snprintf(ok, sizeof ok, "ok %llu\n", number);
		if (!strcmp(how, "between")) send(0, ok, length, MSG_NOSIGNAL);
		if (!strcmp(how, "all")) send(0, ok, length, MSG_NOSIGNAL | MSG_OOB);
		else send(0, "!", 1, MSG_NOSIGNAL | MSG_OOB);
	}
}

static void dump(int argc, char **argv) {
	FILE *f = fdopen(dup(out), "a");
	for (int i = 0; i < argc; i++) fprintf(f, "argv %s\n", argv[i]);
	for (char **e = environ; e && *e; e++) fprintf(f, "env %s\n", *e);
	char line[512], cwd[512], target[512], path[600];
	FILE *status = fopen("/proc/self/status", "re");
	while (status && fgets(line, sizeof line, status))
		if (!strncmp(line, "Sig", 3) && strncmp(line, "SigQ", 4)) fprintf(f, "status %s", line);
	if (status) fclose(status);
	struct stat in;
	fstat(0, &in);
	int kind = 0, nonblock = fcntl(0, F_GETFL) & O_NONBLOCK;
	socklen_t size = sizeof kind;
	getsockopt(0, SOL_SOCKET, SO_TYPE, &kind, &size);
	fprintf(f, "stdin %s %s\n", S_ISSOCK(in.st_mode) && kind == SOCK_STREAM ? "stream-socket" : "other",
		nonblock ? "nonblocking" : "blocking");
	fprintf(f, "nice %d\n", getpriority(PRIO_PROCESS, 0));
	fprintf(f, "cwd %s\n", getcwd(cwd, sizeof cwd));
	fprintf(f, "leader %s\n", getpgid(0) == getpid() ? "yes" : "no");
	DIR *d = opendir("/proc/self/fd");
	for (struct dirent *e; d && (e = readdir(d));) {
		int fd = atoi(e->d_name);
		if (e->d_name[0] == '.' || fd == dirfd(d) || fd == out || fd == log_fd || fd == fileno(f)) continue;
		snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
		ssize_t n = readlink(path, target, sizeof target - 1);
		target[n > 0 ? n : 0] = 0;
		if (strncmp(target, argv[2], strlen(argv[2]))) fprintf(f, "fd %d %s\n", fd, target);
	}
	fprintf(f, "done\n");
	fclose(f);
}

int main(int argc, char **argv) {
	if (argc < 3) return 2;
	const char *mode = argv[1], *file = argv[2];
	char path[4096];
	out = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	snprintf(path, sizeof path, "%s.log", file);
	log_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	snprintf(path, sizeof path, "%s.lock", file);
	int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (out < 0 || log_fd < 0 || lock < 0) return 9;
	note("start");
	if (flock(lock, LOCK_EX | LOCK_NB)) note("OVERLAP");
	long a = 0, b = 0;
	if (!strcmp(mode, "copy")) copy(0, 0);
	else if (!strcmp(mode, "lines")) whole_lines();
	else if (!strcmp(mode, "catch")) {
		struct sigaction s = {.sa_handler = on_hup};
		sigaction(SIGHUP, &s, 0);
		note("ready");
		copy(0, 0);
	} else if (!strcmp(mode, "never")) for (;;) pause();
	else if (!strcmp(mode, "peeks")) {
		// Where a look without reading begins, for every process with this socket.
		setsockopt(0, SOL_SOCKET, SO_PEEK_OFF, &(int){1 << 20}, sizeof(int));
		note("ready");
		for (;;) pause();
	} else if (sscanf(mode, "reads:%ld", &a) == 1) {
		// So many bytes, however they come.
		for (char byte; a > 0 && read(0, &byte, 1) == 1; a--) {}
		note("ready");
		for (;;) pause();
	}
	else if (!strncmp(mode, "gate:", 5)) {
		while (access(mode + 5, F_OK)) usleep(2000);
		note("open");
		copy(0, 0);
	} else if (sscanf(mode, "slow:%ld:%ld", &a, &b) == 2) copy(a, b);
	else if (sscanf(mode, "exit:%ld:%ld", &a, &b) == 2) {
		copy_lines(a);
		note("end");
		return (int)b;
	} else if (sscanf(mode, "confirm:%ld:%ld", &a, &b) >= 1) {
		signal(SIGPIPE, SIG_IGN);
		confirm(a, b);
	} else if (!strncmp(mode, "urgent:", 7)) urgent(mode + 7);
	else if (!strcmp(mode, "dump")) {
		dump(argc, argv);
		out = open("/dev/null", O_WRONLY);
		copy(0, 0);
	} else if (!strcmp(mode, "deaf")) {
		shutdown(0, SHUT_RDWR);
		note("deaf");
		for (;;) pause();
	} else if (!strcmp(mode, "stubborn")) {
		signal(SIGTERM, SIG_IGN);
		note("ready");
		copy(0, 0);
		note("stays");
		for (;;) pause();
	} else return 2;
	note("end");
	return 0;
}
