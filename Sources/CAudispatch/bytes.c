// What is done with every byte of a record, as fast as the processor can.
#include "CAudispatch.h"

#include <string.h>
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

// Whether bytes that hold something as low as a newline are free of newlines and NULs all the same.
__attribute__((noinline, cold)) static bool is_plain(const uint8_t *bytes, size_t count) {
	return !memchr(bytes, '\n', count) && !memchr(bytes, 0, count);
}

// One body for vectors of 16 bytes, which every x86-64 and ARM64 has, and of 32 bytes. The
// lowest byte tells whether there can be a newline or a NUL at all. Without no_builtin the
// copying would become a call of memcpy beside a loop of its own for the looking.
#define COPY_IS_PLAIN(name, size, attributes) \
	typedef uint8_t name##_vector __attribute__((vector_size(size), aligned(1), may_alias)); \
	typedef uint64_t name##_words __attribute__((vector_size(size))); \
	attributes __attribute__((no_builtin("memcpy"))) static inline bool name( \
		uint8_t *restrict out, const uint8_t *restrict in, size_t count) { \
		name##_vector lowest = *(const name##_vector *)(in + count - size), v; \
		*(name##_vector *)(out + count - size) = lowest; /* the end; the rest may overlap it */ \
		for (size_t i = 0; i + size < count; i += size) { \
			v = *(const name##_vector *)(in + i); \
			*(name##_vector *)(out + i) = v; \
			lowest = __builtin_elementwise_min(lowest, v); \
		} \
		name##_words words = (name##_words)(lowest <= (uint8_t)'\n'); \
		uint64_t any = 0; \
		for (size_t w = 0; w < size / 8; w++) any |= words[w]; \
		return !any || is_plain(out, count); \
	}

COPY_IS_PLAIN(copy_by_16, 16, )

static bool copy_plainly(uint8_t *restrict out, const uint8_t *restrict in, size_t count) {
	if (count >= 16) return copy_by_16(out, in, count);
	memcpy(out, in, count);
	return is_plain(out, count);
}

#ifdef __x86_64__
COPY_IS_PLAIN(copy_by_32, 32, __attribute__((target("avx2"))))

__attribute__((target("avx2"))) static bool copy_widely(
	uint8_t *restrict out, const uint8_t *restrict in, size_t count) {
	return count >= 32 ? copy_by_32(out, in, count) : copy_plainly(out, in, count);
}
#endif

typedef bool copying(uint8_t *restrict out, const uint8_t *restrict in, size_t count);

// Finds out, with the first copy, what the processor can do.
static bool copy_first(uint8_t *restrict out, const uint8_t *restrict in, size_t count);
static copying *copy = copy_first;

static bool copy_first(uint8_t *restrict out, const uint8_t *restrict in, size_t count) {
	copying *best = copy_plainly;
#ifdef __x86_64__
	if (__builtin_cpu_supports("avx2")) best = copy_widely;
#endif
	__atomic_store_n(&copy, best, __ATOMIC_RELAXED);
	return best(out, in, count);
}

bool ad_copy_is_plain(void *restrict to, const void *restrict from, size_t count) {
	return __atomic_load_n(&copy, __ATOMIC_RELAXED)(to, from, count);
}
