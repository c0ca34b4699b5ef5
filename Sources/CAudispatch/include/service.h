// A service manager: its socket, and the descriptors that it hands over.
#pragma once
#include <stddef.h>

#pragma clang assume_nonnull begin

// A unix datagram socket connected to a path, or with '@' in front to an abstract name;
// non-blocking, close-on-exec.
int ad_notify_connect(const char *address);
// The path that the other end of a unix socket is bound to: its length, 0 when it has none.
int ad_peer_path(int fd, char *path, size_t capacity);
// Makes these descriptors, in order and from 3 on, close-on-exec, and closes all others from 3 on.
int ad_keep_only(const int *descriptors, int count);

#pragma clang assume_nonnull end
