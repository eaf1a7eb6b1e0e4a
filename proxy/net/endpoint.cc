// "127.0.0.1:8443" and the other ways to name a listening address, taken apart.
#include <arpa/inet.h>
#include <netinet/in.h>

#include <charconv>

#include "proxy/net/listener.h"

namespace verge::net {

namespace {

bool is_v4(const std::string& host) noexcept {
  in_addr ignored{};
  return inet_pton(AF_INET, host.c_str(), &ignored) == 1;
}

bool is_v6(const std::string& host) noexcept {
  in6_addr ignored{};
  return inet_pton(AF_INET6, host.c_str(), &ignored) == 1;
}

std::unexpected<Error> bad(std::string_view text, std::string_view why) {
  return fail(Errc::config, "listen address \"" + std::string(text) + "\": " + std::string(why));
}

} // namespace

Result<Endpoint> Endpoint::parse(std::string_view text) {
  Endpoint endpoint;
  if (text.starts_with("unix:")) {
    endpoint.unix_path = text.substr(5);
    if (endpoint.unix_path.empty()) return bad(text, "a path must follow \"unix:\"");
    if (endpoint.unix_path.size() > 107) return bad(text, "a unix socket path has at most 107 octets");
    return endpoint;
  }
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return bad(text, "no port; write host:port, :port or unix:/path");
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), endpoint.port);
  if (port.empty() || error != std::errc() || end != port.data() + port.size()) {
    return bad(text, "the port must be a number from 0 to 65535");
  }
  if (host.starts_with('[')) {
    if (!host.ends_with(']')) return bad(text, "\"[\" without \"]\"");
    endpoint.host = host.substr(1, host.size() - 2);
    if (!is_v6(endpoint.host)) return bad(text, "what stands in brackets is not an IPv6 address");
    return endpoint;
  }
  endpoint.host = host;
  if (host.find(':') != std::string_view::npos) return bad(text, "write an IPv6 address in brackets: [::1]:443");
  if (!host.empty() && !is_v4(endpoint.host)) {
    return bad(text, "the host must be a numeric address of this machine, or empty for all");
  }
  return endpoint;
}

bool Endpoint::loopback() const noexcept {
  if (!unix_path.empty()) return true;
  return host == "::1" || (host.starts_with("127.") && is_v4(host));
}

} // namespace verge::net
