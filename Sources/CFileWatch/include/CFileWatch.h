// Events of files from the kernel: fanotify for whole file systems, inotify for folders. Nothing
// here asks for permission events: nobody is ever held up.
// Every function returns -1 and sets errno on failure unless it says otherwise.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "audit_rules.h"

#pragma clang assume_nonnull begin

// What happened; a mask, since events of one file are joined.
enum {
	fw_content = 1,		// written
	fw_closed = 2,		// closed by one who could write
	fw_attributes = 4,
	fw_arrived = 8,		// made, or moved here
	fw_left = 16,		// removed, or moved away
	fw_folder = 32,		// what it happened to is a folder
	fw_overflow = 64,	// events were lost; nothing else is set
};

// In the place of a process's descriptor: it is gone; there can be none now; the kernel gives none.
enum { fw_gone = -1, fw_pidfd_failed = -2, fw_no_pidfd = -3 };

// An event as places in the buffer that it was read into.
typedef struct {
	uint32_t what;
	int32_t pid;		// 0: not known
	int32_t pidfd;		// of that process, for whoever takes the event to close; or one of those below
	uint32_t key, key_count;	// the folder: as fw_handle gives it, or inotify's number in 4 bytes
	uint32_t name, name_count;	// 0: the folder itself
} fw_event;

int fw_fanotify(void);	// non-blocking; needs CAP_SYS_ADMIN
int fw_is_reaped(int pidfd);	// whether its number may be another process's by now
int fw_mark_file_system(int fd, const char *path);
int fw_mark_folder(int fd, const char *path);	// and what is in it, without subfolders
// The folder's identity: fsid and handle, as in an event. How many bytes.
ssize_t fw_handle(const char *path, void *bytes, size_t size);
int fw_inotify(void);	// non-blocking
int fw_watch(int fd, const char *path);	// inotify's number of the folder

// Takes the events out of what was read. How many; those of which the bytes make no sense are left out.
int fw_fanotify_events(const void *bytes, size_t count, fw_event *events, int capacity);
int fw_inotify_events(const void *bytes, size_t count, fw_event *events, int capacity);

#pragma clang assume_nonnull end
