// Messages into a stream of JetStream through libnats, for one thread: everything here waits.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

typedef struct np_client np_client;

// How servers are reached; NULL for what is not set.
typedef struct {
	const char *_Nonnull const *_Nonnull servers;
	int server_count;
	const char *_Nullable name;
	const char *_Nullable user;
	const char *_Nullable password;
	const char *_Nullable token;
	// A file with a user's JWT and seed.
	const char *_Nullable credentials;
	bool secure;
	const char *_Nullable authorities;
	const char *_Nullable certificate;
	const char *_Nullable key;
	int64_t connect_milliseconds;
	// For an answer.
	int64_t answer_milliseconds;
} np_settings;

enum { NP_WHY = 256 };

typedef struct {
	// Whether what was asked for is done.
	bool done;
	// Whether the connection still serves; if not, the next call of np_open makes another.
	bool connected;
	// Of libnats and of JetStream; 0 for none.
	int status;
	int code;
	char why[NP_WHY];
} np_answer;

// It was not sent; nobody said anything of it; it is stored; it was before; not now; never.
enum { NP_UNSENT, NP_UNKNOWN, NP_STORED, NP_DUPLICATE, NP_LATER, NP_REFUSED };

// What became of a message.
typedef struct {
	int outcome;
	// Where it is stored.
	uint64_t sequence;
} np_result;

// Where a message stands in a buffer: two texts that end with 0, and its body.
typedef struct {
	size_t subject;
	size_t id;
	size_t body;
	size_t size;
} np_place;

// A stream, as it is or as it shall be; times in nanoseconds, 0 or less for no bound.
typedef struct {
	bool exists;
	int64_t window;
	int64_t max_age;
	int64_t max_bytes;
	int64_t replicas;
	bool takes_subject;
	bool discards_new;
} np_stream;

// What it points to is copied. NULL when there is no memory.
np_client *_Nullable np_new(const np_settings *settings);
// May be called from another thread. np_publish then returns soon, or when a write that the server does
// not take has lasted as long as an answer may take; every other call takes the time that it takes.
void np_stop(np_client *client);
// Makes a connection if there is none. Waits as long as a connection may take, for each server.
np_answer np_open(np_client *client);
void np_close(np_client *client);
// Publishes messages and waits for the stream's word on each; ends when none comes for as long as an
// answer may take. Where one is not done, the connection is of no use any more. The answer's text is
// of the first message that is neither stored nor refused.
np_answer np_publish(
	np_client *client, const char *stream, const uint8_t *bytes, const np_place *places,
	np_result *results, size_t count);
// When the stream has stored the last message of a subject, which may have wildcards; 0 for never.
np_answer np_last(np_client *client, const char *stream, const char *subject, int64_t *time);
// The ids of a subject's messages from a time on, oldest first, each given to `take`.
np_answer np_tail(
	np_client *client, const char *stream, const char *subject, int64_t since,
	void (*take)(const char *id, void *_Nullable context), void *_Nullable context);
// Whether the message with that number has that id.
np_answer np_find(np_client *client, const char *stream, uint64_t sequence, const char *id);
np_answer np_look(np_client *client, const char *stream, const char *subject, np_stream *found);
np_answer np_make(np_client *client, const char *stream, const char *subject, const np_stream *wanted);
// Makes the window of one that is there that long, and nothing else.
np_answer np_widen(np_client *client, const char *stream, int64_t window);

#pragma clang assume_nonnull end
