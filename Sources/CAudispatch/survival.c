#include "CAudispatch.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

// A transfer of bytes whose outcome the kernel itself stores, within the system call: a process
// that is killed at any moment leaves either "nothing" or the exact count.
typedef struct {
	uint64_t base;	// bytes transferred before
	ad_stream_place before;	// of a stream: what those were
	uint32_t bytes;	// of what is offered
	uint32_t exact;	// a pipe: all of `bytes` or nothing, which the mark tells
	struct iovec vector;
	struct mmsghdr message;	// msg_len: the outcome
} transfer;

typedef struct {
	transfer attempt[2];
	uint32_t current;
} stream;

// Two copies, each with the epoch of its publication. In force is the newest that is published; the
// other one is written next. A cell that does not change costs nothing.
typedef struct { uint64_t epoch[2]; } epochs;

struct ad_survivor {
	uint64_t layout;
	uint64_t published;	// the epoch of what was published last
	uint64_t attempts, generation, attempted_at;
	uint64_t floor;	// input below this number is not in the ring
	stream input;
	epochs shared_epochs, plugin_epochs[AD_PLUGINS_MAX];
	ad_snapshot shared[2];
	ad_plugin_figures figures[AD_PLUGINS_MAX][2];
	struct {
		uint64_t child;	// which of its children the stream went to; 0: none
		stream output;
		char name[AD_NAME_MAX];
	} plugin[AD_PLUGINS_MAX];
	uint16_t tape[AD_PLUGINS_MAX][AD_TAPE];
};

// Another one is another program's. The number changes with what the bytes mean.
static const uint64_t layout = 5ULL << 48 | sizeof(ad_survivor);

uint64_t ad_survivor_layout(void) { return layout; }

size_t ad_survivor_bytes(void) { return (sizeof(ad_survivor) + 4095) / 4096 * 4096; }

int ad_grow(int fd, size_t size) {
	struct stat facts;
	if (fstat(fd, &facts)) return -1;
	return (size_t)facts.st_size < size ? ftruncate(fd, (off_t)size) : 0;
}

// What a predecessor had begun to write when it died is not to be published with what comes now.
static void forget_unpublished(ad_survivor *s) {
	for (int slot = -1; slot < AD_PLUGINS_MAX; slot++) {
		epochs *e = slot < 0 ? &s->shared_epochs : &s->plugin_epochs[slot];
		for (int copy = 0; copy < 2; copy++)
			if (e->epoch[copy] > s->published) e->epoch[copy] = 0;
	}
}

// The ring is mapped twice, one copy behind the other: what wraps around is contiguous.
ad_survivor *ad_survivor_map(int fd, size_t ring, unsigned char **bytes) {
	size_t head = ad_survivor_bytes();
	uint64_t found = 0;
	bool was_there = pread(fd, &found, sizeof found, 0) == sizeof found;
	if (was_there && found != layout && ftruncate(fd, 0)) return 0;
	if (ad_grow(fd, head + ring)) return 0;
	unsigned char *place = mmap(0, head + 2 * ring, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (place == MAP_FAILED) return 0;
	int access = PROT_READ | PROT_WRITE, how = MAP_SHARED | MAP_FIXED;
	if (mmap(place, head + ring, access, how, fd, 0) == MAP_FAILED) return 0;
	if (mmap(place + head + ring, ring, access, how, fd, (off_t)head) == MAP_FAILED) return 0;
	ad_survivor *s = (ad_survivor *)place;
	if (found == layout) forget_unpublished(s);
	// The outcome must not meet a page that is not there.
	mlock(&s->input, sizeof s->input);
	*bytes = place + head;
	s->layout = layout;
	return s;
}

static uint64_t done(const stream *s) {
	const transfer *t = &s->attempt[__atomic_load_n(&s->current, __ATOMIC_ACQUIRE) & 1];
	return t->base + t->message.msg_len;
}

static transfer *prepare(stream *s, uint64_t base, void *bytes, size_t count) {
	uint32_t next = !(s->current & 1);
	transfer *t = &s->attempt[next];
	t->base = base;
	t->exact = 0;
	t->bytes = (uint32_t)count;
	t->vector = (struct iovec){bytes, count};
	memset(&t->message, 0, sizeof t->message);
	t->message.msg_hdr.msg_iov = &t->vector;
	t->message.msg_hdr.msg_iovlen = 1;
	return t;
}

static void begin(stream *s, transfer *t) {
	__atomic_store_n(&s->current, (uint32_t)(t - s->attempt), __ATOMIC_RELEASE);
}

// Input

static const unsigned char mark_byte = 0x01;	// in no line, and in no binary record's text
enum { MARK = 16 };

ssize_t ad_survivor_receive(ad_survivor *s, int fd, bool is_socket, uint64_t base, void *bytes,
	size_t count) {
	if (is_socket) {
		transfer *t = prepare(&s->input, base, bytes, count);
		begin(&s->input, t);
		int n = (int)syscall(SYS_recvmmsg, fd, &t->message, 1, MSG_DONTWAIT, 0);
		return n < 0 ? -1 : (ssize_t)t->message.msg_len;
	}
	// Of a pipe exactly what it holds is asked for, so that all of it comes or nothing.
	int waiting = 0;
	if (ioctl(fd, FIONREAD, &waiting)) return -1;
	if (waiting < 1) {
		if (!ad_has_input(fd)) return errno = EAGAIN, -1;
		waiting = 1;	// The end, most likely.
	}
	if ((size_t)waiting < count) count = (size_t)waiting;
	size_t marked = count < MARK ? count : MARK;
	memset((unsigned char *)bytes + count - marked, mark_byte, marked);
	transfer *t = prepare(&s->input, base, bytes, count);
	t->exact = 1;
	begin(&s->input, t);
	ssize_t n = read(fd, bytes, count);
	if (n > 0) t->message.msg_len = (unsigned)n;
	return n;
}

uint64_t ad_survivor_received(const ad_survivor *s, const unsigned char *ring, size_t size) {
	const transfer *t = &s->input.attempt[s->input.current & 1];
	if (!t->exact || t->message.msg_len) return done(&s->input);
	size_t marked = t->bytes < MARK ? t->bytes : MARK;
	const unsigned char *end = ring + t->base % size + t->bytes;
	for (size_t i = 1; i <= marked; i++)
		if (end[-(ssize_t)i] != mark_byte) return t->base + t->bytes;
	return t->base;
}

void ad_survivor_skip(ad_survivor *s, uint64_t to) {
	begin(&s->input, prepare(&s->input, to, 0, 0));
	__atomic_store_n(&s->floor, to, __ATOMIC_RELEASE);
}

void ad_survivor_release(void *bytes, size_t count) { madvise(bytes, count, MADV_REMOVE); }

uint64_t ad_survivor_floor(const ad_survivor *s) { return s->floor; }

// Output

uint16_t *ad_survivor_tape(ad_survivor *s, int slot) { return s->tape[slot]; }

ssize_t ad_survivor_send(ad_survivor *s, int slot, int fd, const void *bytes, size_t count,
	const ad_stream_place *before) {
	stream *o = &s->plugin[slot].output;
	transfer *t = prepare(o, before->bytes, (void *)bytes, count);
	t->before = *before;
	begin(o, t);
	int n = (int)syscall(SYS_sendmmsg, fd, &t->message, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	return n < 0 ? -1 : (ssize_t)t->message.msg_len;
}

void ad_survivor_written(ad_survivor *s, int slot, const ad_stream_place *so_far) {
	stream *o = &s->plugin[slot].output;
	transfer *t = prepare(o, so_far->bytes, 0, 0);
	t->before = *so_far;
	begin(o, t);
}

static const transfer *last_attempt(const ad_survivor *s, int slot) {
	const stream *o = &s->plugin[slot].output;
	return &o->attempt[__atomic_load_n(&o->current, __ATOMIC_ACQUIRE) & 1];
}

// Every thing up to the last that is whole: from what was whole before, forward.
ad_stream_place ad_survivor_sent(const ad_survivor *s, int slot) {
	const transfer *t = last_attempt(s, slot);
	ad_stream_place place = t->before;
	uint32_t sent = t->message.msg_len;
	place.bytes += sent;
	if (!sent) return place;
	place.rest += sent;
	// A thing has a byte at least, so that this ends whatever stands there.
	for (uint32_t i = 0; i < AD_TAPE; i++) {
		uint16_t thing = s->tape[slot][place.things % AD_TAPE];
		if (!(thing >> 1) || place.rest < thing >> 1) break;
		place.rest -= thing >> 1;
		place.records += thing & 1;
		place.things++;
	}
	return place;
}

// From the last that is whole, backward.
uint64_t ad_survivor_unread(const ad_survivor *s, int slot, uint64_t bytes) {
	ad_stream_place place = ad_survivor_sent(s, slot);
	uint64_t records = 0, behind = place.rest;
	for (uint32_t i = 0; i < AD_TAPE && i < place.things && behind < bytes; i++) {
		uint16_t thing = s->tape[slot][(place.things - 1 - i) % AD_TAPE];
		behind += thing >> 1;
		records += thing & 1;
	}
	return records;
}

void ad_survivor_begin_child(ad_survivor *s, int slot, const char *name, uint64_t child) {
	strncpy(s->plugin[slot].name, name, AD_NAME_MAX - 1);
	ad_survivor_written(s, slot, &(ad_stream_place){0});
	__atomic_store_n(&s->plugin[slot].child, child, __ATOMIC_RELEASE);
}

void ad_survivor_name(ad_survivor *s, int slot, const char *name) {
	strncpy(s->plugin[slot].name, name, AD_NAME_MAX - 1);
}
const char *ad_survivor_named(const ad_survivor *s, int slot) { return s->plugin[slot].name; }
uint64_t ad_survivor_child(const ad_survivor *s, int slot) { return s->plugin[slot].child; }

// Cells

static int in_force(const epochs *e, uint64_t published) {
	if (e->epoch[0] > published) return 1;
	return e->epoch[1] <= published && e->epoch[1] > e->epoch[0];
}

static int begin_next(epochs *e, uint64_t published) {
	int next = !in_force(e, published);
	e->epoch[next] = published + 1;
	return next;
}

const ad_snapshot *ad_survivor_last(const ad_survivor *s) {
	return &s->shared[in_force(&s->shared_epochs, s->published)];
}

ad_snapshot *ad_survivor_next(ad_survivor *s) {
	return &s->shared[begin_next(&s->shared_epochs, s->published)];
}

const ad_plugin_figures *ad_survivor_last_plugin(const ad_survivor *s, int slot) {
	return &s->figures[slot][in_force(&s->plugin_epochs[slot], s->published)];
}

ad_plugin_figures *ad_survivor_next_plugin(ad_survivor *s, int slot) {
	return &s->figures[slot][begin_next(&s->plugin_epochs[slot], s->published)];
}

void ad_survivor_publish(ad_survivor *s) {
	__atomic_store_n(&s->published, s->published + 1, __ATOMIC_RELEASE);
}

uint64_t ad_survivor_generation(const ad_survivor *s) { return s->generation; }

uint32_t ad_survivor_enter(ad_survivor *s, uint64_t at) {
	s->attempts = s->generation && s->attempted_at == at ? s->attempts + 1 : 0;
	s->attempted_at = at;
	s->generation++;
	return (uint32_t)s->attempts;
}
