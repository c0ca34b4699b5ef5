// Connections to servers, and what comes of asking them.
#define _GNU_SOURCE
#include "client.h"

#include <stdlib.h>
#include <string.h>

static atomic_uint_least64_t connections;

static char *copy(const char *text) { return text ? strdup(text) : NULL; }

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

bool np_is_connected(np_client *client)
{
	return client->connection
		&& natsConnection_Status(client->connection) == NATS_CONN_STATUS_CONNECTED;
}

void np_put(char *why, const char *text)
{
	strncpy(why, text ? text : "", NP_WHY - 1);
	why[NP_WHY - 1] = 0;
}

np_answer np_say(np_client *client, natsStatus status, jsErrCode code)
{
	np_answer answer = { .done = status == NATS_OK, .status = (int)status, .code = (int)code };
	answer.connected = np_is_connected(client);
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
	np_put(answer.why, said);
	return answer;
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
	if (np_is_connected(client)) return np_say(client, NATS_OK, 0);
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
		settings.PublishAsync.AckHandler = np_take_ack;
		settings.PublishAsync.AckHandlerClosure = (void *)(uintptr_t)client->number;
		status = natsConnection_JetStream(&client->stream, client->connection, &settings);
	}
	np_answer result = np_say(client, status, 0);
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
