// Whole messages between processes of ours, and descriptors that go with them.
#include "CAudispatch.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

union control {
	struct cmsghdr header;
	char room[CMSG_SPACE(AD_PASSED_MAX * sizeof(int))];
};

int ad_message_pair(int pair[2]) {
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair);
}

int ad_pass(int fd, const void *bytes, size_t count, const int *fds, int n, bool waits) {
	union control control = {0};
	struct iovec part = {(void *)bytes, count};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	size_t size = (size_t)n * sizeof *fds;
	if (n > 0) {
		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(size);
		control.header = (struct cmsghdr){
			.cmsg_len = CMSG_LEN(size), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
		memcpy(CMSG_DATA(&control.header), fds, size);
	}
	ssize_t sent;
	do sent = sendmsg(fd, &message, MSG_NOSIGNAL | (waits ? 0 : MSG_DONTWAIT));
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -1 : 0;
}

ssize_t ad_passed(int fd, void *bytes, size_t capacity, int *fds, int n, bool waits) {
	union control control;
	struct iovec part = {bytes, capacity};
	// Exactly that room: the kernel closes what does not fit.
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
		.msg_controllen = CMSG_LEN((size_t)n * sizeof *fds)};
	for (int i = 0; i < n; i++) fds[i] = -1;
	ssize_t got;
	do got = recvmsg(fd, &message, MSG_CMSG_CLOEXEC | (waits ? 0 : MSG_DONTWAIT));
	while (got < 0 && errno == EINTR);
	struct cmsghdr *c = got < 0 ? 0 : CMSG_FIRSTHDR(&message);
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
		memcpy(fds, CMSG_DATA(c), c->cmsg_len - CMSG_LEN(0));
	return got;
}
