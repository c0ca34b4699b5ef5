#include "CAudispatch.h"
#include "unix_address.h"

#include <fcntl.h>
#include <sys/syscall.h>

int ad_notify_connect(const char *address) {
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	size_t length = strlen(address);
	if (length < 2 || length >= sizeof to.sun_path) return errno = EINVAL, -1;
	memcpy(to.sun_path, address, length);
	socklen_t size = sizeof to;
	if (address[0] == '@') {
		to.sun_path[0] = 0;
		size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
	}
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) return -1;
	return connect(fd, (struct sockaddr *)&to, size) ? close_failed(fd) : fd;
}

int ad_peer_path(int fd, char *path, size_t capacity) {
	struct sockaddr_un peer;
	socklen_t size = sizeof peer;
	if (getpeername(fd, (struct sockaddr *)&peer, &size)) return -1;
	if (peer.sun_family != AF_UNIX) return errno = EAFNOSUPPORT, -1;
	size_t most = size > offsetof(struct sockaddr_un, sun_path)
		? size - offsetof(struct sockaddr_un, sun_path) : 0;
	size_t length = strnlen(peer.sun_path, most);
	if (length >= capacity) return errno = ENAMETOOLONG, -1;
	memcpy(path, peer.sun_path, length);
	path[length] = 0;
	return (int)length;
}

int ad_keep_only(const int *descriptors, int count) {
	unsigned next = 3;
	for (int i = 0; i < count; i++) {
		unsigned kept = (unsigned)descriptors[i];
		if (kept < next) return errno = EINVAL, -1;
		if (fcntl(descriptors[i], F_SETFD, FD_CLOEXEC)) return -1;
		if (kept > next && syscall(SYS_close_range, next, kept - 1, 0)) return -1;
		next = kept + 1;
	}
	return ad_close_from(next);
}
