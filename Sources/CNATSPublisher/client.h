// What the parts of this module share.
#pragma once
#include "CNATSPublisher.h"

#include <nats/nats.h>
#include <stdatomic.h>

struct np_client {
	np_settings settings;
	natsConnection *connection;
	jsCtx *stream;
	uint64_t number;
	atomic_bool stopped;
};

static inline bool np_is_stopped(np_client *client) { return atomic_load(&client->stopped); }
bool np_is_connected(np_client *client);
// What an answer says; cut where it is too long.
void np_put(char *why, const char *text);
// The server's own word, where it said one, is better than that of libnats.
np_answer np_say(np_client *client, natsStatus status, jsErrCode code);
// Takes a stream's word on a message; `closure` is the number of the connection.
void np_take_ack(jsCtx *js, natsMsg *message, jsPubAck *ack, jsPubAckErr *error, void *closure);
