// What the makers of sockets share.
#pragma once
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static inline int unix_address(const char *path, struct sockaddr_un *address) {
	if (strlen(path) >= sizeof address->sun_path) return errno = ENAMETOOLONG, -1;
	memset(address, 0, sizeof *address);
	address->sun_family = AF_UNIX;
	strcpy(address->sun_path, path);
	return 0;
}

// Leaves errno as it is.
static inline int close_failed(int fd) {
	int error = errno;
	close(fd);
	errno = error;
	return -1;
}
