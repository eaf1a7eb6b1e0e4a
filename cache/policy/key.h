// The cache key: what an answer may depend on. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/base/result.h"
#include "proxy/http/message.h"

namespace verge::policy {

// Normal form of a raw path, the same for routing, key and origin: dot segments removed (RFC 3986 section 5.2.4),
// percent-encoded unreserved octets decoded, hex digits upper case, octets that must be encoded are. Slashes are not
// merged, %2F stays. Error bad_input: a "%" without two hex digits, %00, or ".." above the root.
Result<std::string> normal_path(std::string_view raw);
// True when it certainly is in normal form already, as almost every path that is sent: then it need not be made anew.
bool is_normal_path(std::string_view raw) noexcept;

// "https://www.example.com/a/b?x=1": scheme, host and port (default port left out), path, query as sent.
std::string key_text(std::string_view scheme, std::string_view authority, std::string_view path, bool has_query,
                     std::string_view query);
// The same in the place of what `out` held, in its memory.
void make_key_text(std::string& out, std::string_view scheme, std::string_view authority, std::string_view path,
                   bool has_query, std::string_view query);
// What else an answer depends on stands behind the URL, each part as "\nname=value": it has the same host and path, and
// an invalidation of the URL covers it. A URL holds no line feed. The parts of a key text again, as views: host without
// port, and path with query.
struct KeyParts {
  std::string_view host;
  std::string_view path_and_query;
};
KeyParts key_parts(std::string_view key_text) noexcept;

} // namespace verge::policy
