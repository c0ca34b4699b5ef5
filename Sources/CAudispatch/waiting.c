// Waiting for descriptors and for moments.
#include "CAudispatch.h"

#include <sys/epoll.h>
#include <sys/prctl.h>
#include <time.h>

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

int ad_epoll_wait(int epoll, ad_event *events, int capacity, int milliseconds) {
	struct epoll_event raw[64];
	int n = epoll_wait(epoll, raw, capacity < 64 ? capacity : 64, milliseconds);
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
