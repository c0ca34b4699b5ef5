#define _GNU_SOURCE
#include "CNATSPublisher.h"

#include <nats/nats.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct np_client {
	np_settings settings;
	natsConnection *connection;
	jsCtx *stream;
	uint64_t number;
	atomic_bool stopped;
};

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

static atomic_uint_least64_t connections;

static char *copy(const char *text) { return text ? strdup(text) : NULL; }

static void put(char *why, const char *text)
{
	strncpy(why, text ? text : "", NP_WHY - 1);
	why[NP_WHY - 1] = 0;
}

// libnats believes the host's authorities, too, which OpenSSL finds by these: where others are given,
// it finds none. For one client at a time.
static void believe_only(const char *authorities)
{
	static const char *const names[] = { "SSL_CERT_FILE", "SSL_CERT_DIR" };
	static char *before[2];
	static bool is_known;
	for (int at = 0; at < 2; at++) {
		if (!is_known) before[at] = copy(getenv(names[at]));
		const char *value = authorities ? "/dev/null" : before[at];
		if (value)
			setenv(names[at], value, 1);
		else
			unsetenv(names[at]);
	}
	is_known = true;
}

np_client *np_new(const np_settings *settings)
{
	believe_only(settings->authorities);
	np_client *client = calloc(1, sizeof *client);
	const char **servers = calloc((size_t)settings->server_count, sizeof *servers);
	if (!client || !servers) {
		free(client);
		free(servers);
		return NULL;
	}
	for (int at = 0; at < settings->server_count; at++) servers[at] = copy(settings->servers[at]);
	client->settings = *settings;
	client->settings.servers = servers;
	client->settings.name = copy(settings->name);
	client->settings.user = copy(settings->user);
	client->settings.password = copy(settings->password);
	client->settings.token = copy(settings->token);
	client->settings.credentials = copy(settings->credentials);
	client->settings.authorities = copy(settings->authorities);
	client->settings.certificate = copy(settings->certificate);
	client->settings.key = copy(settings->key);
	return client;
}

void np_stop(np_client *client) { atomic_store(&client->stopped, true); }
static bool is_stopped(np_client *client) { return atomic_load(&client->stopped); }

static bool is_connected(np_client *client)
{
	return client->connection
		&& natsConnection_Status(client->connection) == NATS_CONN_STATUS_CONNECTED;
}

// The server's own word, where it said one, is better than that of libnats.
static np_answer answer(np_client *client, natsStatus status, jsErrCode code)
{
	np_answer answer = { .done = status == NATS_OK, .status = (int)status, .code = (int)code };
	answer.connected = is_connected(client);
	if (answer.done) return answer;
	const char *said = NULL;
	if (client->connection) natsConnection_GetLastError(client->connection, &said);
	// Whoever may not ask gets no answer, but is told so.
	if (status == NATS_TIMEOUT && !(said && strcasestr(said, "permission"))) answer.connected = false;
	if (!said || !*said) {
		natsStatus last = status;
		said = nats_GetLastError(&last);
		if (last != status || !said || !*said) said = natsStatus_GetText(status);
	}
	put(answer.why, said);
	return answer;
}

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

static void take_ack(jsCtx *js, natsMsg *message, jsPubAck *ack, jsPubAckErr *error, void *closure)
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
				put(batch->why, error->ErrText ? error->ErrText : natsStatus_GetText(error->Err));
		}
		settle(batch, at, result);
		pthread_cond_broadcast(&batches.changed);
		break;
	}
	pthread_mutex_unlock(&batches.mutex);
	natsMsg_Destroy(message);
}

// libnats would print what a server says of its own accord; what matters comes as an answer.
static void ignore(natsConnection *connection, natsSubscription *subscription, natsStatus status, void *closure)
{
	(void)connection, (void)subscription, (void)status, (void)closure;
}

