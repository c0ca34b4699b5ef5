// Messages to other programs and hosts.
#include "CAudispatch.h"
#include "unix_address.h"

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>

// Sends the rest of a message of which `sent` bytes went into a stream. The kernel takes a message
// whole or not at all unless it has more than half of the socket's buffer, some 100 KiB.
static int send_rest(int fd, const struct msghdr *message, size_t sent) {
	for (size_t i = 0; i < message->msg_iovlen; i++) {
		struct iovec part = message->msg_iov[i];
		while (sent < part.iov_len) {
			struct pollfd room = {.fd = fd, .events = POLLOUT};
			if (poll(&room, 1, 1000) == 0) return errno = ECONNRESET, -1;
			ssize_t more = send(fd, (char *)part.iov_base + sent, part.iov_len - sent,
				MSG_NOSIGNAL | MSG_DONTWAIT);
			if (more < 0 && errno != EAGAIN && errno != EINTR) return -1;
			if (more > 0) sent += (size_t)more;
		}
		sent -= part.iov_len;
	}
	return 0;
}

static size_t size_of(const struct msghdr *message) {
	size_t size = 0;
	for (size_t i = 0; i < message->msg_iovlen; i++) size += message->msg_iov[i].iov_len;
	return size;
}

ssize_t ad_stream_send(int fd, const void *bytes, size_t count) {
	struct iovec parts[] = {{(void *)bytes, count}, {"", 1}};
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
	ssize_t sent;
	do sent = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (sent < 0 && errno == EINTR);
	if (sent >= 0 && (size_t)sent <= count && send_rest(fd, &message, (size_t)sent)) return -1;
	return sent < 0 ? -1 : (ssize_t)count;
}

bool ad_stream_ended(int fd) {
	char byte;
	return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

enum { at_once = 64 };

int ad_send_lines(int fd, const void *head, size_t head_count, const void *bytes,
		const ad_piece *pieces, int count, bool stream) {
	struct mmsghdr messages[at_once];
	struct iovec parts[at_once][5];
	if (count > at_once) count = at_once;
	for (int i = 0; i < count; i++) {
		char *line = (char *)bytes + pieces[i].start;
		size_t length = pieces[i].end - pieces[i].start;
		char *separator = memrchr(line, 0x1d, length);
		size_t first = separator ? (size_t)(separator - line) : length;
		parts[i][0] = (struct iovec){(void *)head, head_count};
		parts[i][1] = (struct iovec){line, first};
		parts[i][2] = (struct iovec){" ", 1};
		if (separator) parts[i][3] = (struct iovec){separator + 1, length - first - 1};
		size_t used = separator ? 4 : 2;
		if (stream) parts[i][used++] = (struct iovec){"", 1};
		messages[i].msg_hdr = (struct msghdr){.msg_iov = parts[i], .msg_iovlen = used};
	}
	int sent;
	do sent = sendmmsg(fd, messages, (unsigned)count, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	if (stream && sent > 0) {
		const struct mmsghdr *last = &messages[sent - 1];
		if (last->msg_len < size_of(&last->msg_hdr) && send_rest(fd, &last->msg_hdr, last->msg_len))
			return -1;
	}
	return sent;
}

static int bind_port(int fd, int family, uint16_t port) {
	struct sockaddr_in six_less = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	int on = 1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on)) return -1;
	if (family == AF_INET6) return bind(fd, (struct sockaddr *)&six, sizeof six);
	return bind(fd, (struct sockaddr *)&six_less, sizeof six_less);
}

int ad_inet_connect(const void *address, size_t size, bool stream, uint16_t local_port) {
	int type = (stream ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC | SOCK_NONBLOCK;
	int family = ((const struct sockaddr *)address)->sa_family;
	int fd = socket(family, type, 0);
	if (fd < 0) return -1;
	if (local_port && bind_port(fd, family, local_port)) return close_failed(fd);
	return connect(fd, address, (socklen_t)size) && errno != EINPROGRESS ? close_failed(fd) : fd;
}

int ad_socket_error(int fd) {
	int error = 0;
	socklen_t size = sizeof error;
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) ? errno : error;
}

void ad_reset_at_close(int fd) {
	struct linger at_once = {.l_onoff = 1};
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
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
