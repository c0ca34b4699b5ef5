// What the load generator, the floor and the sink share.
#pragma once
#include <stdint.h>
#include <time.h>
#include <unistd.h>

// A record in auditd's binary protocol: this header, then `size` bytes. auditd up
// to 4.1.0 writes PAYLOAD_MAX bytes whatever `size` is.
struct header { uint32_t version, length, type, size; };
enum { PAYLOAD_MAX = 8970, RECORD_MAX = sizeof(struct header) + PAYLOAD_MAX };

// Nanoseconds of CLOCK_MONOTONIC, which all processes of a host share.
static inline int64_t now_ns(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

// 0, or -1 when the other side is gone.
static inline int write_all(int fd, const char *bytes, size_t count) {
	while (count > 0) {
		ssize_t written = write(fd, bytes, count);
		if (written <= 0) return -1;
		bytes += written, count -= (size_t)written;
	}
	return 0;
}
