#include "CAudispatch.h"
#include "unix_address.h"

#include <linux/audit.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <poll.h>

static int audit_socket(unsigned groups) {
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_AUDIT);
	if (fd < 0) return -1;
	struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = groups};
	return bind(fd, (struct sockaddr *)&address, sizeof address) ? close_failed(fd) : fd;
}

int ad_audit_multicast(void) { return audit_socket(1U << (AUDIT_NLGRP_READLOG - 1)); }
int ad_audit_control(void) { return audit_socket(0); }

int ad_receive_buffer(int fd, int bytes, bool *forced) {
	*forced = setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) == 0;
	if (!*forced) setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
	int granted = 0;
	socklen_t size = sizeof granted;
	return getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &granted, &size) ? -1 : granted;
}

int64_t ad_socket_drops(int fd) {
	uint32_t figures[SK_MEMINFO_VARS];
	socklen_t size = sizeof figures;
	if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, figures, &size)) return -1;
	return size > SK_MEMINFO_DROPS * sizeof *figures ? figures[SK_MEMINFO_DROPS] : -1;
}

ssize_t ad_audit_receive(int fd, void *bytes, size_t capacity, size_t *text, uint16_t *type) {
	struct sockaddr_nl sender;
	socklen_t size = sizeof sender;
	ssize_t n;
	do n = recvfrom(fd, bytes, capacity, MSG_DONTWAIT | MSG_TRUNC, (struct sockaddr *)&sender, &size);
	while (n < 0 && errno == EINTR);
	*text = 0;
	*type = 0;
	if (n < 0) return -1;
	// Only the kernel has port 0; who else can send here is no one to listen to.
	if (size != sizeof sender || sender.nl_pid != 0) return n;
	if (n < NLMSG_HDRLEN || (size_t)n > capacity) return n;
	struct nlmsghdr header;
	memcpy(&header, bytes, sizeof header);
	size_t length = header.nlmsg_len;
	// Unicast records count their text alone; multicast ones the header too.
	if (length + NLMSG_HDRLEN == (size_t)n) length = (size_t)n;
	if (length < NLMSG_HDRLEN || length > (size_t)n) return n;
	*text = length - NLMSG_HDRLEN;
	*type = header.nlmsg_type;
	return n;
}

int ad_audit_status(int fd, int milliseconds, ad_kernel_audit *status) {
	static uint32_t sequence;
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	struct nlmsghdr request = {
		.nlmsg_len = NLMSG_HDRLEN, .nlmsg_type = AUDIT_GET, .nlmsg_flags = NLM_F_REQUEST,
		.nlmsg_seq = ++sequence};
	if (sendto(fd, &request, sizeof request, 0, (struct sockaddr *)&kernel, sizeof kernel) < 0)
		return -1;
	int64_t end = ad_monotonic_ns() + milliseconds * 1000000LL;
	for (;;) {
		struct { struct nlmsghdr header; char data[512]; } reply;
		ssize_t n = recv(fd, &reply, sizeof reply, MSG_DONTWAIT);
		if (n >= NLMSG_HDRLEN && reply.header.nlmsg_seq == sequence) {
			if (reply.header.nlmsg_type == NLMSG_ERROR) {
				int error;
				memcpy(&error, reply.data, sizeof error);
				if (error) return errno = -error, -1;
				continue;
			}
			if (reply.header.nlmsg_type != AUDIT_GET) continue;
			struct audit_status s = {0};
			size_t got = (size_t)n - NLMSG_HDRLEN;
			memcpy(&s, reply.data, got < sizeof s ? got : sizeof s);
			*status = (ad_kernel_audit){s.enabled, s.lost, s.pid, s.backlog_limit};
			return 0;
		}
		if (n >= 0 || errno == EINTR) continue;
		if (errno != EAGAIN) return -1;
		int64_t left = end - ad_monotonic_ns();
		if (left <= 0) return errno = ETIMEDOUT, -1;
		struct pollfd p = {.fd = fd, .events = POLLIN};
		poll(&p, 1, (int)(left / 1000000) + 1);
	}
}
