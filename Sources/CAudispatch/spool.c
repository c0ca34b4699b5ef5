// What the spool needs of the system: checksums, wake-ups, room on disk.
#include "CAudispatch.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/statvfs.h>
#include <unistd.h>
#ifdef __x86_64__
#include <nmmintrin.h>
#endif

static uint32_t table[256];

static void make_table(void) {
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t c = i;
		for (int k = 0; k < 8; k++) c = c & 1 ? c >> 1 ^ 0x82f63b78u : c >> 1;
		__atomic_store_n(&table[i], c, __ATOMIC_RELAXED);
	}
}

static uint32_t by_table(uint32_t seed, const uint8_t *bytes, size_t count) {
	if (!__atomic_load_n(&table[255], __ATOMIC_RELAXED)) make_table();
	uint32_t crc = ~seed;
	for (size_t i = 0; i < count; i++) crc = crc >> 8 ^ table[(crc ^ bytes[i]) & 255];
	return ~crc;
}

#ifdef __x86_64__
__attribute__((target("sse4.2"))) static uint32_t by_instruction(uint32_t seed, const uint8_t *bytes, size_t count) {
	uint64_t crc = ~seed, word;
	for (; count >= 8; bytes += 8, count -= 8) {
		memcpy(&word, bytes, 8);
		crc = _mm_crc32_u64(crc, word);
	}
	uint32_t rest = (uint32_t)crc;
	for (; count; bytes++, count--) rest = _mm_crc32_u8(rest, *bytes);
	return ~rest;
}
#endif

uint32_t ad_crc32c(uint32_t seed, const void *bytes, size_t count) {
#ifdef __x86_64__
	if (__builtin_cpu_supports("sse4.2")) return by_instruction(seed, bytes, count);
#endif
	return by_table(seed, bytes, count);
}

int ad_eventfd(bool nonblocking) { return eventfd(0, EFD_CLOEXEC | (nonblocking ? EFD_NONBLOCK : 0)); }

void ad_event_signal(int fd) {
	uint64_t one = 1;
	while (write(fd, &one, sizeof one) < 0 && errno == EINTR) {}
}

void ad_event_take(int fd) {
	uint64_t count;
	while (read(fd, &count, sizeof count) < 0 && errno == EINTR) {}
}

int ad_preallocate(int fd, off_t bytes) { return fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, bytes); }

int64_t ad_free_bytes(int fd) {
	struct statvfs s;
	if (fstatvfs(fd, &s)) return -1;
	return (int64_t)s.f_bavail * (int64_t)s.f_frsize;
}
