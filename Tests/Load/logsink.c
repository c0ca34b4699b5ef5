// logsink: takes what programs send to syslog on this host, and counts it.
//
//   logsink SOCKET REPORT    until SIGTERM; the socket is made, and must not exist
//
// One line goes to the file REPORT: messages= bytes=
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static volatile sig_atomic_t ended;
static void on_term(int signal) { (void)signal; ended = 1; }

int main(int argc, char **argv) {
	enum { at_once = 32, size = 16 << 10 };
	static char rooms[at_once][size];
	struct mmsghdr messages[at_once] = {0};
	struct iovec parts[at_once];
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	long count = 0, bytes = 0;
	if (argc != 3 || strlen(argv[1]) >= sizeof address.sun_path) {
		fprintf(stderr, "usage: logsink SOCKET REPORT\n");
		return 2;
	}
	strcpy(address.sun_path, argv[1]);
	for (int i = 0; i < at_once; i++) {
		parts[i] = (struct iovec){rooms[i], size};
		messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
	}
	sigaction(SIGTERM, &(struct sigaction){.sa_handler = on_term}, NULL);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address)) return perror(argv[1]), 1;
	while (!ended) {
		int n = recvmmsg(fd, messages, at_once, MSG_WAITFORONE, NULL);
		for (int i = 0; i < n; i++) count++, bytes += messages[i].msg_len;
	}
	FILE *report = fopen(argv[2], "w");
	if (!report) return perror(argv[2]), 1;
	fprintf(report, "messages=%ld bytes=%ld\n", count, bytes);
	return fclose(report) ? 1 : 0;
}
