// The side that takes connections.
#include "channel.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const usual_suites =
	"TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384";

static const struct shared_key *find(const sc_server *server, const unsigned char *identity,
		size_t size) {
	for (const struct shared_key *k = server->keys; k; k = k->next)
		if (strlen(k->identity) == size && !memcmp(k->identity, identity, size)) return k;
	return NULL;
}

// The session that a peer's key stands for; none for a name that nobody has.
static int find_session(SSL *ssl, const unsigned char *identity, size_t size,
		SSL_SESSION **session) {
	static const unsigned char suite[] = {0x13, 0x01};
	const sc_server *server = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	const struct shared_key *key = find(server, identity, size);
	const SSL_CIPHER *cipher = SSL_CIPHER_find(ssl, suite);
	*session = NULL;
	if (!key || !cipher) return 1;
	SSL_SESSION *made = SSL_SESSION_new();
	if (!made) return 0;
	sc_channel *channel = SSL_get_app_data(ssl);
	char *name = strdup(key->identity);
	unsigned char *shown = OPENSSL_memdup(key->key, key->size);
	if (!name || !shown || !SSL_SESSION_set1_master_key(made, key->key, key->size)
			|| !SSL_SESSION_set_cipher(made, cipher)
			|| !SSL_SESSION_set_protocol_version(made, TLS1_3_VERSION)) {
		free(name);
		OPENSSL_clear_free(shown, key->size);
		SSL_SESSION_free(made);
		return 0;
	}
	free(channel->identity);
	OPENSSL_clear_free(channel->shared, channel->shared_size);
	channel->identity = name;
	channel->shared = shown;
	channel->shared_size = key->size;
	*session = made;
	return 1;
}

sc_server *sc_server_new(char *why, size_t size) {
	sc_server *server = calloc(1, sizeof *server);
	if (!server) return snprintf(why, size, "no memory"), NULL;
	ERR_clear_error();
	errno = 0;
	SSL_CTX *context = server->context = SSL_CTX_new(TLS_server_method());
	if (!context || !SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION)
			|| !SSL_CTX_set_ciphersuites(context, usual_suites) || !SSL_CTX_set_num_tickets(context, 0)) {
		sc_explain("cannot set TLS up", why, size);
		sc_server_free(server);
		return NULL;
	}
	SSL_CTX_set_app_data(context, server);
	SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE
		| SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
	// A key goes with a suite of SHA-256 only: ours is first, whichever the peer's first is.
	SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION
		| SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
	static const unsigned char name[] = "audispatch";
	SSL_CTX_set_session_id_context(context, name, sizeof name - 1);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	return server;
}

void sc_server_free(sc_server *server) {
	SSL_CTX_free(server->context);
	while (server->keys) {
		struct shared_key *key = server->keys;
		server->keys = key->next;
		OPENSSL_clear_free(key->key, key->size);
		free(key->identity);
		free(key);
	}
	free(server);
}

int sc_server_add_key(sc_server *server, const char *identity, const unsigned char *key,
		size_t key_size, char *why, size_t size) {
	struct shared_key *new = calloc(1, sizeof *new);
	if (!new || !(new->identity = strdup(identity)) || !(new->key = OPENSSL_memdup(key, key_size))) {
		if (new) free(new->identity);
		free(new);
		return snprintf(why, size, "no memory"), -1;
	}
	new->size = key_size;
	new->next = server->keys;
	server->keys = new;
	SSL_CTX_set_psk_find_session_callback(server->context, find_session);
	return 0;
}

static BIO *reader(const char *text) { return BIO_new_mem_buf(text, -1); }

// Reads all certificates of a text; how many, or -1.
static int each_certificate(const char *text, SSL_CTX *context,
		int (*use)(SSL_CTX *, X509 *, int index)) {
	BIO *bio = reader(text);
	int count = 0;
	X509 *one;
	while (bio && count >= 0 && (one = PEM_read_bio_X509(bio, NULL, NULL, NULL))) {
		count = use(context, one, count) == 1 ? count + 1 : -1;
		X509_free(one);
	}
	BIO_free(bio);
	// The end of the text is no error.
	if (count > 0) ERR_clear_error();
	return count;
}

static int use_own(SSL_CTX *context, X509 *certificate, int index) {
	return index == 0 ? SSL_CTX_use_certificate(context, certificate)
		: (int)SSL_CTX_add1_chain_cert(context, certificate);
}

static int use_authority(SSL_CTX *context, X509 *certificate, int index) {
	(void)index;
	return X509_STORE_add_cert(SSL_CTX_get_cert_store(context), certificate)
		&& SSL_CTX_add_client_CA(context, certificate);
}

