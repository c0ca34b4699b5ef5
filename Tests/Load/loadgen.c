// loadgen: starts a program with a socketpair on its standard input, as auditd
// starts a dispatcher, feeds it audit records, and says what that cost it.
//
//   loadgen [OPTION...] -- PROGRAM [ARGUMENT...]
//
//   -n COUNT    records (default 1000000); whole events if it is a multiple of five (six
//               with -e) times -i
//   -r RATE     records a second (default 0: as fast as they are taken)
//   -b COUNT    records per write (default 1, as auditd writes)
//   -v VERSION  0: the kernel's bare text, 1: finished lines (default),
//               text: lines without a header
//   -f          fixed records of 8,986 bytes, their padding stale
//   -d SECONDS  the first record comes this long after the program's start (default 1)
//   -l SECONDS  keep the input open this long after the last record, or until SIGUSR1
//   -e          end each event with an EOE record: six records an event, not five
//   -i COUNT    interleave this many events
//   -k          keep step: write only when all that was written has been read
//   -s SERIAL   serial of the first event (default 1)
//   -t          a `sent=` field in each record: CLOCK_MONOTONIC in nanoseconds
//   -T PORT     over TCP to that port of the loopback, as another auditd does to an
//               auditd: one record per write, at most 500 of them not acknowledged;
//               the program gets a SIGTERM at the end
//   -w          the input waits before the program starts; must fit into the socket
//   -z BYTES    EXECVE records of varied size, up to about this much
//
// Two lines on standard error. What was fed (bytes: of the records' text):
//   fed= secs= rate= bytes= start_ns=
// and, of the program and all processes under it but those named `sink`, their own
// user and system time, and memory in KiB: before the first record, after the last
// and `-l`, and the largest peak of a process:
//   exit= processes= cpu= us_per_record= idle_kib= loaded_kib= peak_kib= idle_pss_kib=
// (idle_pss_kib: as idle_kib, but what several processes share counts once)
#define _GNU_SOURCE
#include "load.h"
#include "kinds.h"
#include "taken.h"
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

static struct {
	long count, per_write, interleaved, serial, size_max;
	double rate, delay, linger;
	int version, fixed, eoe, stamped, waiting, in_step, port;
} load = {.count = 1000000, .per_write = 1, .interleaved = 1, .serial = 1, .delay = 1, .version = 1};
enum { TEXT = 2 };

// Goes from one record to the next; interleaved events take turns, record by record.
static inline void advance(long *serial, int *kind, long *turn) {
	++*serial;
	if (++*turn < load.interleaved) return;
	*turn = 0;
	if (++*kind < (load.eoe ? 6 : 5)) *serial -= load.interleaved;
	else *kind = 0;
}

// Writes one record to `at`, which has room for RECORD_MAX bytes; returns its length,
// and that of its text in `text`.
static size_t compose(char *at, long serial, int kind, size_t *text) {
	static uint32_t noise = 1;
	int version = load.version;
	char *payload = version == TEXT ? at : at + sizeof(struct header);
	char sent[32] = "";
	if (load.stamped) snprintf(sent, sizeof sent, "sent=%" PRId64 " ", now_ns());
	int length = version == 0
		? snprintf(payload, PAYLOAD_MAX, "audit(1795216645.%03ld:%ld): %s%s", serial % 1000, serial,
			sent, kinds[kind].body)
		: snprintf(payload, PAYLOAD_MAX, "type=%s msg=audit(1795216645.%03ld:%ld): %s%s",
			kinds[kind].name, serial % 1000, serial, sent, kinds[kind].body);
	if (kind == 1 && load.size_max > length) {
		noise = noise * 1664525 + 1013904223;
		int more = (int)((noise >> 8) % (uint32_t)(load.size_max - length));
		if (more > 8) length += sprintf(payload + length, " a1=\"%0*d\"", more - 6, 0);
	}
	*text = (size_t)length;
	if (version == TEXT) {
		payload[length] = '\n';
		return (size_t)length + 1;
	}
	struct header h = {(uint32_t)version, sizeof h, kinds[kind].type, (uint32_t)length};
	memcpy(at, &h, sizeof h);
	return load.fixed ? RECORD_MAX : sizeof h + (size_t)length;
}

// Sleeps until `due`, unless that is within a timer's accuracy.
static void wait_until(int64_t due) {
	if (due - now_ns() < 20000) return;
	struct timespec t = {due / 1000000000, due % 1000000000};
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR) {}
}

// Sleeps until the other side has read everything; gives up when it is gone.
static void await_reader(int fd) {
	int unread;
	while (!ioctl(fd, SIOCOUTQ, &unread) && unread > 0) {
		struct timespec t = {0, 20000};
		nanosleep(&t, NULL);
	}
}

// auditd's header for records from other hosts, little-endian, in the place of the other.
static void address_to_auditd(char *at, size_t text, uint32_t sequence) {
	uint16_t length = (uint16_t)text;
	memcpy(at, "\xfe\0\0\xff\0\0\0\0\0\0", 10);
	memcpy(at + 10, &length, sizeof length);
	memcpy(at + 12, &sequence, sizeof sequence);
}

// Reads acknowledgements until at most `most` of `sent` records lack one.
static int await_acks(int fd, long sent, long most) {
	static long bytes = 0;
	char buffer[16 << 10];
	while (sent - bytes / 16 > most) {
		ssize_t n = read(fd, buffer, sizeof buffer);
		if (n <= 0) return -1;
		bytes += n;
	}
	return 0;
}

// Connects to a program that may still be starting.
static int connect_to(int port) {
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	for (int i = 0; i < 500; i++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) {
			setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
			return fd;
		}
		close(fd);
		usleep(20000);
	}
	fprintf(stderr, "loadgen: nothing listens at port %d\n", port);
	exit(1);
}

