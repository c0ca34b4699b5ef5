// What a file is, asked of the folder it is in: no path is resolved, no link followed.
// Every function returns -1 and sets errno on failure unless it says otherwise.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#pragma clang assume_nonnull begin

typedef struct {
	uint32_t mode, user, group, links;
	uint64_t size, inode, device, special;	// special: of a device file, the device it stands for
	int64_t changed, altered, born;	// mtime, ctime and btime in ns since 1970; born: INT64_MIN unknown
} ad_file_facts;

// `name` in `folder`; of `folder` itself where it is empty. The corresponding call is `statx`.
int ad_file_facts_at(int folder, const char *name, ad_file_facts *facts);
// Reading only, never following a link, waiting for a FIFO or touching the access time.
int ad_open_plain(int folder, const char *name, int directory);
// Raw entries as getdents64 gives them.
ssize_t ad_folder_entries(int folder, void *bytes, size_t size);
// Extended attributes of an open file (name ""), or of one in a folder, by /proc/self/fd.
ssize_t ad_attribute_names(int fd, const char *name, char *bytes, size_t size);
ssize_t ad_attribute(int fd, const char *name, const char *attribute, void *bytes, size_t size);
int ad_inode_flags(int fd, uint32_t *flags);	// FS_IOC_GETFLAGS
// The fs-verity digest; its length, and the algorithm's number. ENODATA: the file has none.
ssize_t ad_verity_digest(int fd, uint16_t *algorithm, uint8_t *bytes, size_t size);
int ad_file_system(int fd, int64_t *magic);	// statfs

#pragma clang assume_nonnull end