static natsStatus set(natsOptions *options, const np_settings *s)
{
	natsStatus status = natsOptions_SetServers(options, (const char **)s->servers, s->server_count);
	if (!status) status = natsOptions_SetNoRandomize(options, true);
	// Connections are made by np_open alone: whatever was under way on one is then known to be.
	if (!status) status = natsOptions_SetAllowReconnect(options, false);
	if (!status) status = natsOptions_SetTimeout(options, s->connect_milliseconds);
	// A server that takes nothing would hold up whoever writes for ever.
	if (!status) status = natsOptions_SetWriteDeadline(options, s->answer_milliseconds);
	if (!status) status = natsOptions_SetPingInterval(options, 10000);
	if (!status) status = natsOptions_SetErrorHandler(options, ignore, NULL);
	if (!status && s->name) status = natsOptions_SetName(options, s->name);
	if (!status && s->user) status = natsOptions_SetUserInfo(options, s->user, s->password);
	if (!status && s->token) status = natsOptions_SetToken(options, s->token);
	if (!status && s->credentials)
		status = natsOptions_SetUserCredentialsFromFiles(options, s->credentials, NULL);
	if (!status && s->secure) status = natsOptions_SetSecure(options, true);
	if (!status && s->authorities)
		status = natsOptions_LoadCATrustedCertificates(options, s->authorities);
	if (!status && s->certificate)
		status = natsOptions_LoadCertificatesChain(options, s->certificate, s->key);
	return status;
}

np_answer np_open(np_client *client)
{
	if (is_connected(client)) return answer(client, NATS_OK, 0);
	np_close(client);
	natsOptions *options = NULL;
	natsStatus status = natsOptions_Create(&options);
	if (!status) status = set(options, &client->settings);
	if (!status) status = natsConnection_Connect(&client->connection, options);
	natsOptions_Destroy(options);
	client->number = atomic_fetch_add(&connections, 1) + 1;
	if (!status) {
		jsOptions settings;
		jsOptions_Init(&settings);
		settings.Wait = client->settings.answer_milliseconds;
		settings.PublishAsync.AckHandler = take_ack;
		settings.PublishAsync.AckHandlerClosure = (void *)(uintptr_t)client->number;
		status = natsConnection_JetStream(&client->stream, client->connection, &settings);
	}
	np_answer result = answer(client, status, 0);
	if (status) np_close(client);
	return result;
}

