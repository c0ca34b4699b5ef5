// Unix sockets, and who is at their other end.
#include "CAudispatch.h"
#include "unix_address.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <sys/fsuid.h>
#include <sys/stat.h>

// Waits so long for room in a listener's backlog, and later for a message's; 0: not at all.
static int connect_to(const char *path, int type, int milliseconds) {
	struct sockaddr_un address;
	if (unix_address(path, &address)) return -1;
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | (milliseconds > 0 ? 0 : SOCK_NONBLOCK), 0);
	if (fd < 0) return -1;
	struct timeval limit = {.tv_usec = milliseconds * 1000};
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit)
			|| connect(fd, (struct sockaddr *)&address, sizeof address))
		return close_failed(fd);
	return fd;
}

int ad_unix_connect(const char *path) {
	int fd = connect_to(path, SOCK_STREAM, 0);
	if (fd >= 0) ad_urgent_inline(fd);
	return fd;
}

int ad_message_connect(const char *path) { return connect_to(path, SOCK_SEQPACKET, 0); }

int ad_datagram_connect(const char *path, int milliseconds, bool *stream) {
	int fd = connect_to(path, SOCK_DGRAM, milliseconds);
	if (!stream) return fd;
	*stream = fd < 0 && errno == EPROTOTYPE;
	return *stream ? connect_to(path, SOCK_STREAM, milliseconds) : fd;
}

typedef struct {
	int fd, error;
	const struct sockaddr_un *address;
} binding;

static void *bind_without_mask(void *of) {
	binding *b = of;
	if (!unshare(CLONE_FS)) umask(0);
	b->error = bind(b->fd, (const struct sockaddr *)b->address, sizeof *b->address) ? errno : 0;
	return 0;
}

// The file gets the socket's own mode, less the mask. That is the whole process's and stays, but a
// thread can have one of its own: so the mode is never more than asked for, nor is the path, which
// may lead elsewhere by then, followed again.
static int bind_with_mode(int fd, const struct sockaddr_un *address, mode_t mode) {
	binding b = {.fd = fd, .address = address};
	pthread_t thread;
	if (fchmod(fd, mode)) return -1;
	int error = pthread_create(&thread, 0, bind_without_mask, &b);
	if (!error) error = pthread_join(thread, 0);
	errno = error ? error : b.error;
	return errno ? -1 : 0;
}

static int listen_at(const char *path, int type, mode_t mode, int backlog) {
	struct sockaddr_un address;
	if (unix_address(path, &address)) return -1;
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) return -1;
	if (bind_with_mode(fd, &address, mode) || listen(fd, backlog)) return close_failed(fd);
	return fd;
}

int ad_unix_listen(const char *path, mode_t mode, int backlog) {
	return listen_at(path, SOCK_STREAM, mode, backlog);
}

int ad_message_listen(const char *path, mode_t mode, int backlog) {
	return listen_at(path, SOCK_SEQPACKET, mode, backlog);
}

// What is at a path, if it is a socket of ours: no link, nor a second name of one.
static int own_socket(const char *path) {
	struct stat s;
	int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) return -1;
	if (fstat(fd, &s)) return close_failed(fd);
	errno = !S_ISSOCK(s.st_mode) ? ENOTSOCK : s.st_uid != geteuid() || s.st_nlink != 1 ? EPERM : 0;
	return errno ? close_failed(fd) : fd;
}

static int give(int fd, gid_t group) { return fchownat(fd, "", (uid_t)-1, group, AT_EMPTY_PATH); }

int ad_socket_group(const char *path, gid_t group) {
	int fd = own_socket(path);
	if (fd < 0) return -1;
	int result = give(fd, group);
	if (result && errno == EPERM) {
		// Whose group it is may give it away: CAP_SETGID does without CAP_CHOWN.
		int before = setfsgid(group);
		result = give(fd, group);
		int failure = errno;
		setfsgid((gid_t)before);
		errno = failure;
	}
	return close_failed(fd), result;
}

int ad_socket_mode(const char *path, mode_t mode) {
	char name[32];
	int fd = own_socket(path);
	if (fd < 0) return -1;
	snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
	int result = chmod(name, mode);
	return close_failed(fd), result;
}

int ad_accept(int fd) {
	int client = accept4(fd, 0, 0, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (client >= 0) ad_urgent_inline(client);
	return client;
}

int ad_syslog_send(const char *path, const void *bytes, size_t count) {
	static int fd = -1;
	struct sockaddr_un address;
	if (unix_address(path, &address)) return -1;
	if (fd < 0) fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) return -1;
	return sendto(fd, bytes, count, MSG_NOSIGNAL | MSG_DONTWAIT, (struct sockaddr *)&address,
		sizeof address) < 0 ? -1 : 0;
}

ssize_t ad_send(int fd, const void *bytes, size_t count) {
	return send(fd, bytes, count, MSG_NOSIGNAL | MSG_DONTWAIT);
}

int ad_peer(int fd, pid_t *pid, uid_t *user, gid_t *group) {
	struct ucred peer;
	socklen_t size = sizeof peer;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size)) return -1;
	*pid = peer.pid;
	*user = peer.uid;
	*group = peer.gid;
	return 0;
}

int ad_peer_groups(int fd, gid_t *groups, int capacity) {
	socklen_t size = (socklen_t)capacity * sizeof *groups;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size)) return -1;
	return (int)(size / sizeof *groups);
}
