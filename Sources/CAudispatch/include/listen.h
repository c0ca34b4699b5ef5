// Sockets that take connections of other hosts.
#pragma once
#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

// Listens at an address, non-blocking. An address that was used a moment ago can be used again; `::`
// takes IPv4, too.
int ad_inet_listen(const void *address, size_t size, int backlog);
// The other end's address and port: 4 or 16 bytes of address, its count returned. An IPv4 address
// that came as an IPv6 one has 4.
int ad_inet_peer(int fd, unsigned char address[_Nonnull 16], uint16_t *port);
// Has the kernel find out that the other host is gone, within so many seconds.
void ad_watch_peer(int fd, int seconds);

#pragma clang assume_nonnull end
