// The system calls that Swift cannot make: those behind _GNU_SOURCE, those that
// are macros or variadic, and what must happen between clone and exec.
// Every function returns -1 and sets errno on failure unless it says otherwise.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "file_facts.h"
#include "listen.h"
#include "service.h"
#include "spawn.h"
#include "starter.h"

#pragma clang assume_nonnull begin

// Descriptors. All are made close-on-exec.
// The first end is the one that stays here: urgent bytes are among the others at it.
int ad_socketpair_stream(int pair[_Nonnull 2]);
// A byte sent with MSG_OOB is read in its place like any other (SO_OOBINLINE). Without, the socket is
// readable for as long as the byte lies there, and reading gives nothing.
int ad_urgent_inline(int fd);
int ad_pipe(int pair[_Nonnull 2]);	// both ends close-on-exec, blocking
int ad_pipe_room(int fd, int bytes);	// EBUSY while more is in it
int ad_unread(int fd);	// FIONREAD: bytes that wait to be read
int ad_close_from(unsigned first);	// close_range(first, ~0)
int ad_memfd(const char *name);
int ad_has_input(int fd);	// 1: input or end of input waits; 0: it does not
ssize_t ad_read_now(int fd, bool is_socket, void *bytes, size_t count);	// never waits: EAGAIN

// Unix sockets. A path over 107 bytes is ENAMETOOLONG.
int ad_unix_connect(const char *path);	// stream, non-blocking; EAGAIN when the backlog is full
int ad_unix_listen(const char *path, mode_t mode, int backlog);	// stream, non-blocking; exactly that mode
int ad_message_connect(const char *path);	// the same for whole messages (SOCK_SEQPACKET), non-blocking
int ad_message_listen(const char *path, mode_t mode, int backlog);
// Of a socket of ours that is at that path itself, and nothing else: no link is followed.
int ad_socket_group(const char *path, gid_t group);	// with CAP_CHOWN or CAP_SETGID
int ad_socket_mode(const char *path, mode_t mode);
int ad_accept(int fd);	// non-blocking, close-on-exec, urgent bytes among the others
int ad_syslog_send(const char *path, const void *bytes, size_t count);	// one datagram, never blocks
ssize_t ad_send(int fd, const void *bytes, size_t count);	// MSG_NOSIGNAL | MSG_DONTWAIT
int ad_peer(int fd, pid_t *pid, uid_t *user, gid_t *group);	// as they were when it connected
int ad_peer_groups(int fd, gid_t *groups, int capacity);	// how many; ERANGE: more than that

// Waiting.
enum { ad_readable = 1, ad_writable = 2, ad_ended = 4 };
typedef struct { uint64_t token; uint32_t ready; } ad_event;
int ad_epoll_create(void);
int ad_epoll_add(int epoll, int fd, uint64_t token, uint32_t interest);	// a mask of ad_*
int ad_epoll_change(int epoll, int fd, uint64_t token, uint32_t interest);
int ad_epoll_remove(int epoll, int fd);
int ad_epoll_wait(int epoll, ad_event *events, int capacity, int64_t nanoseconds);	// -1: for ever
int64_t ad_monotonic_ns(void);
int64_t ad_realtime_ns(void);
void ad_sleep_ns(int64_t nanoseconds);	// at 1 ns timer slack once ad_fine_timers was called
void ad_fine_timers(void);
unsigned long ad_timer_slack(void);	// before ad_fine_timers, in ns; else the system's usual 50 us

// What the program was called with, as the C library hands it to every object at its start, whether
// or not there is a /proc. NULL ends it.
char *_Nullable const *_Nonnull ad_arguments(void);
const char *ad_executable(void);	// AT_EXECFN: the path that was executed, as it was given

// Signals.
void ad_default_dispositions(void);	// of every signal
void ad_reset_signals(const int *_Nullable held, int count);	// every disposition to default, nothing blocked but those
void ad_block_signals(const int *signals, int count);
int ad_signal_descriptor(const int *signals, int count);	// blocks them and opens a signalfd
int ad_next_signal(int fd);	// the number, 0 when none waits
void ad_ignore_failed_writes(void);	// SIGPIPE and SIGXFSZ: the write says it, by EPIPE and EFBIG

// Children; they are started by spawn.h.
int ad_pidfd_signal(int pidfd, int signal);
int ad_fork(int *pidfd, bool leads_session);	// the child's pid; 0 in the child, which leads a process group. pidfd: -1 where there are none
// The same, made by a thread that has done nothing else. The child goes on there, with `go_on`, which
// must not return.
int ad_fork_afresh(int *pidfd, bool leads_session, void (*_Nonnull go_on)(void *_Nullable),
	void *_Nonnull context);
