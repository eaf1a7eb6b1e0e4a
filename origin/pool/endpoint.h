// Where an HTTP origin is reached, from a config field's URL, and how its certificate is checked.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "config/config.h"
#include "proxy/base/result.h"
#include "proxy/net/tls_client.h"

namespace verge::origin {

struct HttpEndpoint {
  bool tls = false;
  std::string host; // lower case name or numeric address, an IPv6 one without brackets; what SNI and the check use
  uint16_t port = 80;
  // As Host says it: "api.example.com", "127.0.0.1:9000", "[::1]:8080"; the scheme's own port is left out.
  std::string authority() const;
};

// Takes "https://host[:port][/prefix]" apart. `path_prefix` (may be null) gets "/prefix" without a slash at its end, so
// "" for none. Error config: another scheme, user information, query, fragment, or a host or port that can't be;
// `what` quotes the URL and says what was expected. Pure.
Result<HttpEndpoint> parse_http_url(std::string_view url, std::string* path_prefix);

// The TLS settings of an origin's tls_ca and tls_verify rows. Error config: the CA file can't be read.
Result<std::shared_ptr<net::ClientTls>> make_client_tls(const config::Origin& options);

} // namespace verge::origin
