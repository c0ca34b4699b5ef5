// Between clone and exec: what the two ways to a child share.
#pragma once
#include "spawn.h"

enum stage {
	CLONE, READ, ALLOW, MOVE, OPEN, LIMITS, BOUND, GROUPS, GROUP, USER, KEEP, NO_NEW, LANDLOCK, EXEC
};

struct start {
	const char *path;
	char *const *argv, *const *envp;
	int fd[4];
	const ad_confinement *confinement;
	unsigned long slack;
	volatile int stage, error;
};

// Becomes the program. Returns only when it could not: the stage and the error say why.
void ad_become_program(struct start *s);
void ad_set_oom_score(int score);	// of the calling process

int ad_become_capable(uint64_t only);	// permitted, effective, inheritable and ambient
int ad_drop_bounding(uint64_t kept);	// all others
