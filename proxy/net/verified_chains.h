// VerifiedChains: checks the certificates that clients show, and remembers by their digest which were good, so that a
// client that comes back costs no search of its chain and no signature check of it. (That the client has the key is
// checked in every handshake, by OpenSSL.)
//
// What is remembered holds for one set of client CAs and one set of checks: it lives and dies with the ServerTls, which
// a reload makes anew. It holds only while all certificates of the chain, the CA's included, are within their time.
// What was refused is never remembered. Thread-safe.
#pragma once

#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include "proxy/base/clock.h"
#include "proxy/base/handle.h"
#include "proxy/net/recent.h"

namespace verge::net {

class VerifiedChains {
 public:
  // Remembers up to `most` chains; 0: none. `clock` outlives it and says what time certificates are checked against.
  VerifiedChains(size_t most, const Clock& clock);
  VerifiedChains(const VerifiedChains&) = delete;
  VerifiedChains& operator=(const VerifiedChains&) = delete;

  // Has the connections of `context` checked here. `this` outlives it and its connections.
  void use_in(SSL_CTX* context);

  // The second since 1970 from which a certificate of the session's chain is no longer good; nothing: the client showed
  // none.
  static std::optional<int64_t> ends(const SSL_SESSION* session);

 private:
  struct Window { // seconds since 1970
    int64_t from = 0;
    int64_t until = 0; // not included
  };

  static int on_verify(X509_STORE_CTX* check, void* self) noexcept;
  bool verify(X509_STORE_CTX* check);
  std::optional<Octets32> digest(X509_STORE_CTX* check) const;
  static Window window_of(X509_STORE_CTX* check);

  const Clock& clock_;
  Handle<EVP_MD, EVP_MD_free> sha256_;
  Recent<Window> good_;
};

} // namespace verge::net
