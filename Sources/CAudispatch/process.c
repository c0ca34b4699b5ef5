// This process, its signals and its children.
#include "CAudispatch.h"

#include <errno.h>
#include <link.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

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

const char *ad_error_text(int number) {
	const char *text = strerrordesc_np(number);
	return text ? text : "Unknown error";
}

// Pages that nobody has written to, relocation included, can be read from the file again.
static int forget_object(struct dl_phdr_info *object, size_t size, void *unused) {
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	(void)size, (void)unused;
	for (int i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &object->dlpi_phdr[i];
		if (part->p_type != PT_LOAD || part->p_flags & PF_W) continue;
		uintptr_t from = (object->dlpi_addr + part->p_vaddr) / page * page;
		uintptr_t to = object->dlpi_addr + part->p_vaddr + part->p_memsz;
		madvise((void *)from, to - from, MADV_DONTNEED);
	}
	return 0;
}

void ad_forget_text(void) {
	dl_iterate_phdr(forget_object, NULL);
	malloc_trim(0);
}

int ad_set_name(const char *name) { return prctl(PR_SET_NAME, name, 0, 0, 0); }

int ad_keep_private(void) { return prctl(PR_SET_DUMPABLE, 0UL, 0UL, 0UL, 0UL); }

int ad_become_subreaper(void) { return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); }

// Signals

// Past the C library, which keeps 32 and 33 to itself: a parent may have ignored those too.
void ad_default_dispositions(void) {
	struct { void *handler; unsigned long flags; void *restorer; uint64_t mask; } defaults = {0};
	for (int s = 1; s < NSIG; s++) syscall(SYS_rt_sigaction, s, &defaults, 0, sizeof defaults.mask);
}

void ad_reset_signals(const int *held, int count) {
	sigset_t set;
	sigemptyset(&set);
	for (int i = 0; i < count; i++) sigaddset(&set, held[i]);
	// First: one that was ignored until now would be our end before it is held.
	sigprocmask(SIG_BLOCK, &set, 0);
	ad_default_dispositions();
	sigprocmask(SIG_SETMASK, &set, 0);
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

int ad_next_signal(int fd) {
	struct signalfd_siginfo info;
	ssize_t n = read(fd, &info, sizeof info);
	if (n != sizeof info) return n < 0 && errno != EAGAIN && errno != EINTR ? -1 : 0;
	return (int)info.ssi_signo;
}

void ad_ignore_failed_writes(void) {
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
}

// Children

int ad_pidfd_signal(int pidfd, int signal) {
	return (int)syscall(SYS_pidfd_send_signal, pidfd, signal, 0, 0);
}

void ad_end_with_parent(void) { prctl(PR_SET_PDEATHSIG, (unsigned long)SIGKILL, 0UL, 0UL, 0UL); }

int ad_fork(int *pidfd, bool leads_session) {
	pid_t pid = fork();
	if (pid == 0 && leads_session) setsid();
	if (pid == 0 && !leads_session) setpgid(0, 0);
	if (pid > 0) *pidfd = ad_pidfd_open(pid);
	return pid;
}

struct copy {
	int *pidfd;
	bool leads_session;
	void (*go_on)(void *);
	void *context;
	pid_t pid;
	int error;
};

static void *make_copy(void *argument) {
	struct copy *copy = argument;
	copy->pid = ad_fork(copy->pidfd, copy->leads_session);
	copy->error = errno;
	if (copy->pid == 0) copy->go_on(copy->context);
	return NULL;
}

int ad_fork_afresh(int *pidfd, bool leads_session, void (*go_on)(void *), void *context) {
	struct copy copy = {pidfd, leads_session, go_on, context, -1, 0};
	pthread_t thread;
	int failure = pthread_create(&thread, NULL, make_copy, &copy);
	if (failure) return errno = failure, -1;
	pthread_join(thread, NULL);
	errno = copy.error;
	return copy.pid;
}

pid_t ad_ended_child(void) {
	siginfo_t info = {0};
	if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT)) return -1;
	return info.si_pid;
}

int ad_pidfd_open(pid_t pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }
