// A small process that starts others for its parent, which so touches none of their paths.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "spawn.h"

#pragma clang assume_nonnull begin

enum { AD_START_MAX = 128 << 10 };	// bytes of a request

// A request is one message with four descriptors: the program's 0, 1 and 2, and one end of a socket
// for messages, over which the parent and the child speak; and a fifth where the program has a 3. Behind the head, without padding: the
// groups; the path, the arguments with the program's name, the variables, each with its NUL; and the
// rules of landlock, each its rights and a path with its NUL.
typedef struct {
	uint64_t number;	// the answer has it
	ad_confinement confinement;	// without its pointer to the groups, and its ruleset
	uint64_t handled, scoped;	// of landlock; 0: no rules
	uint32_t arguments, variables, rules;
} ad_start_head;

// What the starter answers at once, with the child's pidfd.
typedef struct {
	uint64_t number;
	int32_t pid;	// a child of the starter's parent; -1: there is none
	int32_t error;
} ad_start_answer;

// What the child says that could not become the program. One that could says nothing: its end closes.
typedef struct {
	int32_t stage, error;	// as ad_child has them
	int32_t rule;	// the rule of landlock whose path could not be opened; -1: it was none
	// What the child found that could not execute the file: its first bytes, as far as it may read them
	// (-1: not at all), and what the interpreter is that they name: errno, or 0 and its mode.
	int32_t head_count, interpreter_error;
	uint32_t interpreter_mode;
	char head[256];
} ad_start_report;

// Whether a request is whole: every count is of what is there, and nothing follows. For tests.
bool ad_start_is_whole(const void *bytes, size_t count);

// Serves requests until the other end is closed, and ends: the calling process keeps nothing but that
// socket, and answers to no signal.
//
// The child waits for one byte before it touches a path, and ends when the other end of its socket
// closes instead.
void ad_serve_starts(int channel) __attribute__((noreturn));

// 1: an answer, with the child's pidfd or -1; 0: none yet; -1: the starter is gone.
int ad_start_answered(int channel, ad_start_answer *answer, int *pidfd);
int ad_start_go(int report);	// the child may go on
// 1: it could not; 0: nothing yet; -1: its end is closed.
int ad_start_reported(int report, ad_start_report *what);

#pragma clang assume_nonnull end
