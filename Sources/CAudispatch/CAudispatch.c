#include "CAudispatch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// The program

static char *const *arguments = (char *const[]){0};

__attribute__((constructor)) static void keep_arguments(int argc, char **argv, char **environment) {
	(void)argc, (void)environment;
	arguments = argv;
}

char *const *ad_arguments(void) { return arguments; }

const char *ad_executable(void) {
	const char *path = (const char *)getauxval(AT_EXECFN);
	return path ? path : "";
}

// Descriptors

int ad_open(const char *path, int flags, mode_t mode) { return open(path, flags | O_CLOEXEC, mode); }
int ad_open_in(int folder, const char *name, int flags, mode_t mode) {
	return openat(folder, name, flags | O_CLOEXEC, mode);
}

int ad_urgent_inline(int fd) {
	int on = 1;
	return setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &on, sizeof on);
}

int ad_socketpair_stream(int pair[2]) {
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)) return -1;
	ad_urgent_inline(pair[0]);
	return 0;
}

int ad_pipe(int pair[2]) { return pipe2(pair, O_CLOEXEC); }

int ad_pipe_room(int fd, int bytes) { return fcntl(fd, F_SETPIPE_SZ, bytes); }

int ad_bell(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

int ad_set_nonblocking(int fd, bool on) {
	int flags = fcntl(fd, F_GETFL);
	if (flags < 0) return -1;
	int wanted = on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
	return wanted == flags ? 0 : fcntl(fd, F_SETFL, wanted);
}

int ad_unread(int fd) {
	int count = 0;
	return ioctl(fd, FIONREAD, &count) < 0 ? -1 : count;
}

int ad_close_from(unsigned first) { return (int)syscall(SYS_close_range, first, ~0U, 0); }

int ad_memfd(const char *name) { return memfd_create(name, MFD_CLOEXEC); }

int64_t ad_born_ns(int fd) {
	struct statx facts;
	if (statx(fd, "", AT_EMPTY_PATH, STATX_BTIME, &facts)) return -1;
	if (!(facts.stx_mask & STATX_BTIME)) return errno = ENOTSUP, -1;
	return (int64_t)facts.stx_btime.tv_sec * 1000000000 + facts.stx_btime.tv_nsec;
}

int ad_peek_urgent(int fd) {
	struct pollfd p = {.fd = fd, .events = POLLIN};
	return poll(&p, 1, 0) < 0 ? -1 : p.revents != 0;
}

static bool is_kind(int fd, mode_t kind) {
	struct stat s;
	return fstat(fd, &s) == 0 && (s.st_mode & S_IFMT) == kind;
}
bool ad_is_socket(int fd) { return is_kind(fd, S_IFSOCK); }
bool ad_is_fifo(int fd) { return is_kind(fd, S_IFIFO); }

// Unix sockets

static int unix_address(const char *path, struct sockaddr_un *address) {
	if (strlen(path) >= sizeof address->sun_path) return errno = ENAMETOOLONG, -1;
	memset(address, 0, sizeof *address);
	address->sun_family = AF_UNIX;
	strcpy(address->sun_path, path);
	return 0;
}

// Leaves errno as it is.
static int close_failed(int fd) {
	int error = errno;
	close(fd);
	errno = error;
	return -1;
}

int ad_unix_connect(const char *path) {
	struct sockaddr_un address;
	if (unix_address(path, &address)) return -1;
	// Non-blocking for the connect alone: a listener with a full backlog would hold us up.
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) return -1;
	if (connect(fd, (struct sockaddr *)&address, sizeof address)) return close_failed(fd);
	ad_urgent_inline(fd);
	ad_set_nonblocking(fd, false);
	return fd;
}

typedef struct {
	int fd, error;
	const struct sockaddr_un *address;
} binding;

static void *bind_without_mask(void *of) {
	binding *b = of;
	if (!unshare(CLONE_FS)) umask(0);
	b->error = bind(b->fd, (const struct sockaddr *)b->address, sizeof *b->address) ? errno : 0;
	return 0;
}

// The file gets the socket's own mode, less the mask. That is the whole process's and stays, but a
// thread can have one of its own: so the mode is never more than asked for, nor is the path, which
// may lead elsewhere by then, followed again.
static int bind_with_mode(int fd, const struct sockaddr_un *address, mode_t mode) {
	binding b = {.fd = fd, .address = address};
	pthread_t thread;
	if (fchmod(fd, mode)) return -1;
	int error = pthread_create(&thread, 0, bind_without_mask, &b);
	if (!error) error = pthread_join(thread, 0);
	errno = error ? error : b.error;
	return errno ? -1 : 0;
}

int ad_unix_listen(const char *path, mode_t mode, int backlog) {
	struct sockaddr_un address;
	if (unix_address(path, &address)) return -1;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) return -1;
	if (bind_with_mode(fd, &address, mode) || listen(fd, backlog)) return close_failed(fd);
	return fd;
}

