#include "CAudispatch.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

// Landlock; its calls have no functions in the C library, and older headers do not have all of it.

int ad_landlock_version(void) {
	long version = syscall(444 /* landlock_create_ruleset */, 0, 0, 1 /* VERSION */);
	return version < 0 ? 0 : (int)version;
}

int ad_landlock_ruleset(uint64_t handled, uint64_t scoped) {
	struct { uint64_t files, network, scoped; } rules = {handled, 0, scoped};
	// Older kernels do not mind what they do not know, if it is zero.
	return (int)syscall(444 /* landlock_create_ruleset */, &rules, sizeof rules, 0);
}

// EXECUTE, WRITE_FILE, READ_FILE, TRUNCATE, IOCTL_DEV.
static const uint64_t rights_of_files = 1 << 0 | 1 << 1 | 1 << 2 | 1 << 14 | 1 << 15;

int ad_landlock_allow(int ruleset, const char *path, uint64_t rights) {
	int fd = open(path, O_PATH | O_CLOEXEC);
	if (fd < 0) return -1;
	struct stat facts;
	int result = fstat(fd, &facts);
	if (!result) {
		if (!S_ISDIR(facts.st_mode)) rights &= rights_of_files;
		struct __attribute__((packed)) { uint64_t rights; int32_t fd; } below = {rights, fd};
		result = (int)syscall(445 /* landlock_add_rule */, ruleset, 1 /* PATH_BENEATH */, &below, 0);
	}
	int failure = errno;
	close(fd);
	errno = failure;
	return result;
}

int ad_landlock_restrict(int ruleset) {
	if (prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L)) return -1;
	return syscall(446 /* landlock_restrict_self */, ruleset, 0) ? -1 : 0;
}
