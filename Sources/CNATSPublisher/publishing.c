// Messages into a stream, and its word on each.
#define _GNU_SOURCE
#include "client.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

// A batch under way. libnats answers on threads of its own, and may still do so when a connection is
// closed: those answers find no batch of their connection's number any more, and touch nothing.
typedef struct np_batch {
	struct np_batch *following;
	uint64_t connection;
	const uint8_t *bytes;
	const np_place *places;
	np_result *results;
	size_t count, next, settled;
	char why[NP_WHY];
} np_batch;

// All batches under way, one for each client that publishes.
static struct {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	np_batch *first;
} batches = { .mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

static void begin(np_batch *batch)
{
	pthread_mutex_lock(&batches.mutex);
	batch->following = batches.first;
	batches.first = batch;
	pthread_mutex_unlock(&batches.mutex);
}

// The mutex is held.
static void end(np_batch *batch)
{
	np_batch **at = &batches.first;
	while (*at != batch) at = &(*at)->following;
	*at = batch->following;
}

// The mutex is held.
static np_batch *batch_of(uint64_t connection)
{
	np_batch *batch = batches.first;
	while (batch && batch->connection != connection) batch = batch->following;
	return batch;
}

// The mutex is held.
static void settle(np_batch *batch, size_t at, np_result result)
{
	batch->results[at] = result;
	batch->settled++;
	while (batch->next < batch->count && batch->results[batch->next].outcome > NP_UNKNOWN)
		batch->next++;
}

// Errors that a message has for ever: it is too large, with or without its header (10097).
static bool is_final(natsStatus status, int code)
{
	return status == NATS_MAX_PAYLOAD || code == JSStreamMessageExceedsMaximumErr || code == 10097;
}

void np_take_ack(jsCtx *js, natsMsg *message, jsPubAck *ack, jsPubAckErr *error, void *closure)
{
	(void)js;
	const char *id = NULL;
	natsMsgHeader_Get(message, "Nats-Msg-Id", &id);
	pthread_mutex_lock(&batches.mutex);
	np_batch *batch = id ? batch_of((uint64_t)(uintptr_t)closure) : NULL;
	for (size_t at = batch ? batch->next : 0; batch && at < batch->count; at++) {
		if (batch->results[at].outcome != NP_UNKNOWN) continue;
		if (strcmp((const char *)batch->bytes + batch->places[at].id, id)) continue;
		np_result result = { .outcome = NP_LATER };
		if (ack) {
			result.outcome = ack->Duplicate ? NP_DUPLICATE : NP_STORED;
			result.sequence = ack->Sequence;
		} else if (error) {
			if (is_final(error->Err, (int)error->ErrCode))
				result.outcome = NP_REFUSED;
			else if (!batch->why[0])
				np_put(batch->why, error->ErrText ? error->ErrText : natsStatus_GetText(error->Err));
		}
		settle(batch, at, result);
		pthread_cond_broadcast(&batches.changed);
		break;
	}
	pthread_mutex_unlock(&batches.mutex);
	natsMsg_Destroy(message);
}

static int64_t now_milliseconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

// Sends what is to be sent; how many messages that were, or were refused at once.
static size_t send_all(
	np_client *client, const char *stream, np_batch *batch, natsStatus *status)
{
	jsPubOptions options;
	jsPubOptions_Init(&options);
	options.ExpectStream = stream;
	for (size_t at = 0; at < batch->count; at++) {
		if (np_is_stopped(client)) return at;
		const char *subject = (const char *)batch->bytes + batch->places[at].subject;
		options.MsgId = (const char *)batch->bytes + batch->places[at].id;
		natsMsg *message = NULL;
		pthread_mutex_lock(&batches.mutex);
		batch->results[at].outcome = NP_UNKNOWN;
		pthread_mutex_unlock(&batches.mutex);
		*status = natsMsg_Create(&message, subject, NULL,
			(const char *)batch->bytes + batch->places[at].body, (int)batch->places[at].size);
		if (!*status) *status = js_PublishMsgAsync(client->stream, &message, &options);
		natsMsg_Destroy(message);
		if (*status == NATS_MAX_PAYLOAD) {
			pthread_mutex_lock(&batches.mutex);
			settle(batch, at, (np_result){ .outcome = NP_REFUSED });
			pthread_mutex_unlock(&batches.mutex);
			*status = NATS_OK;
		}
		if (*status) return at;
	}
	return batch->count;
}

np_answer np_publish(
	np_client *client, const char *stream, const uint8_t *bytes, const np_place *places,
	np_result *results, size_t count)
{
	memset(results, 0, count * sizeof *results);
	np_batch batch = {
		.connection = client->number, .bytes = bytes, .places = places, .results = results,
		.count = count,
	};
	begin(&batch);

	natsStatus status = NATS_OK;
	size_t sent = send_all(client, stream, &batch, &status);

	pthread_mutex_lock(&batches.mutex);
	size_t before = batch.settled;
	int64_t since = now_milliseconds();
	while (batch.settled < sent && !np_is_stopped(client) && np_is_connected(client)) {
		if (batch.settled > before) {
			before = batch.settled;
			since = now_milliseconds();
		}
		if (now_milliseconds() - since >= client->settings.answer_milliseconds) break;
		struct timespec until;
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += 20000000;
		if (until.tv_nsec >= 1000000000) {
			until.tv_nsec -= 1000000000;
			until.tv_sec++;
		}
		pthread_cond_timedwait(&batches.changed, &batches.mutex, &until);
	}
	bool is_whole = batch.settled == count;
	end(&batch);
	pthread_mutex_unlock(&batches.mutex);

	bool was_connected = np_is_connected(client);
	if (!is_whole && !status)
		status = was_connected ? NATS_TIMEOUT : NATS_CONNECTION_DISCONNECTED;
	np_answer result = np_say(client, is_whole ? NATS_OK : status, 0);
	if (is_whole) np_put(result.why, batch.why);
	// Messages without an answer would wait in libnats for one for ever.
	if (!is_whole) result.connected = false;
	return result;
}
