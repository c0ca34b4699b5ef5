#include "CFileWatch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

static const uint64_t wanted = FAN_MODIFY | FAN_CLOSE_WRITE | FAN_ATTRIB | FAN_CREATE | FAN_DELETE
	| FAN_MOVED_FROM | FAN_MOVED_TO | FAN_ONDIR;

int fw_fanotify(void) {
	const unsigned flags = FAN_CLASS_NOTIF | FAN_CLOEXEC | FAN_NONBLOCK | FAN_REPORT_DFID_NAME;
	const unsigned kind = O_RDONLY | O_CLOEXEC | O_LARGEFILE;
	// Since Linux 5.15.
	int fd = fanotify_init(flags | FAN_REPORT_PIDFD, kind);
	return fd < 0 && errno == EINVAL ? fanotify_init(flags, kind) : fd;
}

int fw_is_reaped(int pidfd) {
	return syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0) && errno == ESRCH;
}

int fw_mark_file_system(int fd, const char *path) {
	return fanotify_mark(fd, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, wanted, AT_FDCWD, path);
}

int fw_mark_folder(int fd, const char *path) {
	return fanotify_mark(fd, FAN_MARK_ADD | FAN_MARK_ONLYDIR | FAN_MARK_DONT_FOLLOW,
		wanted | FAN_EVENT_ON_CHILD, AT_FDCWD, path);
}

ssize_t fw_handle(const char *path, void *bytes, size_t size) {
	union { struct file_handle head; char room[sizeof(struct file_handle) + MAX_HANDLE_SZ]; } raw;
	struct statfs system;
	int mount;
	raw.head.handle_bytes = MAX_HANDLE_SZ;
	if (name_to_handle_at(AT_FDCWD, path, &raw.head, &mount, 0) || statfs(path, &system)) return -1;
	// As it stands in an event: fsid, count, type, bytes.
	size_t handle = sizeof raw.head + raw.head.handle_bytes;
	if (sizeof system.f_fsid + handle > size) { errno = EOVERFLOW; return -1; }
	memcpy(bytes, &system.f_fsid, sizeof system.f_fsid);
	memcpy((char *)bytes + sizeof system.f_fsid, &raw, handle);
	return (ssize_t)(sizeof system.f_fsid + handle);
}

int fw_inotify(void) { return inotify_init1(IN_NONBLOCK | IN_CLOEXEC); }

int fw_watch(int fd, const char *path) {
	return inotify_add_watch(fd, path, IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB | IN_CREATE | IN_DELETE
		| IN_MOVED_FROM | IN_MOVED_TO | IN_ONLYDIR | IN_DONT_FOLLOW);
}

// The masks of both have the same bits for what both have.
static uint32_t what(uint64_t mask) {
	uint32_t found = 0;
	if (mask & FAN_MODIFY) found |= fw_content;
	if (mask & FAN_CLOSE_WRITE) found |= fw_closed;
	if (mask & FAN_ATTRIB) found |= fw_attributes;
	if (mask & (FAN_CREATE | FAN_MOVED_TO)) found |= fw_arrived;
	if (mask & (FAN_DELETE | FAN_MOVED_FROM)) found |= fw_left;
	if (mask & FAN_ONDIR) found |= fw_folder;
	return found;
}

_Static_assert(FAN_MODIFY == IN_MODIFY && FAN_CLOSE_WRITE == IN_CLOSE_WRITE && FAN_ATTRIB == IN_ATTRIB
	&& FAN_CREATE == IN_CREATE && FAN_DELETE == IN_DELETE && FAN_MOVED_FROM == IN_MOVED_FROM
	&& FAN_MOVED_TO == IN_MOVED_TO && FAN_ONDIR == IN_ISDIR, "bits of the masks");

// The folder's handle, and a name behind it that ends with NUL; what is no such record has no key.
static void place(const char *bytes, size_t at, size_t end, uint8_t type, fw_event *event) {
	struct file_handle handle;
	size_t fsid = at + sizeof(struct fanotify_event_info_header), kind = fsid + 8;
	size_t data = kind + sizeof handle;
	if (data > end) return;
	memcpy(&handle, bytes + kind, sizeof handle);
	if (handle.handle_bytes > end - data) return;
	event->key = (uint32_t)fsid;
	event->key_count = (uint32_t)(data + handle.handle_bytes - fsid);
	size_t name = data + handle.handle_bytes;
	if (type != FAN_EVENT_INFO_TYPE_DFID_NAME || name >= end) return;
	event->name = (uint32_t)name;
	event->name_count = (uint32_t)strnlen(bytes + name, end - name);
	// "." stands for the folder itself.
	if (event->name_count == 1 && bytes[name] == '.') event->name_count = 0;
}

// The information records of an event.
static void information(const char *bytes, size_t at, size_t end, fw_event *event) {
	struct fanotify_event_info_header head;
	while (at + sizeof head <= end) {
		memcpy(&head, bytes + at, sizeof head);
		if (head.len < sizeof head || at + head.len > end) return;
		switch (head.info_type) {
		case FAN_EVENT_INFO_TYPE_DFID_NAME:
		case FAN_EVENT_INFO_TYPE_DFID:
			place(bytes, at, at + head.len, head.info_type, event);
			break;
		case FAN_EVENT_INFO_TYPE_PIDFD:
			if (sizeof head + sizeof event->pidfd <= head.len)
				memcpy(&event->pidfd, bytes + at + sizeof head, sizeof event->pidfd);
			break;
		}
		at += head.len;
	}
}

int fw_fanotify_events(const void *bytes, size_t count, fw_event *events, int capacity) {
	int found = 0;
	size_t at = 0;
	struct fanotify_event_metadata head;
	while (found < capacity && at + sizeof head <= count) {
		memcpy(&head, (const char *)bytes + at, sizeof head);
		if (head.event_len < sizeof head || at + head.event_len > count) break;
		if (head.fd >= 0) close(head.fd);
		fw_event event = {.pid = head.pid, .pidfd = fw_no_pidfd};
		if (head.mask & FAN_Q_OVERFLOW) {
			event.what = fw_overflow;
			events[found++] = event;
		} else if (head.vers == FANOTIFY_METADATA_VERSION) {
			event.what = what(head.mask);
			information(bytes, at + head.metadata_len, at + head.event_len, &event);
			if (event.key_count > 0) events[found++] = event;
			else if (event.pidfd >= 0) close(event.pidfd);
		}
		at += head.event_len;
	}
	return found;
}

int fw_inotify_events(const void *bytes, size_t count, fw_event *events, int capacity) {
	int found = 0;
	size_t at = 0;
	struct inotify_event head;
	while (found < capacity && at + sizeof head <= count) {
		memcpy(&head, (const char *)bytes + at, sizeof head);
		if (head.len > count - at - sizeof head) break;
		fw_event event = {.pidfd = fw_no_pidfd};
		event.what = head.mask & IN_Q_OVERFLOW ? fw_overflow : what(head.mask);
		if (event.what != fw_overflow) {
			event.key = (uint32_t)(at + offsetof(struct inotify_event, wd));
			event.key_count = sizeof head.wd;
			event.name = (uint32_t)(at + sizeof head);
			event.name_count = head.len ? (uint32_t)strnlen((const char *)bytes + event.name, head.len) : 0;
		}
		if (event.what) events[found++] = event;
		at += sizeof head + head.len;
	}
	return found;
}