static int use_revoked(SSL_CTX *context, const char *text) {
	X509_STORE *store = SSL_CTX_get_cert_store(context);
	BIO *bio = reader(text);
	int count = 0;
	X509_CRL *one;
	while (bio && count >= 0 && (one = PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL))) {
		count = X509_STORE_add_crl(store, one) ? count + 1 : -1;
		X509_CRL_free(one);
	}
	BIO_free(bio);
	if (count < 1) return -1;
	ERR_clear_error();
	return X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK) ? 0 : -1;
}

int sc_server_use(sc_server *server, const char *certificate, const char *key,
		const char *authorities, const char *revoked, char *why, size_t size) {
	SSL_CTX *context = server->context;
	ERR_clear_error();
	errno = 0;
	if (each_certificate(certificate, context, use_own) < 1)
		return sc_explain("cannot read the certificate", why, size), sc_certificate;
	BIO *bio = reader(key);
	EVP_PKEY *private = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
	BIO_free(bio);
	int fits = private && SSL_CTX_use_PrivateKey(context, private) == 1
		&& SSL_CTX_check_private_key(context) == 1;
	EVP_PKEY_free(private);
	if (!fits) return sc_explain("cannot use the private key", why, size), sc_key;
	if (each_certificate(authorities, context, use_authority) < 1)
		return sc_explain("cannot read the authorities' certificates", why, size), sc_authorities;
	if (revoked && use_revoked(context, revoked))
		return sc_explain("cannot read the list of revoked certificates", why, size), sc_revoked;
	return 0;
}

sc_channel *sc_accept(sc_server *server, int fd, char *why, size_t size) {
	sc_channel *channel = calloc(1, sizeof *channel);
	if (!channel) return snprintf(why, size, "no memory"), NULL;
	ERR_clear_error();
	errno = 0;
	channel->accepts = true;
	channel->ssl = SSL_new(server->context);
	if (!channel->ssl || !SSL_set_fd(channel->ssl, fd) || !SSL_set_app_data(channel->ssl, channel)) {
		sc_explain("cannot set TLS up", why, size);
		sc_free(channel);
		return NULL;
	}
	SSL_set_accept_state(channel->ssl);
	return channel;
}

static void common_name(X509 *certificate, char *identity, size_t size) {
	int length = X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName,
		identity, (int)size);
	// A name with a NUL in it is no name.
	if (length < 0 || (size_t)length != strlen(identity)) identity[0] = 0;
}

void sc_peer_identity(sc_channel *channel, char *identity, size_t size) {
	identity[0] = 0;
	X509 *certificate = SSL_get0_peer_certificate(channel->ssl);
	if (!certificate) {
		if (channel->identity) snprintf(identity, size, "%s", channel->identity);
		return;
	}
	GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	for (int i = 0; names && !identity[0] && i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
		if (name->type != GEN_DNS) continue;
		int length = ASN1_STRING_length(name->d.dNSName);
		const unsigned char *text = ASN1_STRING_get0_data(name->d.dNSName);
		// A name with a NUL in it is no name.
		if (length > 0 && (size_t)length < size && !memchr(text, 0, (size_t)length)) {
			memcpy(identity, text, (size_t)length);
			identity[length] = 0;
		}
	}
	GENERAL_NAMES_free(names);
	if (!identity[0]) common_name(certificate, identity, size);
	ERR_clear_error();
}

bool sc_server_still_takes(const sc_server *server, sc_channel *channel, char *why, size_t size) {
	X509 *certificate = SSL_get0_peer_certificate(channel->ssl);
	if (!certificate) {
		const char *name = channel->identity;
		const struct shared_key *key =
			name ? find(server, (const unsigned char *)name, strlen(name)) : NULL;
		if (key && key->size == channel->shared_size
				&& !CRYPTO_memcmp(key->key, channel->shared, key->size)) return true;
		return snprintf(why, size, "its key does not count any more"), false;
	}
	X509_STORE *store = SSL_CTX_get_cert_store(server->context);
	X509_STORE_CTX *check = X509_STORE_CTX_new();
	bool counts = check
		&& X509_STORE_CTX_init(check, store, certificate, SSL_get_peer_cert_chain(channel->ssl))
		&& X509_STORE_CTX_set_default(check, "ssl_client") && X509_verify_cert(check) == 1;
	if (!counts)
		snprintf(why, size, "its certificate does not count any more: %s", check
			? X509_verify_cert_error_string(X509_STORE_CTX_get_error(check)) : "no memory");
	X509_STORE_CTX_free(check);
	ERR_clear_error();
	return counts;
}
