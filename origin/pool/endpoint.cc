#include "origin/pool/endpoint.h"

#include <fmt/core.h>

#include <algorithm>

#include "proxy/http/grammar.h"

namespace verge::origin {

namespace {

std::unexpected<Error> bad_url(std::string_view url, std::string_view why) {
  return fail(Errc::config, fmt::format("url \"{}\": {}; expected https://host[:port][/prefix]", url, why));
}

bool starts_with_scheme(std::string_view url, std::string_view scheme) {
  return url.size() >= scheme.size() && http::iequals(url.substr(0, scheme.size()), scheme);
}

} // namespace

std::string HttpEndpoint::authority() const {
  std::string out = host.find(':') == std::string::npos ? host : fmt::format("[{}]", host);
  if (port != (tls ? 443 : 80)) out += fmt::format(":{}", port);
  return out;
}

Result<HttpEndpoint> parse_http_url(std::string_view url, std::string* path_prefix) {
  HttpEndpoint endpoint;
  std::string_view rest = url;
  if (starts_with_scheme(rest, "https://")) {
    endpoint.tls = true;
    rest.remove_prefix(8);
  } else if (starts_with_scheme(rest, "http://")) {
    rest.remove_prefix(7);
  } else {
    return bad_url(url, "the scheme is neither http nor https");
  }
  const size_t authority_end = std::min(rest.find_first_of("/?#"), rest.size());
  const std::string_view authority = rest.substr(0, authority_end);
  std::string_view path = rest.substr(authority_end);
  if (path.find_first_of("?#") != std::string_view::npos) return bad_url(url, "a query or fragment can't be used here");
  if (authority.find('@') != std::string_view::npos) return bad_url(url, "it holds user information");
  if (!http::is_authority(authority)) return bad_url(url, "the host is missing or not a host");
  if (!path.empty() && !http::is_target(path)) return bad_url(url, "the path holds a character that needs %-encoding");

  const http::HostPort parts = http::split_authority(authority);
  std::string_view host = parts.host;
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  endpoint.host.assign(host);
  std::ranges::transform(endpoint.host, endpoint.host.begin(), http::lower);
  endpoint.port = parts.port.value_or(endpoint.tls ? 443 : 80);
  if (endpoint.port == 0) return bad_url(url, "port 0 can't be connected to");
  while (path.ends_with('/')) path.remove_suffix(1);
  if (path_prefix != nullptr) path_prefix->assign(path);
  return endpoint;
}

Result<std::shared_ptr<net::ClientTls>> make_client_tls(const config::Origin& options) {
  net::ClientTlsOptions tls;
  tls.ca = options.tls_ca;
  tls.verify = options.tls_verify;
  auto made = net::ClientTls::create(tls);
  if (!made) return std::unexpected(std::move(made.error()).in(fmt::format("origins.{}", options.name)));
  return made;
}

} // namespace verge::origin