// What is at a path, if it is a socket of ours: no link, nor a second name of one.
static int own_socket(const char *path) {
	struct stat s;
	int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) return -1;
	if (fstat(fd, &s)) return close_failed(fd);
	errno = !S_ISSOCK(s.st_mode) ? ENOTSOCK : s.st_uid != geteuid() || s.st_nlink != 1 ? EPERM : 0;
	return errno ? close_failed(fd) : fd;
}

static int give(int fd, gid_t group) { return fchownat(fd, "", (uid_t)-1, group, AT_EMPTY_PATH); }

int ad_socket_group(const char *path, gid_t group) {
	int fd = own_socket(path);
	if (fd < 0) return -1;
	int result = give(fd, group);
	if (result && errno == EPERM) {
		// Whose group it is may give it away: CAP_SETGID does without CAP_CHOWN.
		int before = setfsgid(group);
		result = give(fd, group);
		int failure = errno;
		setfsgid((gid_t)before);
		errno = failure;
	}
	return close_failed(fd), result;
}

int ad_socket_mode(const char *path, mode_t mode) {
	char name[32];
	int fd = own_socket(path);
	if (fd < 0) return -1;
	snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
	int result = chmod(name, mode);
	return close_failed(fd), result;
}

int ad_accept(int fd) {
	int client = accept4(fd, 0, 0, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (client >= 0) ad_urgent_inline(client);
	return client;
}

int ad_syslog_send(const char *path, const void *bytes, size_t count) {
	static int fd = -1;
	struct sockaddr_un address;
	if (unix_address(path, &address)) return -1;
	if (fd < 0) fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) return -1;
	return sendto(fd, bytes, count, MSG_NOSIGNAL | MSG_DONTWAIT, (struct sockaddr *)&address,
		sizeof address) < 0 ? -1 : 0;
}

ssize_t ad_send(int fd, const void *bytes, size_t count) {
	return send(fd, bytes, count, MSG_NOSIGNAL | MSG_DONTWAIT);
}

int ad_peer(int fd, pid_t *pid, uid_t *user, gid_t *group) {
	struct ucred peer;
	socklen_t size = sizeof peer;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size)) return -1;
	*pid = peer.pid;
	*user = peer.uid;
	*group = peer.gid;
	return 0;
}

int ad_peer_groups(int fd, gid_t *groups, int capacity) {
	socklen_t size = (socklen_t)capacity * sizeof *groups;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size)) return -1;
	return (int)(size / sizeof *groups);
}

// Waiting

int ad_epoll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

static int epoll_control(int epoll, int operation, int fd, uint64_t token, uint32_t interest) {
	struct epoll_event event = {.data.u64 = token};
	if (interest & ad_readable) event.events |= EPOLLIN;
	if (interest & ad_writable) event.events |= EPOLLOUT;
	return epoll_ctl(epoll, operation, fd, &event);
}
int ad_epoll_add(int epoll, int fd, uint64_t token, uint32_t interest) {
	return epoll_control(epoll, EPOLL_CTL_ADD, fd, token, interest);
}
int ad_epoll_change(int epoll, int fd, uint64_t token, uint32_t interest) {
	return epoll_control(epoll, EPOLL_CTL_MOD, fd, token, interest);
}
int ad_epoll_remove(int epoll, int fd) { return epoll_control(epoll, EPOLL_CTL_DEL, fd, 0, 0); }

// Exact where the kernel can wait so (Linux 5.11); rounded up to milliseconds elsewhere.
static int wait_for_events(int epoll, struct epoll_event *raw, int capacity, int64_t ns) {
	static bool is_coarse;
	if (ns > 0 && ns < 100 * 1000000 && !is_coarse) {
		struct { int64_t seconds, nanoseconds; } limit = {0, ns};
		int n = (int)syscall(441 /* epoll_pwait2 */, epoll, raw, capacity, &limit, 0, (size_t)8);
		if (n >= 0 || errno != ENOSYS) return n;
		is_coarse = true;
	}
	int64_t ms = ns < 0 ? -1 : (ns + 999999) / 1000000;
	return epoll_wait(epoll, raw, capacity, ms > 3600000 ? 3600000 : (int)ms);
}

int ad_epoll_wait(int epoll, ad_event *events, int capacity, int64_t nanoseconds) {
	struct epoll_event raw[64];
	int n = wait_for_events(epoll, raw, capacity < 64 ? capacity : 64, nanoseconds);
	for (int i = 0; i < n; i++) {
		uint32_t ready = 0;
		if (raw[i].events & EPOLLIN) ready |= ad_readable;
		if (raw[i].events & EPOLLOUT) ready |= ad_writable;
		if (raw[i].events & (EPOLLHUP | EPOLLERR)) ready |= ad_ended;
		events[i] = (ad_event){raw[i].data.u64, ready};
	}
	return n;
}

