// auditd42 PROGRAM [ARGUMENT...]: what auditd 4.2.1 and its unit do to a plugin, and nothing else.
//
// Relays its standard input to the plugin. SIGHUP: the plugin's input ends, 50 ms later it gets
// SIGTERM, and is waited for without limit; then it is started again. SIGTERM: its input ends, it
// gets SIGTERM, and 36 ms later auditd is gone; then (KillMode=mixed) everything else is killed.
// SIGINT: the same, but what is left is waited for, and not killed (KillMode=process).
// It prints `started PID`, and `reloaded MILLISECONDS WAITED`, of which so many were waited.
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char **command;
static pid_t plugin, auditd;
static int input = -1;
static volatile sig_atomic_t reload, stop;

static void note(int signal) { *(signal == SIGHUP ? &reload : &stop) = 1; }
static volatile sig_atomic_t spares;
static void forward(int signal) {
	if (signal == SIGINT) spares = 1;
	kill(auditd, signal == SIGINT ? SIGTERM : signal);
}

static long now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void start(void) {
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)) exit(200);
	plugin = fork();
	if (plugin == 0) {
		// Its children have nearly all signals ignored, and no environment.
		for (int number = 1; number < 32; number++)
			if (number != SIGCHLD) signal(number, SIG_IGN);
		sigset_t none;
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		dup2(pair[1], 0);
		char *nothing[] = {NULL};
		execve(command[0], command, nothing);
		_exit(201);
	}
	close(pair[1]);
	input = pair[0];
	printf("started %d\n", plugin);
	fflush(stdout);
}

static void end(long pause) {
	close(input);
	usleep(pause * 1000);
	kill(plugin, SIGTERM);
}

static int be_auditd(void) {
	static char bytes[65536];
	// By that a child knows its parent.
	prctl(PR_SET_NAME, "auditd");
	sigset_t both, waiting;
	sigemptyset(&both);
	sigaddset(&both, SIGHUP);
	sigaddset(&both, SIGTERM);
	sigprocmask(SIG_BLOCK, &both, &waiting);
	sigdelset(&waiting, SIGHUP);
	sigdelset(&waiting, SIGTERM);
	signal(SIGHUP, note);
	signal(SIGTERM, note);
	signal(SIGINT, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	start();
	struct pollfd records = {.fd = 0, .events = POLLIN};
	for (;;) {
		int ready = stop || reload ? 0 : ppoll(&records, 1, NULL, &waiting);
		if (stop) {
			end(0);
			usleep(36000);
			return 0;
		}
		if (reload) {
			long begin = now();
			reload = 0;
			end(50);
			long asked = now();
			while (waitpid(plugin, NULL, 0) < 0 && errno == EINTR) {}
			long gone = now();
			start();
			printf("reloaded %ld %ld\n", now() - begin, gone - asked);
			fflush(stdout);
		}
		if (ready <= 0) continue;
		ssize_t count = read(0, bytes, sizeof bytes), done = 0;
		if (count <= 0) records.fd = -1;
		while (done < count) {
			ssize_t written = write(input, bytes + done, count - done);
			if (written < 0 && errno != EINTR) break;
			if (written > 0) done += written;
		}
	}
}

int main(int argc, char **argv) {
	if (argc < 2) return 202;
	command = argv + 1;
	// What a control group holds falls to whoever reaps for it.
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	auditd = fork();
	if (auditd == 0) return be_auditd();
	signal(SIGHUP, forward);
	signal(SIGTERM, forward);
	signal(SIGINT, forward);
	int status = 0;
	while (waitpid(auditd, &status, 0) != auditd) {}
	char path[64], children[4096];
	snprintf(path, sizeof path, "/proc/self/task/%d/children", getpid());
	while (spares && (wait(NULL) > 0 || errno == EINTR)) {}
	for (;;) {
		FILE *list = fopen(path, "r");
		size_t length = list ? fread(children, 1, sizeof children - 1, list) : 0;
		if (list) fclose(list);
		children[length] = 0;
		char *at = children, *next;
		for (long pid; (pid = strtol(at, &next, 10)) > 0; at = next) kill((pid_t)pid, SIGKILL);
		if (wait(NULL) < 0 && errno == ECHILD) return WEXITSTATUS(status);
	}
}
