// logfloor: the least that a program must do which sends lines to syslog, to measure
// one against.
//
//   logfloor SOCKET    reads lines from standard input; each is a message to SOCKET
//
// 64 messages a sendmmsg, which waits while the socket takes nothing. No parsing, no
// reconnecting, the same header for all.
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int argc, char **argv) {
	enum { at_once = 64 };
	static char input[1 << 16];
	static char head[] = "<14>Nov 21 00:00:00 logfloor: ";
	struct mmsghdr messages[at_once] = {0};
	struct iovec parts[at_once][2];
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	if (argc != 2 || strlen(argv[1]) >= sizeof address.sun_path) {
		fprintf(stderr, "usage: logfloor SOCKET\n");
		return 2;
	}
	strcpy(address.sun_path, argv[1]);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address))
		return perror(argv[1]), 1;
	for (int i = 0; i < at_once; i++) {
		parts[i][0] = (struct iovec){head, sizeof head - 1};
		messages[i].msg_hdr = (struct msghdr){.msg_iov = parts[i], .msg_iovlen = 2};
	}
	size_t have = 0;
	ssize_t n;
	while ((n = read(0, input + have, sizeof input - have)) > 0) {
		have += (size_t)n;
		char *line = input, *end = input + have, *newline;
		do {
			int count = 0;
			while (count < at_once && (newline = memchr(line, '\n', (size_t)(end - line)))) {
				parts[count++][1] = (struct iovec){line, (size_t)(newline - line)};
				line = newline + 1;
			}
			for (int sent = 0; sent < count;) {
				int taken = sendmmsg(fd, messages + sent, (unsigned)(count - sent), MSG_NOSIGNAL);
				if (taken < 0) return perror("sendmmsg"), 1;
				sent += taken;
			}
			if (count < at_once) break;
		} while (1);
		have = (size_t)(end - line);
		memmove(input, line, have);
	}
	return 0;
}
