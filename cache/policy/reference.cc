#include "cache/policy/reference.h"

#include "cache/policy/key.h"
#include "proxy/http/grammar.h"

namespace verge::policy {
namespace {

// Takes "scheme://authority" off the front, or "//authority"; what is left is path and query.
struct Split {
  std::string scheme, authority;
  std::string_view rest;
  bool absolute = false;
};

std::optional<Split> split(std::string_view reference) {
  Split s;
  const size_t colon = reference.find_first_of(":/?#");
  if (colon != std::string_view::npos && reference[colon] == ':') {
    for (const char c : reference.substr(0, colon)) s.scheme += http::lower(c);
    if (s.scheme != "http" && s.scheme != "https") return std::nullopt;
    reference.remove_prefix(colon + 1);
    if (!reference.starts_with("//")) return std::nullopt;
  }
  s.rest = reference;
  if (!reference.starts_with("//")) return s;
  s.absolute = true;
  reference.remove_prefix(2);
  const size_t end = reference.find_first_of("/?");
  for (const char c : reference.substr(0, end)) s.authority += http::lower(c);
  s.rest = end == std::string_view::npos ? std::string_view{} : reference.substr(end);
  if (!http::is_authority(s.authority)) return std::nullopt;
  return s;
}

} // namespace

std::optional<std::string> same_origin_key(const http::RequestHead& request, std::string_view reference) {
  reference = reference.substr(0, reference.find('#'));
  const auto s = split(http::trim(reference));
  if (!s) return std::nullopt;
  std::string path(s->rest.substr(0, s->rest.find('?')));
  bool has_query = path.size() < s->rest.size();
  std::string_view query = has_query ? s->rest.substr(path.size() + 1) : std::string_view{};
  if (path.empty() && s->absolute) {
    path = "/";
  } else if (path.empty()) {
    path = request.path;
    if (!has_query) { // nothing but a fragment: the request's own URI (RFC 3986 section 5.2.2)
      has_query = request.has_query;
      query = request.query;
    }
  } else if (path.front() != '/') {
    path.insert(0, request.path.substr(0, request.path.rfind('/') + 1)); // relative to the request's directory
  }
  const auto normal = normal_path(path);
  if (!normal) return std::nullopt;
  const std::string_view scheme = s->scheme.empty() ? std::string_view(request.scheme) : std::string_view(s->scheme);
  const std::string_view authority = s->absolute ? std::string_view(s->authority) : std::string_view(request.authority);
  // Default ports are left out by the key, so the origins are compared as keys too.
  if (key_text(scheme, authority, "/", false, "") != key_text(request.scheme, request.authority, "/", false, "")) {
    return std::nullopt;
  }
  return key_text(scheme, authority, *normal, has_query, query);
}

} // namespace verge::policy
