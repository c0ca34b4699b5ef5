#include "CHTTPClient.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

struct transfer {
	CURL *easy;
	struct curl_slist *headers;
	uint8_t *body;
	size_t body_size;
	uint8_t *answer;
	size_t size, room, limit;
	// How often the request was about to be sent.
	int times;
	uint64_t number;
	CURLcode code;
	char why[CURL_ERROR_SIZE];
	struct transfer *next;
};

struct hc_engine {
	CURLM *multi;
	hc_settings settings;
	// Handles that wait for their next request, so that connections and sessions are kept.
	struct transfer *idle;
	// Those that have come to their end, oldest first.
	struct transfer *done;
	// The one whose answer was given out last.
	struct transfer *given;
};

static char *copy(const char *text) { return text ? strdup(text) : NULL; }

static void reset(struct transfer *transfer)
{
	curl_slist_free_all(transfer->headers);
	free(transfer->body);
	free(transfer->answer);
	transfer->headers = NULL;
	transfer->body = transfer->answer = NULL;
	transfer->body_size = transfer->size = transfer->room = 0;
	transfer->times = 0;
	transfer->why[0] = 0;
}

static void discard(struct transfer *transfer)
{
	reset(transfer);
	curl_easy_cleanup(transfer->easy);
	free(transfer);
}

hc_engine *hc_new(const hc_settings *settings)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
	hc_engine *engine = calloc(1, sizeof *engine);
	if (!engine) return NULL;
	engine->multi = curl_multi_init();
	engine->settings = (hc_settings){
		.authorities = copy(settings->authorities),
		.certificate = copy(settings->certificate),
		.key = copy(settings->key),
		.proxy = copy(settings->proxy),
		.no_proxy = copy(settings->no_proxy),
		.agent = copy(settings->agent),
		.connect_milliseconds = settings->connect_milliseconds,
	};
	if (engine->multi) return engine;
	hc_free(engine);
	return NULL;
}

void hc_free(hc_engine *engine)
{
	// Requests that are under way are taken out by libcurl; their memory goes with the process.
	if (engine->given) discard(engine->given);
	while (engine->done) {
		struct transfer *next = engine->done->next;
		discard(engine->done);
		engine->done = next;
	}
	while (engine->idle) {
		struct transfer *next = engine->idle->next;
		discard(engine->idle);
		engine->idle = next;
	}
	if (engine->multi) curl_multi_cleanup(engine->multi);
	free((char *)engine->settings.authorities);
	free((char *)engine->settings.certificate);
	free((char *)engine->settings.key);
	free((char *)engine->settings.proxy);
	free((char *)engine->settings.no_proxy);
	free((char *)engine->settings.agent);
	free(engine);
}

static size_t take(char *bytes, size_t one, size_t count, void *context)
{
	(void)one;
	struct transfer *transfer = context;
	if (count > transfer->limit - transfer->size) return 0;
	if (transfer->size + count > transfer->room) {
		size_t room = transfer->room ? transfer->room * 2 : 16384;
		while (room < transfer->size + count) room *= 2;
		uint8_t *grown = realloc(transfer->answer, room);
		if (!grown) return 0;
		transfer->answer = grown;
		transfer->room = room;
	}
	memcpy(transfer->answer + transfer->size, bytes, count);
	transfer->size += count;
	return count;
}

