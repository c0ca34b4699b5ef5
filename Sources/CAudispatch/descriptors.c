// Descriptors of every kind.
#include "CAudispatch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

int ad_urgent_inline(int fd) {
	int on = 1;
	return setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &on, sizeof on);
}

int ad_socketpair_stream(int pair[2]) {
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)) return -1;
	ad_urgent_inline(pair[0]);
	return 0;
}

int ad_pipe(int pair[2]) { return pipe2(pair, O_CLOEXEC); }

int ad_pipe_room(int fd, int bytes) { return fcntl(fd, F_SETPIPE_SZ, bytes); }

int ad_eventfd(bool nonblocking) { return eventfd(0, EFD_CLOEXEC | (nonblocking ? EFD_NONBLOCK : 0)); }

int ad_unread(int fd) {
	int count = 0;
	return ioctl(fd, FIONREAD, &count) < 0 ? -1 : count;
}

int ad_close_from(unsigned first) { return (int)syscall(SYS_close_range, first, ~0U, 0); }

int ad_memfd(const char *name) { return memfd_create(name, MFD_CLOEXEC); }

int ad_has_input(int fd) {
	struct pollfd p = {.fd = fd, .events = POLLIN};
	return poll(&p, 1, 0) < 0 ? -1 : p.revents != 0;
}

ssize_t ad_read_now(int fd, bool is_socket, void *bytes, size_t count) {
	if (is_socket) return recv(fd, bytes, count, MSG_DONTWAIT);
	if (!ad_has_input(fd)) return errno = EAGAIN, -1;
	return read(fd, bytes, count);
}

int ad_preallocate(int fd, off_t bytes) { return fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, bytes); }
