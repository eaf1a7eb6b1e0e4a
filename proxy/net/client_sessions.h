// ClientSessions: the TLS sessions of clients, kept here instead of in tickets. OpenSSL would write a session out and
// parse it for each use of a ticket, with the client's certificate in it: with one, half the cost of a resumed
// handshake. Here it is shared as it is. What does not fit makes a full handshake.
//
// A session lives as long as the ServerTls it was made under, which a reload makes anew, and is good only while the
// chain of its certificate, if any, is within its time. Thread-safe.
#pragma once

#include <openssl/ssl.h>

#include <memory>

#include "proxy/base/clock.h"
#include "proxy/net/recent.h"

namespace verge::net {

class ClientSessions {
 public:
  // Keeps up to `most` sessions; 0: none, so that every handshake is a full one. `clock` outlives it.
  ClientSessions(size_t most, const Clock& clock) : clock_(clock), kept_(most) {}
  ClientSessions(const ClientSessions&) = delete;
  ClientSessions& operator=(const ClientSessions&) = delete;

  // Has the sessions of `context` kept here. `this` outlives it and its connections.
  void use_in(SSL_CTX* context);

 private:
  static int on_new(SSL* ssl, SSL_SESSION* session) noexcept;
  static SSL_SESSION* on_get(SSL* ssl, const unsigned char* id, int size, int* copy) noexcept;

  const Clock& clock_;
  Recent<std::shared_ptr<SSL_SESSION>> kept_;
};

} // namespace verge::net
