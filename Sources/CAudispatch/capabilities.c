// What a thread may do. Past the C library: it has no functions for it, and a child that shares its
// parent's memory applies some of it.
#include "CAudispatch.h"
#include "starting.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};

int ad_become_capable(uint64_t only) {
	struct __user_cap_data_struct data[2];
	for (int i = 0; i < 2; i++)
		data[i].effective = data[i].permitted = data[i].inheritable = (uint32_t)(only >> (32 * i));
	if (syscall(SYS_capset, &header, data)) return -1;
	syscall(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0L, 0L, 0L);
	for (long c = 0; c < 64; c++)
		if (only >> c & 1 && syscall(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, c, 0L, 0L))
			return -1;
	return 0;
}

int ad_drop_bounding(uint64_t kept) {
	for (long c = 0; c < 64; c++) {
		long there = syscall(SYS_prctl, PR_CAPBSET_READ, c, 0L, 0L, 0L);
		if (there < 0) break;	// the kernel knows no further ones
		if (there && !(kept >> c & 1) && syscall(SYS_prctl, PR_CAPBSET_DROP, c, 0L, 0L, 0L)) return -1;
	}
	return 0;
}

ad_capabilities ad_own_capabilities(void) {
	struct __user_cap_data_struct data[2] = {0};
	syscall(SYS_capget, &header, data);
	return (ad_capabilities){
		.permitted = data[0].permitted | (uint64_t)data[1].permitted << 32,
		.effective = data[0].effective | (uint64_t)data[1].effective << 32};
}

// Takes away, never gives; not from the bounding set.
static int keep_only(uint64_t kept, bool all_sets) {
	struct __user_cap_data_struct data[2];
	if (syscall(SYS_capget, &header, data)) return -1;
	for (int i = 0; i < 2; i++) {
		uint32_t half = (uint32_t)(kept >> (32 * i));
		data[i].effective &= half;
		if (!all_sets) continue;
		data[i].permitted &= half;
		data[i].inheritable &= half;
	}
	return (int)syscall(SYS_capset, &header, data);
}

int ad_make_effective(uint64_t kept) { return keep_only(kept, false); }

int ad_bound_capabilities(uint64_t kept) {
	return ad_drop_bounding(kept) ? -1 : keep_only(kept, true);
}

int ad_keep_capabilities(uint64_t kept) {
	if (prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L)) return -1;
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0L, 0L, 0L);
	return keep_only(kept, true);
}
