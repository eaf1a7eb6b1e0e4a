// ServerTls: how we present ourselves to clients. Immutable once made, shared by all loops and by running connections,
// so a reload makes a new one.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "proxy/base/clock.h"
#include "proxy/base/result.h"

struct ssl_ctx_st;
struct ssl_st;

namespace verge::net {

enum class ClientAuth : uint8_t { off, optional, required };

struct ServerTlsOptions {
  struct Certificate {
    std::string chain; // PEM file: leaf first
    std::string key;   // PEM file
  };
  std::vector<Certificate> certificates; // chosen by SNI (exact, then wildcard); the first when none
                                         // matches; two with the same names, RSA and ECDSA, serve together
  ClientAuth client_auth = ClientAuth::off;
  std::string client_ca;           // PEM file, needed unless off
  size_t verified_chains = 10'000; // good chains of clients that are remembered; 0: each is checked anew
  size_t sessions = 10'000;        // kept for resumption; 0: in tickets, and with client_auth nowhere
  const Clock* clock = nullptr;    // what client certificates are checked against; null: the system's
  std::string min_version = "1.2"; // "1.2" or "1.3"
  bool http2 = true;               // offer h2 by ALPN before http/1.1
};

class ServerTls {
 public:
  // Error config: file missing, key and certificate differ, CA unreadable; `what` names file and reason.
  static Result<std::shared_ptr<ServerTls>> create(const ServerTlsOptions& options);
  virtual ~ServerTls() = default;
  virtual ssl_st* make_ssl() const = 0; // owned by the caller; server side, no fd yet
  // True when one of the certificates names `host` (no port), exactly or by a wildcard. For 421.
  virtual bool covers(std::string_view host) const = 0;
};

} // namespace verge::net
