// sink: a plugin that counts, times or checks what reaches it.
//
//   sink REPORT [count]        reads to the end of input
//   sink REPORT stall          never reads; SIGUSR1 makes it read, SIGTERM ends it
//   sink REPORT slow RATE      reads RATE records a second; SIGUSR1: at full speed
//   sink REPORT dead MARKER    exits with 1 at once, until the file MARKER exists
//   sink REPORT check          checks events of the load generator to be whole; so do
//                              stall, slow and dead once they read
//   sink REPORT latency        times each record by its `sent=` field
//
// At the end of input one line goes to the file REPORT:
//   lines= bytes= secs= rate=  records, bytes, seconds from the first read to the
//                              last, records a second in between
//   first_ns= last_ns=         CLOCK_MONOTONIC of these reads
//   check:   whole= partial= dup= disorder= lost= gaps= gap_records=
//            events by serial (lost: serials absent below the highest one);
//            gap records and what they say was dropped
//   latency: p50_us= p99_us= max_us= first_us=
// SIGTERM is ignored while it reads: the end of input ends it, so that nothing
// that was sent is missed.
#define _GNU_SOURCE
#include "load.h"
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static volatile sig_atomic_t ended, released;
static void on_term(int signal) { (void)signal; ended = 1; }
static void on_release(int signal) { (void)signal; released = 1; }

static void *grown(void *old, size_t count, size_t *capacity, size_t size) {
	if (count <= *capacity) return old;
	size_t wanted = *capacity ? *capacity * 2 : 1 << 16;
	while (wanted < count) wanted *= 2;
	if (!(old = realloc(old, wanted * size))) exit(1);
	memset((char *)old + *capacity * size, 0, (wanted - *capacity) * size);
	*capacity = wanted;
	return old;
}

// Whole events: one bit for each of the event's records, by serial.
static const char *const kinds[] = {"SYSCALL", "EXECVE", "CWD", "PATH", "PROCTITLE", "EOE"};
enum { KINDS = 6, OUT_OF_ORDER = 1 << 6, TWICE = 1 << 7 };
static unsigned char *event;
static size_t event_capacity;
static long serial_max, gaps, gap_records;
static int eoe_seen;

static void check_line(const char *line, size_t length) {
	const char *type = memmem(line, length < 300 ? length : 300, "type=", 5);
	const char *end = line + length;
	const char *stamp = type ? memmem(type, (size_t)(end - type), " msg=audit(", 11) : NULL;
	const char *colon = stamp ? memchr(stamp, ':', (size_t)(end - stamp)) : NULL;
	if (!colon) return;
	type += 5;
	if (!strncmp(type, "DAEMON_ERR ", 11)) {
		const char *dropped = memmem(line, length, " dropped=", 9);
		gaps++;
		gap_records += dropped ? atol(dropped + 9) : 0;
		return;
	}
	int kind = 0;
	while (kind < KINDS && (strncmp(type, kinds[kind], strlen(kinds[kind]))
			|| type[strlen(kinds[kind])] != ' ')) kind++;
	long serial = atol(colon + 1);
	if (kind == KINDS || serial < 1) return;
	event = grown(event, (size_t)serial + 1, &event_capacity, 1);
	if (serial > serial_max) serial_max = serial;
	int bit = 1 << kind, before = event[serial] & (OUT_OF_ORDER - 1);
	if (before & bit) event[serial] |= TWICE;
	else if (before != bit - 1) event[serial] |= OUT_OF_ORDER;
	event[serial] |= bit;
	if (kind == KINDS - 1) eoe_seen = 1;
}

static void report_check(FILE *f) {
	long whole = 0, partial = 0, twice = 0, disorder = 0, lost = 0;
	int all = eoe_seen ? (1 << KINDS) - 1 : (1 << (KINDS - 1)) - 1;
	for (long serial = 1; serial <= serial_max; serial++) {
		int seen = event[serial] & (OUT_OF_ORDER - 1);
		*(seen == all ? &whole : seen ? &partial : &lost) += 1;
		twice += (event[serial] & TWICE) != 0;
		disorder += (event[serial] & OUT_OF_ORDER) != 0;
	}
	fprintf(f, " whole=%ld partial=%ld dup=%ld disorder=%ld lost=%ld gaps=%ld gap_records=%ld",
		whole, partial, twice, disorder, lost, gaps, gap_records);
}