static void feed(int fd) {
	char *out = calloc((size_t)load.per_write, RECORD_MAX);
	size_t have = 0, text, bytes = 0;
	long sent = 0;
	int64_t start = now_ns();
	long serial = load.serial, turn = 0;
	int kind = 0;
	for (long i = 0; i < load.count; i++, advance(&serial, &kind, &turn)) {
		if (load.rate > 0 && have == 0) wait_until(start + (int64_t)((double)i / load.rate * 1e9));
		char *at = out + have;
		have += compose(at, serial, kind, &text);
		bytes += text;
		if (load.port) address_to_auditd(at, text, (uint32_t)i);
		if ((i + 1) % load.per_write && i + 1 < load.count) continue;
		if (load.in_step) await_reader(fd);
		if (write_all(fd, out, have)) {
			perror("loadgen: write");
			break;
		}
		have = 0;
		sent = i + 1;
		if (load.port && await_acks(fd, sent, sent < load.count ? 500 : 0)) {
			fprintf(stderr, "loadgen: no acknowledgement\n");
			break;
		}
	}
	double secs = (double)(now_ns() - start) / 1e9;
	fprintf(stderr, "fed=%ld secs=%.3f rate=%.0f bytes=%zu start_ns=%" PRId64 "\n", sent, secs,
		(double)sent / secs, bytes, start);
	load.count = sent;
	free(out);
}

// Waits for the program's end and returns its wait status. A program that is still
// running 30 s after the end of its input is stopped.
static int watch(int pid) {
	siginfo_t ended = {0};
	int64_t input_end = now_ns();
	int status = 0, asked = 0;
	while (!ended.si_pid) {	// WNOWAIT: the times of a dead process can still be read
		look_under(pid);
		waitid(P_PID, (id_t)pid, &ended, WEXITED | WNOHANG | WNOWAIT);
		int64_t seconds = (now_ns() - input_end) / 1000000000;
		if (seconds >= 30 && !asked) {
			fprintf(stderr, "loadgen: still running after 30 s: SIGTERM\n");
			kill(pid, SIGTERM);
			asked = 1;
		}
		if (seconds >= 40) kill(pid, SIGKILL);
		if (!ended.si_pid) usleep(5000);
	}
	look_at(pid);
	waitpid(pid, &status, 0);
	return status;
}

static int start(char **program, int input) {
	int pid = fork();
	if (pid == 0) {
		dup2(input, 0);
		execvp(program[0], program);
		perror(program[0]);
		_exit(127);
	}
	close(input);
	return pid;
}

static void on_signal(int signal) { (void)signal; }

static int usage(void) {
	fprintf(stderr, "usage: loadgen [-n COUNT] [-r RATE] [-b COUNT] [-v 0|1|text] [-f] [-d SECONDS]\n"
		"               [-l SECONDS] [-e] [-i COUNT] [-k] [-s SERIAL] [-t] [-w] [-z BYTES] [-T PORT] -- PROGRAM [ARGUMENT...]\n");
	return 2;
}

int main(int argc, char **argv) {
	int option, pair[2];
	while ((option = getopt(argc, argv, "+n:r:b:v:fd:l:ei:ks:twz:T:")) != -1)
		switch (option) {
		case 'n': load.count = atol(optarg); break;
		case 'r': load.rate = atof(optarg); break;
		case 'b': load.per_write = atol(optarg); break;
		case 'v': load.version = strcmp(optarg, "text") ? atoi(optarg) : TEXT; break;
		case 'f': load.fixed = 1; break;
		case 'd': load.delay = atof(optarg); break;
		case 'l': load.linger = atof(optarg); break;
		case 'e': load.eoe = 1; break;
		case 'i': load.interleaved = atol(optarg); break;
		case 'k': load.in_step = 1; break;
		case 's': load.serial = atol(optarg); break;
		case 't': load.stamped = 1; break;
		case 'w': load.waiting = 1; break;
		case 'T': load.port = atoi(optarg); break;
		case 'z': load.size_max = atol(optarg); break;
		default: return usage();
		}
	if (optind >= argc || load.per_write < 1 || load.interleaved < 1 || load.size_max > PAYLOAD_MAX)
		return usage();
	prctl(PR_SET_TIMERSLACK, 1UL);
	signal(SIGPIPE, SIG_IGN);
	sigaction(SIGUSR1, &(struct sigaction){.sa_handler = on_signal}, NULL);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)) return perror("socketpair"), 1;

	int pid = 0;
	long idle = 0, idle_pss = 0;
	if (!load.waiting) {
		pid = start(argv + optind, pair[0]);
		usleep((useconds_t)(load.delay * 1e6));
		idle = resident_kib(pid);
		idle_pss = proportional_kib();
	}
	feed(load.port ? connect_to(load.port) : pair[1]);
	if (load.waiting) pid = start(argv + optind, pair[0]);
	usleep((useconds_t)(load.linger * 1e6));
	long loaded = resident_kib(pid);
	if (load.port) kill(pid, SIGTERM);
	close(pair[1]);
	int status = watch(pid);

	double cpu = 0;
	long peak = 0;
	for (int i = 0; i < seen_count; i++) {
		cpu += seen[i].cpu;
		if (seen[i].peak > peak) peak = seen[i].peak;
	}
	fprintf(stderr, "exit=%d processes=%d cpu=%.3f us_per_record=%.3f idle_kib=%ld loaded_kib=%ld"
		" peak_kib=%ld idle_pss_kib=%ld\n", status, seen_count, cpu, load.count ? cpu * 1e6 / (double)load.count : 0,
		idle, loaded, peak, idle_pss);
	return 0;
}