void ad_end_with_parent(void);	// killed when the thread that made this process ends
pid_t ad_ended_child(void);	// one that can be reaped; 0: none
int ad_pidfd_open(pid_t pid);

const char *ad_error_text(int number);	// strerrordesc_np: static, never translated

// The kernel's audit messages.
int ad_audit_multicast(void);	// joined to the read-only group, non-blocking
int ad_audit_control(void);	// for ad_audit_status, non-blocking
int ad_receive_buffer(int fd, int bytes, bool *forced);	// what was granted
int64_t ad_socket_drops(int fd);	// messages that did not fit, since the socket was made
// One datagram: its size, with the text's size behind 16 bytes of header, and 0 as type when
// it is not one whole message of the kernel's.
ssize_t ad_audit_receive(int fd, void *bytes, size_t capacity, size_t *text, uint16_t *type);
typedef struct { uint32_t enabled, lost, daemon, backlog_limit; } ad_kernel_audit;
int ad_audit_status(int fd, int milliseconds, ad_kernel_audit *status);

// Copies `count` bytes and tells whether they are free of newlines and NULs, in one pass.
bool ad_copy_is_plain(void *restrict to, const void *restrict from, size_t count);

// CRC-32C (Castagnoli, RFC 3720 B.4) that goes on from `seed`, which is 0 for the plain one.
uint32_t ad_crc32c(uint32_t seed, const void *bytes, size_t count);

// A counter that wakes a reader: blocking or not, close-on-exec.
int ad_eventfd(bool nonblocking);

int ad_preallocate(int fd, off_t bytes);	// keeps the size

// Messages to other programs and hosts.
// A unix datagram socket whose sends wait so long for room; 0: not at all.
// Where `stream` is given, what is there may be a stream too, and it says which it is.
int ad_datagram_connect(const char *path, int milliseconds, bool *_Nullable stream);
// A message and NUL into a stream of this host: its size, or -1; whole, or the stream is of no use
// any more.
ssize_t ad_stream_send(int fd, const void *bytes, size_t count);
// Whether the other end of a stream is gone.
bool ad_stream_ended(int fd);
// One datagram each for lines in `bytes`: `head`, then the line with its last 0x1d made a
// space. How many the socket took, -1 when it took none; waits as long as the socket does.
typedef struct { uint32_t start, end; } ad_piece;
int ad_send_lines(int fd, const void *head, size_t head_count, const void *bytes,
	const ad_piece *pieces, int count, bool stream);

// Internet sockets, non-blocking.
// May still be connecting. From that port of this host; 0: from any.
int ad_inet_connect(const void *address, size_t size, bool stream, uint16_t local_port);
void ad_reset_at_close(int fd);	// closing it leaves nothing behind, as TIME_WAIT does
int ad_socket_error(int fd);	// SO_ERROR, 0 for none
int ad_unacknowledged(int fd);	// SIOCOUTQ: bytes that the other host has not acknowledged
void ad_stream_options(int fd, int milliseconds);	// no delay; gives up without acknowledgement

// What outlives the process that dispatches, in memory that its parent keeps: what it read and has
// not put in a safe place, what it wrote to whom, and its counters. Every number is 64 bits wide
// and counts bytes or records of a stream from its beginning.
enum { AD_PLUGINS_MAX = 2048, AD_NAME_MAX = 256, AD_REASONS_MAX = 8,
	AD_PIECES_MAX = 8, AD_TAPE = 8192 };
typedef struct {
	uint64_t received, delivered, redelivered, queued, queued_max, bytes, dropped_events;
	uint64_t dropped[AD_REASONS_MAX];
	int64_t queued_bytes;
	uint64_t undelivered;	// number of the first record that is not delivered
	uint64_t position;	// where in the child's stream it begins
	uint64_t extra_end;	// where in it the last thing ended that is no queued record
	uint64_t delivered_at_start;	// of the child that the stream goes to
	uint64_t confirmed_at_start;
	uint64_t first_number;	// of the first record that is not confirmed
	uint64_t restarts;
	uint64_t child;	// whose stream `position` is of; 0: of none
	uint64_t encoding;
	uint64_t shift;	// where `undelivered` is in the log: that less this; 0: no log was known
	uint64_t announced, announced_written;	// dropped records that it was told of
	uint64_t awaits_past;	// 1: it is not known what the log has for it from before
	// While not all of the queue is on disk: its records in turn, times four, plus who has them: 0
	// nobody else, 1 the log, 2 other hosts, which send them again; ends with a zero.
	uint64_t pieces[AD_PIECES_MAX];
} ad_plugin_figures;
typedef struct {
	uint64_t flags, padding;
	int64_t probe;
} ad_reader;	// how input goes on: RecordReader.Kept
typedef struct {
	uint64_t settled, settled_sequence;	// input from there on, and the records in it, are needed
	uint64_t taken, next_sequence, next_event;	// as far as records were made of it
	uint64_t records, bytes, events, malformed[8];
	uint64_t spool_shift;	// a journal's number less its log's; 0: not known
	uint64_t awaited_from;	// what from there on is in neither log nor ring, other hosts send again
	uint64_t plugins;	// slots in use, or once in use
	ad_reader reader, taken_reader;	// at `settled`, at `taken`
} ad_snapshot;
// How far the stream to a child has come.
typedef struct {
	uint64_t bytes, records;	// records of its queue that are whole in it
	uint64_t things;	// what else is whole in it as well: announcements, repetitions
	uint64_t rest;	// bytes of the next thing that are in it
} ad_stream_place;
typedef struct ad_survivor ad_survivor;

