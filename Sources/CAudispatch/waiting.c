// Waiting for descriptors and for moments.
#include "CAudispatch.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

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
