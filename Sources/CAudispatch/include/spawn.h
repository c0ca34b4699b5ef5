// Starting a child, and what it is kept from.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#pragma clang assume_nonnull begin

typedef struct {
	int stage;	// for ad_spawn_stage, when it failed
	int error;	// errno of that stage
	pid_t pid;
	int pidfd;
} ad_child;

// What a child gives up before exec. All of it was looked up before: the child only applies it.
typedef struct {
	bool sets_user, sets_group, sets_groups;
	uid_t user;
	gid_t group;
	const gid_t *_Nullable groups;
	size_t group_count;
	bool sets_capabilities;	// permitted, effective, inheritable and ambient become `capabilities`
	bool sets_bounding;	// and nothing else can be had again
	uint64_t capabilities;	// bit N is capability N
	bool no_new_privileges;
	// Of files, processes, address space and core, soft and hard; -1: as they are.
	int64_t limits[4];
	int ruleset;	// of landlock; -1: none
	// oom_score_adj 0, whatever the parent's is. The timer slack is the usual one in any case.
	bool ordinary;
} ad_confinement;

// Starts a program with `input`, `output`, `error` and, unless it is -1, `extra` as descriptors
// 0 to 3 and nothing else open, every signal at its default and unblocked, nice value 0, in a
// process group of its own. Blocks until exec has happened or failed. -1 and errno on failure.
int ad_spawn_confined(const char *path, char *const _Nullable *_Nonnull argv,
	char *const _Nullable *_Nonnull envp, int input, int output, int error, int extra,
	const ad_confinement *_Nullable confinement, ad_child *child);
const char *ad_spawn_stage(int stage);
// As many descriptors as this process may have; those that it starts get the limit that it had.
void ad_raise_file_limit(void);

// Landlock. Rights are those of landlock(7), by their bits.
int ad_landlock_version(void);	// 0: the kernel has none, or it is off
int ad_landlock_ruleset(uint64_t handled, uint64_t scoped);	// close-on-exec
// Allows these rights below a path, links followed; ENOENT and the like as open(2).
// A path that is no folder gets those of them that a file can have.
int ad_landlock_allow(int ruleset, const char *path, uint64_t rights);

// The calling thread may do no more than the ruleset allows; nothing gives it back.
int ad_landlock_restrict(int ruleset);

// Of the calling thread.
typedef struct { uint64_t permitted, effective; } ad_capabilities;
ad_capabilities ad_own_capabilities(void);
int ad_make_effective(uint64_t kept);	// takes away, never gives
int ad_bound_capabilities(uint64_t kept);	// from every set, the bounding one too
int ad_keep_capabilities(uint64_t kept);	// but for that one; no program gives more (no_new_privs)

#pragma clang assume_nonnull end
