#include "channel.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Called when the server asks for a certificate, whether we have one or not.
static int note_question(SSL *ssl, void *channel) {
	(void)ssl;
	((sc_channel *)channel)->asked = true;
	return 1;
}

static int note_ticket(SSL *ssl, SSL_SESSION *session) {
	(void)session;
	((sc_channel *)SSL_get_app_data(ssl))->tickets++;
	return 0;
}

// The last error of OpenSSL, or of the system, in words.
void sc_explain(const char *what, char *why, size_t size) {
	unsigned long error = ERR_peek_last_error();
	const char *reason = error ? ERR_reason_error_string(error) : NULL;
	if (error && ERR_SYSTEM_ERROR(error)) reason = strerror(ERR_GET_REASON(error));
	if (!reason) reason = errno ? strerror(errno) : "the connection was closed";
	snprintf(why, size, "%s: %s", what, reason);
	ERR_clear_error();
}

// Which option helps, where one probably does.
static void advise(const sc_channel *c, long verdict, char *why, size_t size) {
	const char *advice = NULL;
	switch (verdict) {
	case X509_V_OK:
		if (c->asked && !c->has_certificate) advice = "it asks for a certificate: tls_cert, tls_key";
		break;
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH: advice = "tls_name is the name in it"; break;
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_CERT_UNTRUSTED: advice = "tls_ca is a file with the authority to trust"; break;
	}
	size_t length = strlen(why);
	if (advice && length < size) snprintf(why + length, size - length, "; %s", advice);
}

void sc_free(sc_channel *channel) {
	SSL_free(channel->ssl);
	SSL_CTX_free(channel->context);
	if (channel->shared) OPENSSL_clear_free(channel->shared, channel->shared_size);
	free(channel->identity);
	free(channel);
}

// Which of the files cannot be used; 0 for none, with the reason in `why`.
static int load_files(SSL_CTX *context, const char *authorities, const char *certificate,
		const char *key, char *why, size_t size) {
	if (authorities ? !SSL_CTX_load_verify_file(context, authorities)
			: !SSL_CTX_set_default_verify_paths(context))
		return sc_explain("cannot read the authorities' certificates", why, size), sc_authorities;
	if (certificate && SSL_CTX_use_certificate_chain_file(context, certificate) != 1)
		return sc_explain("cannot read the certificate", why, size), sc_certificate;
	// A key is compared with the certificate where it is read, too.
	if (key && SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1)
		return sc_explain("cannot use the private key", why, size), sc_key;
	if (key && SSL_CTX_check_private_key(context) != 1)
		return sc_explain("the key is not the certificate's", why, size), sc_key;
	return 0;
}

int sc_check_files(const char *authorities, const char *certificate, const char *key, char *why,
		size_t size) {
	ERR_clear_error();
	errno = 0;
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	if (!context) return 0;
	int wrong = load_files(context, authorities, certificate, key, why, size);
	SSL_CTX_free(context);
	return wrong;
}

