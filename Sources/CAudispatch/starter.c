// The process that starts others for its parent. It has one thread, shares no memory, and waits for
// nothing but requests: whatever may hang, a child does, in a copy of this process.
#include "CAudispatch.h"
#include "starting.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

// Requests

struct request {
	ad_start_head head;
	gid_t *groups;
	char *path, **argv, **envp;
	const char *rules, *end;
};

// The text at `*at`, which goes on behind it; NULL: it has no end.
static char *take_text(char **at, const char *end) {
	char *text = *at, *nul = memchr(text, 0, (size_t)(end - text));
	if (nul) *at = nul + 1;
	return nul ? text : NULL;
}

// `count` texts with a NULL behind them.
static char **take_texts(char **at, const char *end, size_t count) {
	// Each has a NUL at least.
	if (count > (size_t)(end - *at)) return NULL;
	char **texts = calloc(count + 1, sizeof *texts);
	for (size_t i = 0; texts && i < count; i++)
		if (!(texts[i] = take_text(at, end))) {
			free(texts);
			return NULL;
		}
	return texts;
}

static bool take_rule(char **at, const char *end, uint64_t *rights, const char **path) {
	if ((size_t)(end - *at) < sizeof *rights) return false;
	memcpy(rights, *at, sizeof *rights);
	*at += sizeof *rights;
	return (*path = take_text(at, end)) != NULL;
}

static void forget(struct request *r) {
	free(r->groups);
	free(r->argv);
	free(r->envp);
}

static bool take_request(void *bytes, size_t count, struct request *r) {
	*r = (struct request){0};
	char *at = bytes;
	const char *end = at + count;
	if (count < sizeof r->head) return false;
	memcpy(&r->head, at, sizeof r->head);
	at += sizeof r->head;
	size_t groups = r->head.confinement.group_count;
	if (groups > (size_t)(end - at) / sizeof(gid_t)) return false;
	r->groups = malloc(groups * sizeof(gid_t) + 1);
	if (!r->groups) return false;
	memcpy(r->groups, at, groups * sizeof(gid_t));
	at += groups * sizeof(gid_t);
	r->head.confinement.groups = r->groups;
	r->head.confinement.ruleset = -1;
	r->end = end;
	if (!r->head.arguments || !(r->path = take_text(&at, end))
			|| !(r->argv = take_texts(&at, end, r->head.arguments))
			|| !(r->envp = take_texts(&at, end, r->head.variables)))
		return false;
	r->rules = at;
	uint64_t rights;
	const char *path;
	for (uint32_t i = 0; i < r->head.rules; i++)
		if (!take_rule(&at, end, &rights, &path)) return false;
	return at == end;
}

// Nobody but tests asks: a child reads its request itself.
bool ad_start_is_whole(const void *bytes, size_t count) {
	struct request r;
	char *copy = malloc(count + 1);
	if (!copy) return false;
	memcpy(copy, bytes, count);
	bool whole = take_request(copy, count, &r);
	forget(&r);
	free(copy);
	return whole;
}

// The child

// Opens every path that it may use: here it may hang. A path that is not there is left out.
static int make_ruleset(struct request *r, int *rule) {
	if (!r->head.handled) return 0;
	int ruleset = ad_landlock_ruleset(r->head.handled, r->head.scoped);
	if (ruleset < 0) return -1;
	char *at = (char *)r->rules;
	for (uint32_t i = 0; i < r->head.rules; i++) {
		uint64_t rights;
		const char *path;
		if (!take_rule(&at, r->end, &rights, &path)) return errno = EBADMSG, -1;
		if (!ad_landlock_allow(ruleset, path, rights) || errno == ENOENT) continue;
		*rule = (int)i;
		return -1;
	}
	r->head.confinement.ruleset = ruleset;
	return 0;
}

// Why the file could not be executed: here it may hang, and nobody waits.
static void look_at_file(const char *path, ad_start_report *report) {
	report->head_count = -1;
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0) return;
	report->head_count = (int32_t)read(fd, report->head, sizeof report->head);
	close(fd);
	char line[sizeof report->head + 1] = "";
	if (report->head_count > 2) memcpy(line, report->head, (size_t)report->head_count);
	line[strcspn(line, "\n")] = 0;
	if (strncmp(line, "#!", 2)) return;
	char *rest, *interpreter = strtok_r(line + 2, " \t", &rest);
	struct stat facts;
	if (!interpreter) return;
	report->interpreter_error = stat(interpreter, &facts) ? errno : 0;
	if (!report->interpreter_error) report->interpreter_mode = facts.st_mode & 07777;
}

