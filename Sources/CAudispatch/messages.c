#include "CAudispatch.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int ad_datagram_connect(const char *path, int milliseconds) {
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof address.sun_path) return errno = ENAMETOOLONG, -1;
	strcpy(address.sun_path, path);
	int type = SOCK_DGRAM | SOCK_CLOEXEC | (milliseconds > 0 ? 0 : SOCK_NONBLOCK);
	int fd = socket(AF_UNIX, type, 0);
	if (fd < 0) return -1;
	struct timeval limit = {.tv_usec = milliseconds * 1000};
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit)
			|| connect(fd, (struct sockaddr *)&address, sizeof address)) {
		int error = errno;
		close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

enum { at_once = 64 };

int ad_send_lines(int fd, const void *head, size_t head_count, const void *bytes,
		const ad_piece *pieces, int count) {
	struct mmsghdr messages[at_once];
	struct iovec parts[at_once][4];
	if (count > at_once) count = at_once;
	for (int i = 0; i < count; i++) {
		char *line = (char *)bytes + pieces[i].start;
		size_t length = pieces[i].end - pieces[i].start;
		char *separator = memchr(line, 0x1d, length);
		size_t first = separator ? (size_t)(separator - line) : length;
		parts[i][0] = (struct iovec){(void *)head, head_count};
		parts[i][1] = (struct iovec){line, first};
		parts[i][2] = (struct iovec){" ", 1};
		if (separator) parts[i][3] = (struct iovec){separator + 1, length - first - 1};
		messages[i].msg_hdr = (struct msghdr){.msg_iov = parts[i], .msg_iovlen = separator ? 4 : 2};
	}
	int sent;
	do sent = sendmmsg(fd, messages, (unsigned)count, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent;
}

int ad_inet_connect(const void *address, size_t size, bool stream) {
	int type = (stream ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC | SOCK_NONBLOCK;
	int fd = socket(((const struct sockaddr *)address)->sa_family, type, 0);
	if (fd < 0) return -1;
	if (connect(fd, address, (socklen_t)size) && errno != EINPROGRESS) {
		int error = errno;
		close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

int ad_socket_error(int fd) {
	int error = 0;
	socklen_t size = sizeof error;
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) ? errno : error;
}

int ad_unacknowledged(int fd) {
	int count = 0;
	return ioctl(fd, SIOCOUTQ, &count) ? 0 : count;
}

void ad_stream_options(int fd, int milliseconds) {
	int on = 1, idle = 60, every = 15;
	unsigned limit = (unsigned)milliseconds;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &every, sizeof every);
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &limit, sizeof limit);
}
