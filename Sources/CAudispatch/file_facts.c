#include "file_facts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <linux/fsverity.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

static int64_t nanoseconds(struct statx_timestamp stamp) {
	return stamp.tv_sec * 1000000000 + stamp.tv_nsec;
}

int ad_file_facts_at(int folder, const char *name, ad_file_facts *facts) {
	struct statx raw;
	int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | (*name ? 0 : AT_EMPTY_PATH);
	if (statx(folder, name, flags, STATX_BASIC_STATS | STATX_BTIME, &raw) != 0) return -1;
	*facts = (ad_file_facts){
		.mode = raw.stx_mode, .user = raw.stx_uid, .group = raw.stx_gid, .links = raw.stx_nlink,
		.size = raw.stx_size, .inode = raw.stx_ino,
		.device = makedev(raw.stx_dev_major, raw.stx_dev_minor),
		.special = makedev(raw.stx_rdev_major, raw.stx_rdev_minor),
		.changed = nanoseconds(raw.stx_mtime), .altered = nanoseconds(raw.stx_ctime),
		.born = raw.stx_mask & STATX_BTIME ? nanoseconds(raw.stx_btime) : INT64_MIN,
	};
	return 0;
}

int ad_open_plain(int folder, const char *name, int directory) {
	int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC
		| (directory ? O_DIRECTORY : 0);
	int fd = openat(folder, name, flags | O_NOATIME);
	// Only the owner and CAP_FOWNER may leave the access time alone.
	return fd < 0 && errno == EPERM ? openat(folder, name, flags) : fd;
}

ssize_t ad_folder_entries(int folder, void *bytes, size_t size) {
	return syscall(SYS_getdents64, folder, bytes, size);
}

// The kernel has no lgetxattr relative to a folder before 6.13: /proc leads there.
static int by_proc(int fd, const char *name, char *path, size_t size) {
	int length = snprintf(path, size, "/proc/self/fd/%d/%s", fd, name);
	if (length > 0 && (size_t)length < size) return 0;
	errno = ENAMETOOLONG;
	return -1;
}

ssize_t ad_attribute_names(int fd, const char *name, char *bytes, size_t size) {
	if (!*name) return flistxattr(fd, bytes, size);
	char path[NAME_MAX + 64];
	return by_proc(fd, name, path, sizeof path) ? -1 : llistxattr(path, bytes, size);
}

ssize_t ad_attribute(int fd, const char *name, const char *attribute, void *bytes, size_t size) {
	if (!*name) return fgetxattr(fd, attribute, bytes, size);
	char path[NAME_MAX + 64];
	return by_proc(fd, name, path, sizeof path) ? -1 : lgetxattr(path, attribute, bytes, size);
}

int ad_inode_flags(int fd, uint32_t *flags) {
	// The kernel writes an int, whatever the type in the number says.
	int raw = 0;
	if (ioctl(fd, FS_IOC_GETFLAGS, &raw) != 0) return -1;
	*flags = (uint32_t)raw;
	return 0;
}

ssize_t ad_verity_digest(int fd, uint16_t *algorithm, uint8_t *bytes, size_t size) {
	union { struct fsverity_digest head; uint8_t room[sizeof(struct fsverity_digest) + 64]; } raw;
	raw.head.digest_size = 64;
	if (ioctl(fd, FS_IOC_MEASURE_VERITY, &raw.head) != 0) return -1;
	size_t length = raw.head.digest_size;
	if (length > size) { errno = EOVERFLOW; return -1; }
	*algorithm = raw.head.digest_algorithm;
	memcpy(bytes, raw.head.digest, length);
	return (ssize_t)length;
}

int ad_file_system(int fd, int64_t *magic) {
	struct statfs raw;
	if (fstatfs(fd, &raw) != 0) return -1;
	*magic = (int64_t)raw.f_type;
	return 0;
}