static void become(void *bytes, size_t count, const int fds[5], ad_start_report *report) {
	struct request r;
	report->stage = READ;
	if (!take_request(bytes, count, &r)) {
		report->error = EBADMSG;
		return;
	}
	if (r.head.confinement.ordinary) ad_set_oom_score(0);
	report->stage = ALLOW;
	if (make_ruleset(&r, &report->rule)) {
		report->error = errno;
		return;
	}
	struct start s = {.path = r.path, .argv = r.argv, .envp = r.envp, .slack = ad_timer_slack(),
		.fd = {fds[0], fds[1], fds[2], fds[4]}, .confinement = &r.head.confinement};
	ad_become_program(&s);
	report->stage = s.stage;
	report->error = s.error;
	if (s.stage == EXEC) look_at_file(r.path, report);
}

static void run_child(int channel, void *bytes, size_t count, const int fds[5]) {
	// Others see the starter's end by this.
	close(channel);
	ad_start_report report = {.rule = -1};
	char word;
	// Out of the way of 0, 1 and 2.
	int end = fcntl(fds[3], F_DUPFD_CLOEXEC, 16);
	if (end < 0) end = fds[3];
	else close(fds[3]);
	if (recv(end, &word, 1, 0) != 1) _exit(0);
	become(bytes, count, fds, &report);
	send(end, &report, sizeof report, MSG_NOSIGNAL);
	_exit(127);
}

// The starter

// Its parent's child, and so its parent's to wait for, as if that had started it.
static pid_t make_child(int *pidfd) {
	*pidfd = -1;
	return (pid_t)syscall(SYS_clone, CLONE_PARENT | CLONE_PIDFD | SIGCHLD, 0, pidfd, 0, 0);
}

static void keep_only(int *channel) {
	int null = open("/dev/null", O_RDWR);
	int high = fcntl(*channel, F_DUPFD_CLOEXEC, 10);
	if (high >= 0) *channel = high;
	for (int i = 0; i < 3; i++)
		if (null >= 0) dup2(null, i);
		else close(i);
	syscall(SYS_close_range, 3U, (unsigned)*channel - 1, 0U);
	syscall(SYS_close_range, (unsigned)*channel + 1, ~0U, 0U);
}

static void answer(int channel, const ad_start_answer *what, int pidfd) {
	// Without its pidfd the process can be opened by its number, which is its parent's until that has
	// waited for it.
	if (ad_pass(channel, what, sizeof *what, &pidfd, pidfd >= 0, true) && pidfd >= 0)
		ad_pass(channel, what, sizeof *what, 0, 0, true);
}

static void serve(int channel, void *bytes, size_t count, const int fds[5]) {
	ad_start_answer what = {.pid = -1, .error = EBADMSG};
	int pidfd = -1;
	if (count >= sizeof what.number) memcpy(&what.number, bytes, sizeof what.number);
	if (fds[3] < 0) {
		what.error = EMFILE;
	} else {
		what.pid = make_child(&pidfd);
		if (what.pid == 0) run_child(channel, bytes, count, fds);
		what.error = what.pid < 0 ? errno : 0;
	}
	// First: its parent sees by its own end alone how the child fares.
	for (int i = 0; i < 5; i++)
		if (fds[i] >= 0) close(fds[i]);
	answer(channel, &what, pidfd);
	if (pidfd >= 0) close(pidfd);
}

void ad_serve_starts(int channel) {
	static char bytes[AD_START_MAX];
	sigset_t all;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, 0);
	// Also where it was stopped and would not see the end of its socket.
	ad_end_with_parent();
	ad_set_name("audisp-starter");
	keep_only(&channel);
	int fds[5];
	ssize_t n;
	while ((n = ad_passed(channel, bytes, sizeof bytes, fds, 5, true)) > 0)
		serve(channel, bytes, (size_t)n, fds);
	_exit(0);
}

// Its parent's side

int ad_start_answered(int channel, ad_start_answer *what, int *pidfd) {
	ssize_t n = ad_passed(channel, what, sizeof *what, pidfd, 1, false);
	// That it has ended with requests unread is said first, once, and before what it had answered.
	if (n < 0 && errno == ECONNRESET) n = ad_passed(channel, what, sizeof *what, pidfd, 1, false);
	if (n == (ssize_t)sizeof *what) return 1;
	return n < 0 && errno == EAGAIN ? 0 : -1;
}

int ad_start_go(int report) { return send(report, "", 1, MSG_NOSIGNAL | MSG_DONTWAIT) == 1 ? 0 : -1; }

int ad_start_reported(int report, ad_start_report *what) {
	ssize_t n = recv(report, what, sizeof *what, MSG_DONTWAIT);
	if (n == (ssize_t)sizeof *what) return 1;
	return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}