// Latency: nanoseconds from each record's `sent=` to the read that returned it.
static int64_t *delay, read_at;
static size_t delays, delay_capacity;

static void time_line(const char *line, size_t length) {
	const char *sent = memmem(line, length, " sent=", 6);
	if (!sent) return;
	delay = grown(delay, delays + 1, &delay_capacity, sizeof *delay);
	delay[delays++] = read_at - strtoll(sent + 6, NULL, 10);
}

static int by_size(const void *a, const void *b) {
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

static void report_latency(FILE *f) {
	if (delays == 0) return;
	double first = (double)delay[0] / 1e3;
	qsort(delay, delays, sizeof *delay, by_size);
	fprintf(f, " p50_us=%.1f p99_us=%.1f max_us=%.1f first_us=%.1f",
		(double)delay[delays / 2] / 1e3, (double)delay[delays * 99 / 100] / 1e3,
		(double)delay[delays - 1] / 1e3, first);
}

// Gives each whole line in `bytes` to `use` and keeps what is left for the next call.
static void each_line(const char *bytes, size_t count, void (*use)(const char *, size_t)) {
	static char kept[1 << 16];
	static size_t kept_count;
	const char *end = bytes + count, *newline;
	for (; (newline = memchr(bytes, '\n', (size_t)(end - bytes))); bytes = newline + 1) {
		size_t length = (size_t)(newline - bytes);
		if (kept_count == 0) {
			use(bytes, length);
		} else if (kept_count + length < sizeof kept) {
			memcpy(kept + kept_count, bytes, length);
			use(kept, kept_count + length);
		}
		kept_count = 0;
	}
	size_t rest = (size_t)(end - bytes);
	if (kept_count + rest >= sizeof kept) rest = 0;
	memcpy(kept + kept_count, bytes, rest);
	kept_count += rest;
}

int main(int argc, char **argv) {
	static char buffer[1 << 18];
	if (argc < 2) return 2;
	const char *mode = argc > 2 ? argv[2] : "count";
	double rate = !strcmp(mode, "slow") && argc > 3 ? atof(argv[3]) : 0;
	if (!strcmp(mode, "dead") && (argc < 4 || access(argv[3], F_OK))) return 1;
	void (*use)(const char *, size_t) = !strcmp(mode, "latency") ? time_line
		: strcmp(mode, "count") ? check_line : NULL;

	sigaction(SIGUSR1, &(struct sigaction){.sa_handler = on_release, .sa_flags = SA_RESTART}, NULL);
	if (!strcmp(mode, "stall")) {
		sigaction(SIGTERM, &(struct sigaction){.sa_handler = on_term}, NULL);
		while (!ended && !released) usleep(100000);
		if (ended) return 0;
	}
	signal(SIGTERM, SIG_IGN);

	long lines = 0, bytes = 0;
	int64_t first = 0, last = 0;
	ssize_t count;
	size_t portion = rate > 0 && rate < 1000 ? 256 : sizeof buffer;
	while ((count = read(0, buffer, released ? sizeof buffer : portion)) > 0) {
		last = read_at = now_ns();
		if (!first) first = last;
		bytes += count;
		long before = lines;
		const char *end = buffer + count;
		for (char *p = buffer; (p = memchr(p, '\n', (size_t)(end - p))); p++) lines++;
		if (use) each_line(buffer, (size_t)count, use);
		double wait = rate > 0 ? (double)(lines - before) / rate : 0;
		for (; wait > 0 && !released; wait -= 0.1)
			usleep((useconds_t)((wait < 0.1 ? wait : 0.1) * 1e6));
	}
	FILE *f = fopen(argv[1], "w");
	if (!f) return 1;
	double secs = (double)(last - first) / 1e9;
	fprintf(f, "lines=%ld bytes=%ld secs=%.3f rate=%.0f first_ns=%" PRId64 " last_ns=%" PRId64,
		lines, bytes, secs, secs > 0 ? (double)lines / secs : 0, first, last);
	if (use == check_line) report_check(f);
	if (use == time_line) report_latency(f);
	fputc('\n', f);
	return fclose(f) != 0;
}