void np_close(np_client *client)
{
	if (client->stream) jsCtx_Destroy(client->stream);
	if (client->connection) natsConnection_Destroy(client->connection);
	client->stream = NULL;
	client->connection = NULL;
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
		if (is_stopped(client)) return at;
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
	while (batch.settled < sent && !is_stopped(client) && is_connected(client)) {
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

	bool was_connected = is_connected(client);
	if (!is_whole && !status)
		status = was_connected ? NATS_TIMEOUT : NATS_CONNECTION_DISCONNECTED;
	np_answer result = answer(client, is_whole ? NATS_OK : status, 0);
	if (is_whole) put(result.why, batch.why);
	// Messages without an answer would wait in libnats for one for ever.
	if (!is_whole) result.connected = false;
	return result;
}

np_answer np_last(np_client *client, const char *stream, const char *subject, int64_t *time)
{
	natsMsg *message = NULL;
	jsErrCode code = 0;
	natsStatus status = js_GetLastMsg(&message, client->stream, stream, subject, NULL, &code);
	*time = status ? 0 : natsMsg_GetTime(message);
	natsMsg_Destroy(message);
	if (status == NATS_NOT_FOUND && code == JSNoMessageFoundErr) status = NATS_OK;
	return answer(client, status, code);
}

np_answer np_tail(
	np_client *client, const char *stream, const char *subject, int64_t since,
	void (*take)(const char *id, void *context), void *context)
{
	jsSubOptions options;
	jsSubOptions_Init(&options);
	options.Ordered = true;
	options.Stream = stream;
	options.Config.DeliverPolicy = js_DeliverByStartTime;
	options.Config.OptStartTime = since;
	options.Config.HeadersOnly = true;
	natsSubscription *subscription = NULL;
	jsErrCode code = 0;
	natsStatus status = js_SubscribeSync(
		&subscription, client->stream, subject, NULL, &options, &code);
	jsConsumerInfo *info = NULL;
	if (!status) status = natsSubscription_GetConsumerInfo(&info, subscription, NULL, &code);
	bool is_over = !status && info->NumPending == 0 && info->Delivered.Consumer == 0;
	jsConsumerInfo_Destroy(info);
	while (!status && !is_over && !is_stopped(client)) {
		natsMsg *message = NULL;
		status = natsSubscription_NextMsg(
			&message, subscription, client->settings.answer_milliseconds);
		if (status) break;
		jsMsgMetaData *data = NULL;
		status = natsMsg_GetMetaData(&data, message);
		is_over = !status && data->NumPending == 0;
		jsMsgMetaData_Destroy(data);
		const char *id = NULL;
		if (!natsMsgHeader_Get(message, "Nats-Msg-Id", &id) && id) take(id, context);
		natsMsg_Destroy(message);
	}
	np_answer result = answer(client, status, code);
	// The server has a consumer for it, which ends with this.
	if (subscription) natsSubscription_Unsubscribe(subscription);
	natsSubscription_Destroy(subscription);
	return result;
}

np_answer np_find(np_client *client, const char *stream, uint64_t sequence, const char *id)
{
	natsMsg *message = NULL;
	jsErrCode code = 0;
	natsStatus status = js_GetMsg(&message, client->stream, stream, sequence, NULL, &code);
	const char *found = NULL;
	if (!status) status = natsMsgHeader_Get(message, "Nats-Msg-Id", &found);
	if (!status && strcmp(found, id)) status = NATS_NOT_FOUND;
	natsMsg_Destroy(message);
	return answer(client, status, code);
}

// Whether a subject with wildcards takes all that another one does.
static bool covers(const char *wide, const char *narrow)
{
	for (;;) {
		size_t a = strcspn(wide, "."), b = strcspn(narrow, ".");
		if (a == 1 && *wide == '>') return b > 0;
		bool is_any = a == 1 && *wide == '*';
		if (is_any ? b == 1 && *narrow == '>' : a != b || strncmp(wide, narrow, a)) return false;
		if (!wide[a] || !narrow[b]) return !wide[a] && !narrow[b];
		wide += a + 1;
		narrow += b + 1;
	}
}

np_answer np_look(np_client *client, const char *stream, const char *subject, np_stream *found)
{
	jsStreamInfo *info = NULL;
	jsErrCode code = 0;
	natsStatus status = js_GetStreamInfo(&info, client->stream, stream, NULL, &code);
	*found = (np_stream){ 0 };
	if (!status) {
		found->exists = true;
		found->window = info->Config->Duplicates;
		found->max_age = info->Config->MaxAge;
		found->max_bytes = info->Config->MaxBytes;
		found->replicas = info->Config->Replicas;
		found->discards_new = info->Config->Discard == js_DiscardNew;
		for (int at = 0; at < info->Config->SubjectsLen; at++)
			if (covers(info->Config->Subjects[at], subject)) found->takes_subject = true;
	}
	jsStreamInfo_Destroy(info);
	if (status == NATS_NOT_FOUND) status = NATS_OK;
	return answer(client, status, code);
}

np_answer np_make(np_client *client, const char *stream, const char *subject, const np_stream *wanted)
{
	jsStreamConfig config;
	jsStreamConfig_Init(&config);
	const char *subjects[] = { subject };
	config.Name = stream;
	config.Description = "Linux audit events, by audispatch-nats";
	config.Subjects = subjects;
	config.SubjectsLen = 1;
	config.Duplicates = wanted->window;
	config.MaxAge = wanted->max_age > 0 ? wanted->max_age : 0;
	config.MaxBytes = wanted->max_bytes > 0 ? wanted->max_bytes : -1;
	config.Replicas = wanted->replicas;
	config.Discard = wanted->discards_new ? js_DiscardNew : js_DiscardOld;
	jsErrCode code = 0;
	natsStatus status = js_AddStream(NULL, client->stream, &config, NULL, &code);
	return answer(client, status, code);
}

np_answer np_widen(np_client *client, const char *stream, int64_t window)
{
	jsStreamInfo *info = NULL;
	jsErrCode code = 0;
	natsStatus status = js_GetStreamInfo(&info, client->stream, stream, NULL, &code);
	if (!status) {
		info->Config->Duplicates = window;
		status = js_UpdateStream(NULL, client->stream, info->Config, NULL, &code);
	}
	jsStreamInfo_Destroy(info);
	return answer(client, status, code);
}