// libcurl sends a request again by itself when a connection that it had kept turns out to be dead.
// The host may have done it all the same, so that is for the caller to decide.
static int about_to_send(void *context, char *peer, char *own, int peer_port, int own_port)
{
	(void)peer, (void)own, (void)peer_port, (void)own_port;
	struct transfer *transfer = context;
	return transfer->times++ == 0 ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

static bool compress_body(struct transfer *transfer, const hc_request *request)
{
	z_stream stream = {0};
	// 16: with the frame of gzip.
	if (deflateInit2(&stream, request->compression, Z_DEFLATED, 15 + 16, 8,
			Z_DEFAULT_STRATEGY) != Z_OK)
		return false;
	size_t room = deflateBound(&stream, request->size);
	transfer->body = malloc(room);
	stream.next_in = (Bytef *)request->body;
	stream.avail_in = (uInt)request->size;
	stream.next_out = transfer->body;
	stream.avail_out = (uInt)room;
	bool done = transfer->body && deflate(&stream, Z_FINISH) == Z_STREAM_END;
	transfer->body_size = stream.total_out;
	deflateEnd(&stream);
	return done;
}

static bool set_body(struct transfer *transfer, const hc_request *request)
{
	// What is short, or beyond what zlib counts, goes as it is.
	if (request->compression > 0 && request->size > 1024 && request->size < UINT32_MAX / 2) {
		struct curl_slist *headers =
			curl_slist_append(transfer->headers, "Content-Encoding: gzip");
		if (!headers) return false;
		transfer->headers = headers;
		return compress_body(transfer, request);
	}
	transfer->body = malloc(request->size ? request->size : 1);
	if (!transfer->body) return false;
	if (request->size) memcpy(transfer->body, request->body, request->size);
	transfer->body_size = request->size;
	return true;
}

static bool set_headers(struct transfer *transfer, const hc_request *request)
{
	// The empty one: no waiting for "100 Continue".
	transfer->headers = curl_slist_append(NULL, "Expect:");
	for (const char *const *line = request->headers; transfer->headers && *line; line++) {
		struct curl_slist *longer = curl_slist_append(transfer->headers, *line);
		if (!longer) return false;
		transfer->headers = longer;
	}
	return transfer->headers != NULL;
}

static void set_options(hc_engine *engine, struct transfer *transfer, const hc_request *request)
{
	const hc_settings *settings = &engine->settings;
	CURL *easy = transfer->easy;
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->why);
	curl_easy_setopt(easy, CURLOPT_URL, request->url);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, settings->agent);
	curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
	if (strcmp(request->method, "HEAD") == 0) curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
	if (request->body) {
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)transfer->body_size);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, transfer->body);
	}
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->headers);
	curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, about_to_send);
	curl_easy_setopt(easy, CURLOPT_PREREQDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, request->milliseconds);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, settings->connect_milliseconds);
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (settings->authorities) {
		curl_easy_setopt(easy, CURLOPT_CAINFO, settings->authorities);
		// Those of the host are in a folder beside, which would count, too.
		curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	}
	if (settings->certificate) curl_easy_setopt(easy, CURLOPT_SSLCERT, settings->certificate);
	if (settings->key) curl_easy_setopt(easy, CURLOPT_SSLKEY, settings->key);
	// An empty one: none, also where the environment names one.
	curl_easy_setopt(easy, CURLOPT_PROXY, settings->proxy ? settings->proxy : "");
	if (settings->no_proxy) curl_easy_setopt(easy, CURLOPT_NOPROXY, settings->no_proxy);
}

bool hc_begin(hc_engine *engine, const hc_request *request)
{
	struct transfer *transfer = engine->idle;
	if (transfer) {
		engine->idle = transfer->next;
	} else {
		transfer = calloc(1, sizeof *transfer);
		if (!transfer) return false;
		transfer->easy = curl_easy_init();
		if (!transfer->easy) {
			free(transfer);
			return false;
		}
	}
	curl_easy_reset(transfer->easy);
	transfer->number = request->number;
	transfer->limit = request->answer_limit;
	if (!set_headers(transfer, request) || (request->body && !set_body(transfer, request))) {
		discard(transfer);
		return false;
	}
	set_options(engine, transfer, request);
	if (curl_multi_add_handle(engine->multi, transfer->easy) == CURLM_OK) return true;
	discard(transfer);
	return false;
}

// Notes what has come to its end.
static void collect(hc_engine *engine)
{
	int count;
	curl_multi_perform(engine->multi, &count);
	CURLMsg *message;
	while ((message = curl_multi_info_read(engine->multi, &count))) {
		if (message->msg != CURLMSG_DONE) continue;
		struct transfer *transfer;
		CURL *easy = message->easy_handle;
		CURLcode code = message->data.result;
		curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&transfer);
		transfer->code = code;
		curl_multi_remove_handle(engine->multi, easy);
		struct transfer **last = &engine->done;
		while (*last) last = &(*last)->next;
		transfer->next = NULL;
		*last = transfer;
	}
}

void hc_run(hc_engine *engine, int wake, int milliseconds)
{
	collect(engine);
	if (engine->done) return;
	struct curl_waitfd waited = {.fd = wake, .events = CURL_WAIT_POLLIN};
	curl_multi_poll(engine->multi, &waited, 1, milliseconds, NULL);
	collect(engine);
}

bool hc_next(hc_engine *engine, hc_answer *answer)
{
	if (engine->given) {
		reset(engine->given);
		engine->given->next = engine->idle;
		engine->idle = engine->given;
		engine->given = NULL;
	}
	struct transfer *transfer = engine->done;
	if (!transfer) return false;
	engine->done = transfer->next;
	engine->given = transfer;
	long status = 0;
	curl_off_t retry_after = 0;
	curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(transfer->easy, CURLINFO_RETRY_AFTER, &retry_after);
	bool failed = transfer->code != CURLE_OK;
	if (failed && !transfer->why[0])
		strncpy(transfer->why, curl_easy_strerror(transfer->code), CURL_ERROR_SIZE - 1);
	*answer = (hc_answer){
		.number = transfer->number,
		.status = failed ? 0 : status,
		.may_have_arrived = transfer->times > 0,
		.retry_after = retry_after,
		.body = transfer->answer,
		.size = transfer->size,
		.why = transfer->why,
		.sent = transfer->body_size,
	};
	return true;
}
