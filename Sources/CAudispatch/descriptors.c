// Descriptors of every kind.
#include "CAudispatch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int ad_open(const char *path, int flags, mode_t mode) { return open(path, flags | O_CLOEXEC, mode); }
int ad_open_in(int folder, const char *name, int flags, mode_t mode) {
	return openat(folder, name, flags | O_CLOEXEC, mode);
}

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

int ad_set_nonblocking(int fd, bool on) {
	int flags = fcntl(fd, F_GETFL);
	if (flags < 0) return -1;
	int wanted = on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
	return wanted == flags ? 0 : fcntl(fd, F_SETFL, wanted);
}

int ad_unread(int fd) {
	int count = 0;
	return ioctl(fd, FIONREAD, &count) < 0 ? -1 : count;
}

int ad_close_from(unsigned first) { return (int)syscall(SYS_close_range, first, ~0U, 0); }

int ad_memfd(const char *name) { return memfd_create(name, MFD_CLOEXEC); }

int64_t ad_born_ns(int fd) {
	struct statx facts;
	if (statx(fd, "", AT_EMPTY_PATH, STATX_BTIME, &facts)) return -1;
	if (!(facts.stx_mask & STATX_BTIME)) return errno = ENOTSUP, -1;
	return (int64_t)facts.stx_btime.tv_sec * 1000000000 + facts.stx_btime.tv_nsec;
}

int ad_has_input(int fd) {
	struct pollfd p = {.fd = fd, .events = POLLIN};
	return poll(&p, 1, 0) < 0 ? -1 : p.revents != 0;
}

ssize_t ad_read_now(int fd, bool is_socket, void *bytes, size_t count) {
	if (is_socket) return recv(fd, bytes, count, MSG_DONTWAIT);
	if (!ad_has_input(fd)) return errno = EAGAIN, -1;
	return read(fd, bytes, count);
}

static bool is_kind(int fd, mode_t kind) {
	struct stat s;
	return fstat(fd, &s) == 0 && (s.st_mode & S_IFMT) == kind;
}
bool ad_is_socket(int fd) { return is_kind(fd, S_IFSOCK); }
bool ad_is_fifo(int fd) { return is_kind(fd, S_IFIFO); }

int ad_flock_release(int fd) { return flock(fd, LOCK_UN); }
int ad_flock_exclusive(int fd, bool wait) { return flock(fd, LOCK_EX | (wait ? 0 : LOCK_NB)); }

int ad_preallocate(int fd, off_t bytes) { return fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, bytes); }
