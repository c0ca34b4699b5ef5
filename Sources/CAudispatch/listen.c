#include "listen.h"
#include "unix_address.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

int ad_inet_listen(const void *address, size_t size, int backlog) {
	int family = ((const struct sockaddr *)address)->sa_family;
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) return -1;
	int on = 1, off = 0;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
	return bind(fd, address, (socklen_t)size) || listen(fd, backlog) ? close_failed(fd) : fd;
}

int ad_inet_peer(int fd, unsigned char address[16], uint16_t *port) {
	struct sockaddr_storage name;
	socklen_t size = sizeof name;
	if (getpeername(fd, (struct sockaddr *)&name, &size)) return -1;
	if (name.ss_family == AF_INET) {
		const struct sockaddr_in *four = (const void *)&name;
		memcpy(address, &four->sin_addr, 4);
		*port = ntohs(four->sin_port);
		return 4;
	}
	if (name.ss_family != AF_INET6) return errno = EAFNOSUPPORT, -1;
	const struct sockaddr_in6 *six = (const void *)&name;
	*port = ntohs(six->sin6_port);
	if (IN6_IS_ADDR_V4MAPPED(&six->sin6_addr)) {
		memcpy(address, six->sin6_addr.s6_addr + 12, 4);
		return 4;
	}
	memcpy(address, &six->sin6_addr, 16);
	return 16;
}

void ad_watch_peer(int fd, int seconds) {
	int on = 1, every = seconds / 6 > 0 ? seconds / 6 : 1, tries = 3;
	int idle = seconds - tries * every > 0 ? seconds - tries * every : 1;
	unsigned limit = (unsigned)seconds * 1000;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &every, sizeof every);
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &tries, sizeof tries);
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &limit, sizeof limit);
}
