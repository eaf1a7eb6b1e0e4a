// ClientTls: how we check origins. Verification against the system's roots (or a given CA file), name check always on.
#pragma once

#include <memory>
#include <string>

#include "proxy/base/result.h"

struct ssl_st;

namespace verge::net {

struct ClientTlsOptions {
  std::string ca;          // PEM file; empty: the system's roots
  bool verify = true;      // false only when a config row says so
  std::string certificate; // client certificate chain and key, when the origin asks for one
  std::string key;
  std::string alpn = "http/1.1";
};

class ClientTls {
 public:
  static Result<std::shared_ptr<ClientTls>> create(const ClientTlsOptions& options);
  virtual ~ClientTls() = default;
  virtual ssl_st* make_ssl(const std::string& server_name) const = 0; // owned by the caller; resumes sessions.
  // Null: out of memory, or no name to check the certificate against. A name that is an address is checked as such.
};

} // namespace verge::net
