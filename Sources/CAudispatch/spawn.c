// Starting a child. Between clone and exec it may run in its parent's memory: it makes system calls
// and nothing else, each by its number where the C library's function does more (setresuid and its
// like change all threads of a process).
#include "CAudispatch.h"
#include "starting.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const stages[] = {
	[CLONE] = "clone", [READ] = "read its request", [ALLOW] = "allow",
	[MOVE] = "move its descriptors", [OPEN] = "open its descriptors",
	[LIMITS] = "set its limits", [BOUND] = "bound its capabilities",
	[GROUPS] = "set its supplementary groups", [GROUP] = "set its group", [USER] = "set its user",
	[KEEP] = "set its capabilities", [NO_NEW] = "set no_new_privs",
	[LANDLOCK] = "restrict its paths", [EXEC] = "exec",
};
const char *ad_spawn_stage(int stage) {
	return stage >= 0 && stage < (int)(sizeof stages / sizeof *stages) ? stages[stage] : "start";
}

// A path that only the child has: what it may know of itself. Programs in Swift find their arguments
// there, and would otherwise have none.
static void allow_self(int ruleset) {
	long fd = syscall(SYS_openat, AT_FDCWD, "/proc/self", O_PATH | O_CLOEXEC, 0);
	if (fd < 0) return;
	struct __attribute__((packed)) { uint64_t rights; int32_t fd; } below = {
		1 << 2 | 1 << 3 /* READ_FILE, READ_DIR */, (int32_t)fd};
	syscall(445 /* landlock_add_rule */, ruleset, 1 /* PATH_BENEATH */, &below, 0);
	syscall(SYS_close, fd);
}

// Where it failed is in `stage`. The order is the only one that works: limits and the bounding set
// need what the change of the user takes away, and landlock binds everything that follows it.
static int confine(const ad_confinement *c, volatile int *stage) {
	*stage = LIMITS;
	static const int resources[] = {RLIMIT_NOFILE, RLIMIT_NPROC, RLIMIT_AS, RLIMIT_CORE};
	for (int i = 0; i < 4; i++) {
		uint64_t both[2] = {(uint64_t)c->limits[i], (uint64_t)c->limits[i]};
		if (c->limits[i] >= 0 && syscall(SYS_prlimit64, 0, resources[i], both, 0)) return -1;
	}
	*stage = BOUND;
	if (c->sets_bounding && ad_drop_bounding(c->capabilities)) return -1;
	*stage = GROUPS;
	if (c->sets_groups && syscall(SYS_setgroups, c->group_count, c->groups)) return -1;
	*stage = GROUP;
	if (c->sets_group && syscall(SYS_setresgid, c->group, c->group, c->group)) return -1;
	*stage = USER;
	if (c->sets_user) {
		if (c->sets_capabilities && syscall(SYS_prctl, PR_SET_KEEPCAPS, 1L, 0L, 0L, 0L)) return -1;
		if (syscall(SYS_setresuid, c->user, c->user, c->user)) return -1;
	}
	*stage = KEEP;
	if (c->sets_capabilities && ad_become_capable(c->capabilities)) return -1;
	*stage = NO_NEW;
	if (c->no_new_privileges && syscall(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L)) return -1;
	*stage = LANDLOCK;
	if (c->ruleset < 0) return 0;
	allow_self(c->ruleset);
	return syscall(446 /* landlock_restrict_self */, c->ruleset, 0) ? -1 : 0;
}

// The soft limit on descriptors that this process was started with, where it was raised: some
// programs close every number below theirs.
static struct rlimit usual_files;

void ad_raise_file_limit(void) {
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= limit.rlim_max) return;
	struct rlimit raised = {limit.rlim_max, limit.rlim_max};
	if (!setrlimit(RLIMIT_NOFILE, &raised)) usual_files = limit;
}

void ad_become_program(struct start *s) {
	ad_default_dispositions();
	setpgid(0, 0);
	setpriority(PRIO_PROCESS, 0, 0);
	syscall(SYS_prctl, PR_SET_TIMERSLACK, s->slack, 0L, 0L, 0L);
	s->stage = MOVE;
	// Out of the way first: one of them may itself be 0, 1, 2 or 3.
	ad_confinement confinement = s->confinement ? *s->confinement
		: (ad_confinement){.ruleset = -1, .limits = {-1, -1, -1, -1}};
	int high[4], wanted = s->fd[3] >= 0 ? 4 : 3;
	for (int i = 0; i < wanted; i++)
		if ((high[i] = fcntl(s->fd[i], F_DUPFD_CLOEXEC, 10)) < 0) goto failed;
	if (confinement.ruleset >= 0 &&
		(confinement.ruleset = fcntl(confinement.ruleset, F_DUPFD_CLOEXEC, 10)) < 0) goto failed;
	s->stage = OPEN;
	for (int i = 0; i < wanted; i++)
		if (dup2(high[i], i) < 0) goto failed;
	// Close-on-exec, not closed: should exec fail, nothing of the parent's is touched.
	syscall(SYS_close_range, (unsigned)wanted, ~0U, 4U /* CLOSE_RANGE_CLOEXEC */);
	if (s->confinement && confine(&confinement, &s->stage)) goto failed;
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, 0);
	// Last: what is opened above may have a high number.
	if (usual_files.rlim_cur && confinement.limits[0] < 0)
		syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, &usual_files, 0);
	s->stage = EXEC;
	execve(s->path, s->argv, s->envp);
