// uring FILE: writes into a file by io_uring alone: it is opened, written and closed by the kernel's
// own queue. Ends with 77 where this kernel has none.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static int ring;
static struct io_uring_params params;
static char *queue;
static struct io_uring_sqe *entries;

static int call(struct io_uring_sqe entry) {
	unsigned *tail = (unsigned *)(queue + params.sq_off.tail);
	unsigned mask = *(unsigned *)(queue + params.sq_off.ring_mask), at = *tail & mask;
	entries[at] = entry;
	((unsigned *)(queue + params.sq_off.array))[at] = at;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0) return -errno;
	unsigned *head = (unsigned *)(queue + params.cq_off.head);
	unsigned there = *head & *(unsigned *)(queue + params.cq_off.ring_mask);
	int result = ((struct io_uring_cqe *)(queue + params.cq_off.cqes))[there].res;
	__atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
	return result;
}

int main(int count, char **words) {
	if (count != 2) return 2;
	ring = (int)syscall(SYS_io_uring_setup, 4, &params);
	if (ring < 0 || !(params.features & IORING_FEAT_SINGLE_MMAP)) return 77;
	size_t size = params.sq_off.array + params.sq_entries * sizeof(unsigned);
	size_t other = params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe);
	if (other > size) size = other;
	queue = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQ_RING);
	entries = mmap(NULL, params.sq_entries * sizeof *entries, PROT_READ | PROT_WRITE, MAP_SHARED, ring,
		IORING_OFF_SQES);
	if (queue == MAP_FAILED || (void *)entries == MAP_FAILED) return 77;
	int file = call((struct io_uring_sqe){.opcode = IORING_OP_OPENAT, .fd = AT_FDCWD,
		.addr = (unsigned long)words[1], .open_flags = O_WRONLY | O_TRUNC});
	if (file < 0) { fprintf(stderr, "open: %s\n", strerror(-file)); return 1; }
	int written = call((struct io_uring_sqe){.opcode = IORING_OP_WRITE, .fd = file,
		.addr = (unsigned long)"by uring\n", .len = 9});
	return written == 9 && call((struct io_uring_sqe){.opcode = IORING_OP_CLOSE, .fd = file}) == 0 ? 0 : 1;
}
