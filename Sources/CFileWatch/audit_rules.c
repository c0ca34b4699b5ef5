#include "audit_rules.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

int fw_audit_open(void) {
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_AUDIT);
	if (fd < 0) return -1;
	// The kernel answers at once, or not at all.
	struct timeval limit = {.tv_sec = 5};
	int room = 1 << 20;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
	return fd;
}

static int ask(int fd, uint16_t type, const void *payload, size_t size, uint32_t *sequence) {
	static uint32_t last;
	*sequence = ++last;
	struct nlmsghdr head = {
		.nlmsg_len = (uint32_t)(NLMSG_HDRLEN + size), .nlmsg_type = type,
		.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK, .nlmsg_seq = *sequence};
	static const char padding[NLMSG_ALIGNTO];
	struct iovec parts[] = {{&head, sizeof head}, {(void *)payload, size},
		{(void *)padding, NLMSG_ALIGN(size) - size}};
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	struct msghdr message = {
		.msg_name = &kernel, .msg_namelen = sizeof kernel, .msg_iov = parts, .msg_iovlen = 3};
	return sendmsg(fd, &message, 0) < 0 ? -1 : 0;
}

// One message for that request: its size with the header. Others are passed over.
static ssize_t answer(int fd, uint32_t sequence, void *bytes, size_t size) {
	while (1) {
		struct sockaddr_nl sender;
		socklen_t length = sizeof sender;
		ssize_t n = recvfrom(fd, bytes, size, 0, (struct sockaddr *)&sender, &length);
		if (n < 0 && errno == EINTR) continue;
		if (n < 0) {
			if (errno == EAGAIN) errno = ETIMEDOUT;
			return -1;
		}
		struct nlmsghdr head;
		if (length != sizeof sender || sender.nl_pid != 0 || (size_t)n < sizeof head) continue;
		memcpy(&head, bytes, sizeof head);
		if (head.nlmsg_seq == sequence) return n;
	}
}

static int failed(const char *bytes, ssize_t size) {
	int error = EPROTO;
	if ((size_t)size >= NLMSG_HDRLEN + sizeof error) {
		memcpy(&error, bytes + NLMSG_HDRLEN, sizeof error);
		if (error == 0) return 0;
		error = -error;
	}
	errno = error;
	return -1;
}

int fw_audit_change(int fd, uint16_t type, const void *rule, size_t size) {
	uint32_t sequence;
	if (ask(fd, type, rule, size, &sequence)) return -1;
	char bytes[16384];
	while (1) {
		ssize_t n = answer(fd, sequence, bytes, sizeof bytes);
		if (n < 0) return -1;
		struct nlmsghdr head;
		memcpy(&head, bytes, sizeof head);
		if (head.nlmsg_type == NLMSG_ERROR) return failed(bytes, n);
	}
}

ssize_t fw_audit_rules(int fd, void *bytes, size_t size) {
	uint32_t sequence;
	if (ask(fd, AUDIT_LIST_RULES, NULL, 0, &sequence)) return -1;
	static char buffer[16384];
	size_t count = 0;
	int overflow = 0;
	while (1) {
		ssize_t n = answer(fd, sequence, buffer, sizeof buffer);
		if (n < 0) return -1;
		struct nlmsghdr head;
		memcpy(&head, buffer, sizeof head);
		if (head.nlmsg_type == NLMSG_ERROR && failed(buffer, n)) return -1;
		if (head.nlmsg_type == NLMSG_DONE) break;
		if (head.nlmsg_type != AUDIT_LIST_RULES) continue;
		// Its length counts the text alone in some kernels' answers.
		uint32_t length = (uint32_t)(n - NLMSG_HDRLEN);
		if (count + sizeof length + length > size) { overflow = 1; continue; }
		memcpy((char *)bytes + count, &length, sizeof length);
		memcpy((char *)bytes + count + sizeof length, buffer + NLMSG_HDRLEN, length);
		count += sizeof length + length;
	}
	if (overflow) { errno = ENOBUFS; return -1; }
	return (ssize_t)count;
}
