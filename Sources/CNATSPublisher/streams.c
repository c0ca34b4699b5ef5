// Streams: what they have stored, how they are made, how long they know messages again.
#include "client.h"

#include <string.h>

np_answer np_last(np_client *client, const char *stream, const char *subject, int64_t *time)
{
	natsMsg *message = NULL;
	jsErrCode code = 0;
	natsStatus status = js_GetLastMsg(&message, client->stream, stream, subject, NULL, &code);
	*time = status ? 0 : natsMsg_GetTime(message);
	natsMsg_Destroy(message);
	if (status == NATS_NOT_FOUND && code == JSNoMessageFoundErr) status = NATS_OK;
	return np_say(client, status, code);
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
	while (!status && !is_over && !np_is_stopped(client)) {
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
	np_answer result = np_say(client, status, code);
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
	return np_say(client, status, code);
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
	return np_say(client, status, code);
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
	return np_say(client, status, code);
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
	return np_say(client, status, code);
}
