// A TLS client over a non-blocking socket, through OpenSSL.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

typedef struct sc_channel sc_channel;

// What a call waits for, when it is not done.
enum { sc_wants_read = -1, sc_wants_write = -2, sc_ended = -3, sc_failed = -4 };

// A channel over a connected socket, which stays the caller's. At least TLS 1.2; the server's
// certificate must be signed by `authorities` (a file; NULL: those that the host trusts) and be
// valid for `name`, a DNS name or an address. NULL, with the reason in `why`, when files cannot
// be read.
sc_channel *_Nullable sc_new(int fd, const char *name, const char *_Nullable authorities,
	const char *_Nullable certificate, const char *_Nullable key, char *why, size_t size);
// The server's certificate is not taken if a list in this file revokes it, nor if its authority has
// none there. Before the handshake. 0, or -1 with the reason in `why`.
int sc_revoke(sc_channel *channel, const char *list, char *why, size_t size);
// A channel by a key that both sides have, in TLS 1.3 and without certificates: `identity` says which.
// `suites` (of SHA-256 the first) and `groups` are OpenSSL's words; NULL: as auditd 4.2 has them.
sc_channel *_Nullable sc_new_shared(int fd, const char *identity, const unsigned char *key,
	size_t key_size, const char *_Nullable suites, const char *_Nullable groups, char *why,
	size_t size);
// Whether OpenSSL knows such suites and groups, and the first suite is of SHA-256: 0, or which is
// wrong.
enum { sc_suites = 1, sc_groups };
int sc_check_words(const char *_Nullable suites, const char *_Nullable groups);
// Seconds until a certificate in a file ends, below 0 when it has; INT64_MIN when it cannot be read.
int64_t sc_seconds_left(const char *certificate);
// Which of those files cannot be used, with the reason in `why`; 0 when all can.
enum { sc_authorities = 1, sc_certificate, sc_key };
int sc_check_files(const char *_Nullable authorities, const char *_Nullable certificate,
	const char *_Nullable key, char *why, size_t size);
void sc_free(sc_channel *channel);

// What every channel of a server that takes connections shares.
typedef struct sc_server sc_server;
// Takes nobody yet. NULL with the reason in `why`.
sc_server *_Nullable sc_server_new(char *why, size_t size);
void sc_server_free(sc_server *server);
// A key that some peers have; `identity` is what they call it. TLS 1.3.
int sc_server_add_key(sc_server *server, const char *identity, const unsigned char *key,
	size_t key_size, char *why, size_t size);
// Its own certificate (with what leads to its authority) and key, and the authorities that sign the
// peers', all as PEM; `revoked` may be NULL. Every peer that has no key has to show a certificate.
// 0, or which part cannot be used: sc_certificate, sc_key, sc_authorities or sc_revoked.
enum { sc_revoked = 4 };
int sc_server_use(sc_server *server, const char *certificate, const char *key,
	const char *authorities, const char *_Nullable revoked, char *why, size_t size);
// Seconds until a part ends: its certificate (or one that leads to its authority), the next of the
// authorities' certificates, or the next of the lists of revoked ones; below 0 when that, or all of
// them, have. INT64_MIN when there is none.
int64_t sc_server_seconds_left(const sc_server *server, int part);
// A channel over an accepted socket, which stays the caller's. The server has to outlive it.
sc_channel *_Nullable sc_accept(sc_server *server, int fd, char *why, size_t size);
// Who the peer is, after the handshake: what it calls its key, or its certificate's first DNS name,
// or its common name. NUL-terminated; empty when it has none.
void sc_peer_identity(sc_channel *channel, char *identity, size_t size);
// Seconds until the peer's certificate ends; INT64_MIN when it showed none.
int64_t sc_peer_seconds_left(sc_channel *channel);
// Whether a peer that has shaken hands, perhaps with another server, would be let in by this one; if
// not, the reason in `why`.
bool sc_server_still_takes(const sc_server *server, sc_channel *channel, char *why, size_t size);

// Shakes hands: 1 when that is done, else one of the above; the reason of a failure in `why`.
int sc_handshake(sc_channel *channel, char *why, size_t size);
// Whether the server is known to have judged our certificate, after the handshake: with TLS 1.3 that
// ends before. A server that has accepted it usually says so by a ticket, which `sc_read` takes; one
// that did not ask has nothing to judge.
bool sc_is_judged(sc_channel *channel);
// The bytes that were read or taken, else one of the above.
long sc_read(sc_channel *channel, void *bytes, size_t count, char *why, size_t size);
long sc_write(sc_channel *channel, const void *bytes, size_t count, char *why, size_t size);
// Bytes that were written to the socket.
uint64_t sc_written(sc_channel *channel);
// Says that no more comes; does not wait for an answer.
void sc_close(sc_channel *channel);

#pragma clang assume_nonnull end
