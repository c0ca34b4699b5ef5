// Accounts for a test, in place of the host's: this process's getpwuid and
// getgrgid are ours, and libauparse's calls with them. Only the thread that
// sets accounts sees them; every other, and every other call, asks the host.
#pragma once
#include <sys/types.h>

#pragma clang assume_nonnull begin

// From now on this thread knows only what it adds.
void accounts_begin(void);
void accounts_set_user(unsigned id, const char *_Nullable name);	// NULL: there is none
void accounts_set_group(unsigned id, const char *_Nullable name);
// From now on this thread asks the host again.
void accounts_end(void);
// How often this thread asked since accounts_begin.
int accounts_questions(void);

#pragma clang assume_nonnull end
