// HTTP requests through libcurl, several at a time, for one thread.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

typedef struct hc_engine hc_engine;

// How hosts are talked to; NULL for what is not set.
typedef struct {
	// Files: whose signature a host's certificate needs (NULL: those that this host trusts), and
	// our own certificate with its key.
	const char *_Nullable authorities;
	const char *_Nullable certificate;
	const char *_Nullable key;
	// Through which proxy (NULL: none, whatever the environment says), and which hosts without it.
	const char *_Nullable proxy;
	const char *_Nullable no_proxy;
	const char *_Nullable agent;
	long connect_milliseconds;
} hc_settings;

typedef struct {
	// What the answer is told apart by.
	uint64_t number;
	const char *_Nullable method;
	const char *_Nullable url;
	// Lines, ending with NULL.
	const char *_Nullable const *_Nullable headers;
	const uint8_t *_Nullable body;
	size_t size;
	// 1 to 9: the body is compressed, and says so. 0: it is not.
	int compression;
	long milliseconds;
	// Bytes of an answer that are taken; a longer one is a failure.
	size_t answer_limit;
} hc_request;

typedef struct {
	uint64_t number;
	// Of HTTP; 0 when there is no answer, with the reason in `why`.
	long status;
	// Whether the host may have got the request.
	bool may_have_arrived;
	// Seconds of Retry-After; 0 without it.
	int64_t retry_after;
	// Valid until the next call.
	const uint8_t *_Nullable body;
	size_t size;
	const char *_Nullable why;
	// Bytes that were sent as the body.
	size_t sent;
} hc_answer;

// NULL when there is no memory.
hc_engine *_Nullable hc_new(const hc_settings *settings);
// May wait for names that are being looked up.
void hc_free(hc_engine *engine);
// Begins a request; what it points to need not stay. False when there is no memory.
bool hc_begin(hc_engine *engine, const hc_request *request);
// Goes on with all requests; waits so long at most for something to do, or for `wake` to be
// readable.
void hc_run(hc_engine *engine, int wake, int milliseconds);
// The next request that is done; false when there is none.
bool hc_next(hc_engine *engine, hc_answer *answer);

#pragma clang assume_nonnull end
