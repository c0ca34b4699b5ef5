// How long certificates and lists of revoked ones still count.
#include "channel.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>

// Seconds until then, below 0 when it is past; INT64_MIN when it cannot be read.
static int64_t seconds_until(const ASN1_TIME *end) {
	int days, seconds;
	if (!end || !ASN1_TIME_diff(&days, &seconds, NULL, end)) return INT64_MIN;
	return (int64_t)days * 86400 + seconds;
}

// The earlier of two ends; one that is not known gives way.
static int64_t earlier(int64_t one, int64_t other) {
	if (one == INT64_MIN) return other;
	return other == INT64_MIN || one < other ? one : other;
}

int64_t sc_seconds_left(const char *certificate) {
	FILE *file = fopen(certificate, "re");
	X509 *read = file ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;
	int64_t left = read ? seconds_until(X509_get0_notAfter(read)) : INT64_MIN;
	X509_free(read);
	if (file) fclose(file);
	ERR_clear_error();
	return left;
}

static int64_t own_left(SSL_CTX *context) {
	X509 *certificate = SSL_CTX_get0_certificate(context);
	int64_t left = certificate ? seconds_until(X509_get0_notAfter(certificate)) : INT64_MIN;
	STACK_OF(X509) *chain = NULL;
	SSL_CTX_get0_chain_certs(context, &chain);
	for (int i = 0; i < sk_X509_num(chain); i++)
		left = earlier(left, seconds_until(X509_get0_notAfter(sk_X509_value(chain, i))));
	return left;
}

int64_t sc_server_seconds_left(const sc_server *server, int part) {
	if (part == sc_certificate) return own_left(server->context);
	STACK_OF(X509_OBJECT) *known =
		X509_STORE_get0_objects(SSL_CTX_get_cert_store(server->context));
	int64_t next = INT64_MIN, ended = INT64_MIN;
	for (int i = 0; i < sk_X509_OBJECT_num(known); i++) {
		const X509_OBJECT *object = sk_X509_OBJECT_value(known, i);
		const X509 *authority = X509_OBJECT_get0_X509(object);
		const X509_CRL *list = X509_OBJECT_get0_X509_CRL((X509_OBJECT *)object);
		int64_t left = INT64_MIN;
		if (part == sc_authorities && authority) left = seconds_until(X509_get0_notAfter(authority));
		if (part == sc_revoked && list) left = seconds_until(X509_CRL_get0_nextUpdate(list));
		if (left >= 0) next = earlier(next, left);
		else if (left > ended) ended = left;
	}
	return next == INT64_MIN ? ended : next;
}

int64_t sc_peer_seconds_left(sc_channel *channel) {
	X509 *certificate = SSL_get0_peer_certificate(channel->ssl);
	return certificate ? seconds_until(X509_get0_notAfter(certificate)) : INT64_MIN;
}