uint64_t ad_survivor_layout(void);	// a version, from the 48th bit on, and the size
size_t ad_survivor_bytes(void);	// in front of the ring
int ad_grow(int fd, size_t size);	// a file that is shorter; what is new is zeros
// Maps such a file, made larger as needed, and its ring twice in a row; NULL with errno.
ad_survivor *_Nullable ad_survivor_map(int fd, size_t ring, unsigned char *_Nullable *_Nonnull bytes);
uint64_t ad_survivor_generation(const ad_survivor *s);	// 0: nobody was here before
uint32_t ad_survivor_enter(ad_survivor *s, uint64_t at);	// how often before, with the input at this point
// Read and write as read(2) and send(2), and leave the outcome behind.
ssize_t ad_survivor_receive(ad_survivor *s, int fd, bool is_socket, uint64_t base, void *bytes,
	size_t count);
uint64_t ad_survivor_received(const ad_survivor *s, const unsigned char *ring, size_t size);
void ad_survivor_skip(ad_survivor *s, uint64_t to);	// input goes on at that number
void ad_survivor_release(void *bytes, size_t count);	// whole pages of the ring
uint64_t ad_survivor_floor(const ad_survivor *s);
// The things of a stream by their numbers, modulo AD_TAPE: each one's bytes times two, plus one for a
// record of the queue. Those that are offered stand there before they are sent, those that may be
// unread as long as they may be.
uint16_t *ad_survivor_tape(ad_survivor *s, int slot);
ssize_t ad_survivor_send(ad_survivor *s, int slot, int fd, const void *bytes, size_t count,
	const ad_stream_place *before);
// What was written so far, when the kernel took a part of what it was offered.
void ad_survivor_written(ad_survivor *s, int slot, const ad_stream_place *so_far);
ad_stream_place ad_survivor_sent(const ad_survivor *s, int slot);
// Records of the queue that are whole in the stream, but not in what was read of it.
uint64_t ad_survivor_unread(const ad_survivor *s, int slot, uint64_t bytes);
void ad_survivor_begin_child(ad_survivor *s, int slot, const char *name, uint64_t child);
void ad_survivor_name(ad_survivor *s, int slot, const char *name);
const char *ad_survivor_named(const ad_survivor *s, int slot);
uint64_t ad_survivor_child(const ad_survivor *s, int slot);
// What a successor finds is in cells: one for all, and one for each plugin. `last` is what was
// published; what is written where `next` says is published with all of its kind, by one store.
const ad_snapshot *ad_survivor_last(const ad_survivor *s);
ad_snapshot *ad_survivor_next(ad_survivor *s);
const ad_plugin_figures *ad_survivor_last_plugin(const ad_survivor *s, int slot);
ad_plugin_figures *ad_survivor_next_plugin(ad_survivor *s, int slot);
void ad_survivor_publish(ad_survivor *s);

int ad_set_name(const char *name);	// what ps(1) shows, at most 15 bytes
int ad_keep_private(void);	// not dumpable: nobody but root looks into its memory
int ad_become_subreaper(void);
void ad_forget_text(void);	// code and constants; mapped again where they are needed

// Whole messages between processes of ours (SOCK_SEQPACKET), and `n` descriptors that go with them.
// Both go on when a signal interrupts them.
enum { AD_PASSED_MAX = 5 };
int ad_message_pair(int pair[_Nonnull 2]);
int ad_pass(int fd, const void *bytes, size_t count, const int *_Nullable fds, int n, bool waits);
// The size of the next message; a descriptor that did not come is -1.
ssize_t ad_passed(int fd, void *bytes, size_t capacity, int *fds, int n, bool waits);

#pragma clang assume_nonnull end