static int64_t clock_ns(clockid_t clock) {
	struct timespec t;
	clock_gettime(clock, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}
int64_t ad_monotonic_ns(void) { return clock_ns(CLOCK_MONOTONIC); }
int64_t ad_realtime_ns(void) { return clock_ns(CLOCK_REALTIME); }

void ad_sleep_ns(int64_t nanoseconds) {
	struct timespec t = {nanoseconds / 1000000000LL, nanoseconds % 1000000000LL};
	nanosleep(&t, 0);
}

static unsigned long slack_before = 50000;

void ad_fine_timers(void) {
	int now = prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0);
	if (now > 1) slack_before = (unsigned long)now;
	prctl(PR_SET_TIMERSLACK, 1UL, 0, 0, 0);
}
unsigned long ad_timer_slack(void) { return slack_before; }

// Signals

// Past the C library, which keeps 32 and 33 to itself: a parent may have ignored those too.
void ad_default_dispositions(void) {
	struct { void *handler; unsigned long flags; void *restorer; uint64_t mask; } defaults = {0};
	for (int s = 1; s < NSIG; s++) syscall(SYS_rt_sigaction, s, &defaults, 0, sizeof defaults.mask);
}

void ad_reset_signals(void) {
	ad_default_dispositions();
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, 0);
}

static int block(sigset_t *set, const int *signals, int count) {
	sigemptyset(set);
	for (int i = 0; i < count; i++) sigaddset(set, signals[i]);
	return sigprocmask(SIG_BLOCK, set, 0);
}

void ad_block_signals(const int *signals, int count) {
	sigset_t set;
	block(&set, signals, count);
}

int ad_signal_descriptor(const int *signals, int count) {
	sigset_t set;
	if (block(&set, signals, count)) return -1;
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int ad_next_signal(int fd, int *sender) {
	struct signalfd_siginfo info;
	ssize_t n = read(fd, &info, sizeof info);
	if (n != sizeof info) return n < 0 && errno != EAGAIN && errno != EINTR ? -1 : 0;
	*sender = (int)info.ssi_pid;
	return (int)info.ssi_signo;
}

void ad_ignore_failed_writes(void) {
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
}
int ad_nice(void) { return getpriority(PRIO_PROCESS, 0); }
int ad_set_nice(int value) { return setpriority(PRIO_PROCESS, 0, value); }

// Children

int ad_pidfd_signal(int pidfd, int signal) {
	return (int)syscall(SYS_pidfd_send_signal, pidfd, signal, 0, 0);
}

int ad_fork(int *pidfd) {
	pid_t pid = fork();
	if (pid == 0) setpgid(0, 0);
	if (pid > 0) *pidfd = ad_pidfd_open(pid);
	return pid;
}

int ad_reap(pid_t pid, int *status) {
	pid_t got = waitpid(pid, status, WNOHANG);
	return got < 0 ? -1 : got == pid;
}

pid_t ad_ended_child(void) {
	siginfo_t info = {0};
	if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT)) return -1;
	return info.si_pid;
}

int ad_pidfd_open(pid_t pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }

int ad_exit_code(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : -1; }
int ad_exit_signal(int status) { return WIFSIGNALED(status) ? WTERMSIG(status) : 0; }

bool ad_catches_signal(pid_t pid, int signal) {
	char path[64], line[256];
	snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
	FILE *f = fopen(path, "re");
	unsigned long long caught = 0;
	if (!f) return false;
	while (fgets(line, sizeof line, f))
		if (sscanf(line, "SigCgt: %llx", &caught) == 1) break;
	fclose(f);
	return caught >> (signal - 1) & 1;
}

int ad_flock_exclusive(int fd, bool wait) { return flock(fd, LOCK_EX | (wait ? 0 : LOCK_NB)); }

const char *ad_error_text(int number) {
	const char *text = strerrordesc_np(number);
	return text ? text : "Unknown error";
}

bool ad_has_capability(int number) {
	char line[256];
	unsigned long long effective = 0;
	FILE *f = fopen("/proc/self/status", "re");
	if (!f) return false;
	while (fgets(line, sizeof line, f))
		if (sscanf(line, "CapEff: %llx", &effective) == 1) break;
	fclose(f);
	return effective >> number & 1;
}

long ad_resident_bytes(void) {
	long total = 0, resident = 0;
	FILE *f = fopen("/proc/self/statm", "re");
	if (!f) return 0;
	int n = fscanf(f, "%ld %ld", &total, &resident);
	fclose(f);
	return n == 2 ? resident * sysconf(_SC_PAGESIZE) : 0;
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