failed:
	s->error = errno;
}

static int in_child(void *argument) {
	ad_become_program(argument);
	_exit(127);
}

// What /proc has of a process: its state's letter, and how often it has given up a processor.
static char look_at(pid_t pid, long long *switches) {
	char path[32], text[4096];
	snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) return 0;
	ssize_t n = read(fd, text, sizeof text - 1);
	close(fd);
	text[n < 0 ? 0 : n] = 0;
	const char *state = strstr(text, "\nState:\t"), *count = strstr(text, "\nvoluntary_ctxt_switches:");
	*switches = count ? strtoll(strchr(count, ':') + 1, 0, 10) : 0;
	return state ? state[8] : 0;
}

// Waits until the child has left our memory, which shows as the end of the pipe that it leaves open
// for exec or its end to close. CLONE_VFORK would wait too, but for ever: once the child is another
// user's, that user may stop it there. False: it was stopped and had to be killed.
static bool wait_for_exec(int end, pid_t pid, int pidfd) {
	bool went_on = true;
	long long before = -1, switches = 0;
	for (int still = 0;;) {
		struct pollfd p = {.fd = end};
		// poll() touches errno, which is the child's as well, only when it fails.
		if (poll(&p, 1, 50) > 0) return went_on;
		// A traced one is stopped all the time, but not for a second without a step.
		char state = look_at(pid, &switches);
		still = state == 't' && switches == before ? still + 1 : 0;
		before = switches;
		if (went_on && (state == 'T' || still == 20)) {
			ad_pidfd_signal(pidfd, SIGKILL);
			went_on = false;
		}
	}
}

static int oom_score(void) {
	char text[16] = "";
	int fd = open("/proc/self/oom_score_adj", O_RDONLY | O_CLOEXEC);
	if (fd < 0) return 0;
	ssize_t n = read(fd, text, sizeof text - 1);
	close(fd);
	return n > 0 ? atoi(text) : 0;
}

void ad_set_oom_score(int score) {
	char text[16];
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (fd < 0) return;
	ssize_t n = write(fd, text, (size_t)snprintf(text, sizeof text, "%d", score));
	(void)n;
	close(fd);
}

static pid_t start_in_our_memory(struct start *s, int *pidfd) {
	enum { STACK = 64 << 10 };
	char *stack = mmap(0, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	if (stack == MAP_FAILED) return -1;
	int pair[2];
	if (pipe2(pair, O_CLOEXEC)) {
		munmap(stack, STACK);
		return -1;
	}
	// Changing its user makes all of our memory that of a program that is not to be looked at.
	int dumpable = prctl(PR_GET_DUMPABLE);
	// No CLONE_FILES: the child's descriptors are its own. Valgrind knows only the one that waits.
	int flags = CLONE_VM | CLONE_PIDFD | SIGCHLD | (secure_getenv("AUDISPATCH_VFORK") ? CLONE_VFORK : 0);
	pid_t pid = clone(in_child, stack + STACK, flags, s, pidfd);
	int failure = errno;
	close(pair[1]);
	if (pid >= 0 && !wait_for_exec(pair[0], pid, *pidfd) && !s->error) s->error = ECANCELED;
	close(pair[0]);
	if (dumpable == 1) prctl(PR_SET_DUMPABLE, 1UL, 0UL, 0UL, 0UL);
	munmap(stack, STACK);
	errno = failure;
	return pid;
}

int ad_spawn_confined(const char *path, char *const *argv, char *const *envp, int input, int output,
	int error, int extra, const ad_confinement *confinement, ad_child *child) {
	struct start s = {.path = path, .argv = argv, .envp = envp, .confinement = confinement,
		.slack = ad_timer_slack(), .fd = {input, output, error, extra}};
	*child = (ad_child){.pidfd = -1};
	sigset_t all, before;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	int pidfd = -1;
	// The child shares our score until exec, and then may lack the right to change it: so ours is 0 for
	// that moment. What was set from outside may be set again without rights.
	int score = confinement && confinement->ordinary ? oom_score() : 0;
	if (score) ad_set_oom_score(0);
	pid_t pid = start_in_our_memory(&s, &pidfd);
	if (score) ad_set_oom_score(score);
	int failure = errno;
	sigprocmask(SIG_SETMASK, &before, 0);
	if (pid < 0) return child->error = errno = failure, -1;
	if (s.error) {
		close(pidfd);
		waitpid(pid, 0, 0);
		child->stage = s.stage;
		return child->error = errno = s.error, -1;
	}
	child->pid = pid;
	child->pidfd = pidfd;
	return 0;
}
