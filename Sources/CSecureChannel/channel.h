// What both sides of a channel share.
#pragma once
#include "CSecureChannel.h"

#include <openssl/ssl.h>

struct sc_channel {
	SSL_CTX *context;
	SSL *ssl;
	bool asked; // for our certificate
	bool has_certificate;
	int tickets;
	// A key that both sides have; of a peer's connection the one that it showed.
	char *identity;
	unsigned char *shared;
	size_t shared_size;
	bool accepts; // a peer's connection
};

struct shared_key {
	struct shared_key *next;
	char *identity;
	unsigned char *key;
	size_t size;
};

struct sc_server {
	SSL_CTX *context;
	struct shared_key *keys;
};

// The last error of OpenSSL, or of the system, in words.
void sc_explain(const char *what, char *why, size_t size);