// A context for clients, and how its channels read and write.
static int begin(sc_channel *c, int minimum, char *why, size_t size) {
	c->context = SSL_CTX_new(TLS_client_method());
	if (!c->context || !SSL_CTX_set_min_proto_version(c->context, minimum))
		return sc_explain("cannot set TLS up", why, size), -1;
	SSL_CTX_set_mode(c->context, SSL_MODE_ENABLE_PARTIAL_WRITE
		| SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_verify(c->context, SSL_VERIFY_PEER, NULL);
	return 0;
}

static int connect_to(sc_channel *c, int fd, char *why, size_t size) {
	c->ssl = SSL_new(c->context);
	if (!c->ssl || !SSL_set_fd(c->ssl, fd) || !SSL_set_app_data(c->ssl, c))
		return sc_explain("cannot set TLS up", why, size), -1;
	SSL_set_connect_state(c->ssl);
	return 0;
}

static int set_up(sc_channel *c, int fd, const char *name, const char *authorities,
		const char *certificate, const char *key, char *why, size_t size) {
	if (begin(c, TLS1_2_VERSION, why, size)) return -1;
	if (load_files(c->context, authorities, certificate, key, why, size)) return -1;
	c->has_certificate = certificate != NULL;
	SSL_CTX_set_cert_cb(c->context, note_question, c);
	SSL_CTX_set_session_cache_mode(c->context,
		SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(c->context, note_ticket);
	if (connect_to(c, fd, why, size)) return -1;
	X509_VERIFY_PARAM *parameters = SSL_get0_param(c->ssl);
	X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	// An address is compared with addresses, and not sent as a name.
	if (!X509_VERIFY_PARAM_set1_ip_asc(parameters, name)) {
		ERR_clear_error();
		if (!SSL_set1_host(c->ssl, name) || !SSL_set_tlsext_host_name(c->ssl, name))
			return sc_explain("cannot set the server's name", why, size), -1;
	}
	return 0;
}

sc_channel *sc_new(int fd, const char *name, const char *authorities, const char *certificate,
		const char *key, char *why, size_t size) {
	sc_channel *channel = calloc(1, sizeof *channel);
	if (!channel) return snprintf(why, size, "no memory"), NULL;
	ERR_clear_error();
	if (set_up(channel, fd, name, authorities, certificate, key, why, size)) {
		sc_free(channel);
		return NULL;
	}
	return channel;
}

int sc_revoke(sc_channel *channel, const char *list, char *why, size_t size) {
	ERR_clear_error();
	errno = 0;
	X509_STORE *store = SSL_CTX_get_cert_store(channel->context);
	X509_LOOKUP *lookup = X509_STORE_add_lookup(store, X509_LOOKUP_file());
	if (!lookup || X509_load_crl_file(lookup, list, X509_FILETYPE_PEM) < 1)
		return sc_explain("cannot read the list of revoked certificates", why, size), -1;
	X509_VERIFY_PARAM_set_flags(SSL_get0_param(channel->ssl), X509_V_FLAG_CRL_CHECK);
	return 0;
}

static const char *const usual_suites =
	"TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384";

// The session that a key stands for, of the suite that every side has.
static int use_shared(SSL *ssl, const EVP_MD *digest, const unsigned char **identity, size_t *size,
		SSL_SESSION **session) {
	static const unsigned char suite[] = {0x13, 0x01};
	sc_channel *channel = SSL_get_app_data(ssl);
	const SSL_CIPHER *cipher = SSL_CIPHER_find(ssl, suite);
	*session = NULL;
	if (!cipher || (digest && SSL_CIPHER_get_handshake_digest(cipher) != digest)) return 1;
	SSL_SESSION *made = SSL_SESSION_new();
	if (!made) return 0;
	if (!SSL_SESSION_set1_master_key(made, channel->shared, channel->shared_size)
			|| !SSL_SESSION_set_cipher(made, cipher)
			|| !SSL_SESSION_set_protocol_version(made, TLS1_3_VERSION)) {
		SSL_SESSION_free(made);
		return 0;
	}
	*identity = (const unsigned char *)channel->identity;
	*size = strlen(channel->identity);
	*session = made;
	return 1;
}

static int set_up_shared(sc_channel *c, int fd, const char *identity, const unsigned char *key,
		size_t key_size, const char *suites, const char *groups, char *why, size_t size) {
	if (!(c->identity = strdup(identity)) || !(c->shared = OPENSSL_memdup(key, key_size)))
		return snprintf(why, size, "no memory"), -1;
	c->shared_size = key_size;
	if (begin(c, TLS1_3_VERSION, why, size)) return -1;
	if (!SSL_CTX_set_ciphersuites(c->context, suites ? suites : usual_suites)
			|| (groups && !SSL_CTX_set1_groups_list(c->context, groups)))
		return sc_explain("cannot set the cipher suites and groups", why, size), -1;
	// No authority is trusted: a server that answers with a certificate fails.
	SSL_CTX_set_psk_use_session_callback(c->context, use_shared);
	return connect_to(c, fd, why, size);
}

sc_channel *sc_new_shared(int fd, const char *identity, const unsigned char *key, size_t key_size,
		const char *suites, const char *groups, char *why, size_t size) {
	sc_channel *channel = calloc(1, sizeof *channel);
	if (!channel) return snprintf(why, size, "no memory"), NULL;
	ERR_clear_error();
	if (set_up_shared(channel, fd, identity, key, key_size, suites, groups, why, size)) {
		sc_free(channel);
		return NULL;
	}
	return channel;
}

int sc_check_words(const char *suites, const char *groups) {
	int wrong = 0;
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	SSL *ssl = NULL;
	if (suites) {
		wrong = sc_suites;
		if (context && SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION)
				&& SSL_CTX_set_ciphersuites(context, suites) && (ssl = SSL_new(context))) {
			STACK_OF(SSL_CIPHER) *known = SSL_get_ciphers(ssl);
			if (sk_SSL_CIPHER_num(known) > 0 && SSL_CIPHER_get_handshake_digest(
					sk_SSL_CIPHER_value(known, 0)) == EVP_sha256()) wrong = 0;
		}
	}
	if (!wrong && groups && !(context && SSL_CTX_set1_groups_list(context, groups))) wrong = sc_groups;
	SSL_free(ssl);
	SSL_CTX_free(context);
	ERR_clear_error();
	return wrong;
}

static int outcome(sc_channel *c, int result, const char *what, char *why, size_t size) {
	switch (SSL_get_error(c->ssl, result)) {
	case SSL_ERROR_WANT_READ: return sc_wants_read;
	case SSL_ERROR_WANT_WRITE: return sc_wants_write;
	case SSL_ERROR_ZERO_RETURN: return sc_ended;
	default:
		sc_explain(what, why, size);
		if (!c->accepts) advise(c, X509_V_OK, why, size);
		return sc_failed;
	}
}

int sc_handshake(sc_channel *channel, char *why, size_t size) {
	ERR_clear_error();
	errno = 0;
	int result = SSL_do_handshake(channel->ssl);
	if (result == 1 && channel->shared && !channel->accepts && !SSL_session_reused(channel->ssl)) {
		snprintf(why, size, "TLS handshake: the server did not use the shared key");
		return sc_failed;
	}
	if (result == 1) return 1;
	long verdict = SSL_get_verify_result(channel->ssl);
	int end = outcome(channel, result, "TLS handshake", why, size);
	if (end == sc_failed && verdict != X509_V_OK) {
		snprintf(why, size, "the %s's certificate: %s", channel->accepts ? "peer" : "server",
			X509_verify_cert_error_string(verdict));
		if (!channel->accepts) advise(channel, verdict, why, size);
	}
	return end;
}

bool sc_is_judged(sc_channel *channel) {
	return SSL_version(channel->ssl) < TLS1_3_VERSION || !channel->asked || channel->tickets > 0;
}

long sc_read(sc_channel *channel, void *bytes, size_t count, char *why, size_t size) {
	ERR_clear_error();
	errno = 0;
	size_t done = 0;
	int result = SSL_read_ex(channel->ssl, bytes, count, &done);
	return result == 1 ? (long)done : outcome(channel, result, "TLS", why, size);
}

long sc_write(sc_channel *channel, const void *bytes, size_t count, char *why, size_t size) {
	ERR_clear_error();
	errno = 0;
	size_t done = 0;
	int result = SSL_write_ex(channel->ssl, bytes, count, &done);
	return result == 1 ? (long)done : outcome(channel, result, "TLS", why, size);
}

uint64_t sc_written(sc_channel *channel) { return BIO_number_written(SSL_get_wbio(channel->ssl)); }

void sc_close(sc_channel *channel) {
	ERR_clear_error();
	SSL_shutdown(channel->ssl);
	ERR_clear_error();
}
