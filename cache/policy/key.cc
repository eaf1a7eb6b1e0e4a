#include "cache/policy/key.h"

#include <fmt/core.h>

#include <cstring>

#include "proxy/http/grammar.h"

namespace verge::policy {
namespace {

constexpr bool is_unreserved(unsigned char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

// What may stand in a path as it is: pchar of RFC 3986 section 3.3, and "/".
constexpr bool is_path_octet(unsigned char c) noexcept {
  constexpr std::string_view kOthers = "!$&'()*+,;=:@/";
  return is_unreserved(c) || kOthers.find(static_cast<char>(c)) != std::string_view::npos;
}

constexpr int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

void append_encoded(std::string& out, unsigned char c) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  out += '%';
  out += kHex[c >> 4];
  out += kHex[c & 15];
}

// The octets in their normal form; dot segments are still there.
Result<std::string> normal_octets(std::string_view raw) {
  std::string out;
  out.reserve(raw.size() + 8);
  for (size_t i = 0; i < raw.size(); ++i) {
    auto c = static_cast<unsigned char>(raw[i]);
    if (c != '%') {
      if (c == 0) return fail(Errc::bad_input, "path: holds a NUL octet", Side::client);
      is_path_octet(c) ? out.push_back(raw[i]) : append_encoded(out, c);
      continue;
    }
    const int high = i + 1 < raw.size() ? hex_value(raw[i + 1]) : -1;
    const int low = i + 2 < raw.size() ? hex_value(raw[i + 2]) : -1;
    if (high < 0 || low < 0) {
      return fail(Errc::bad_input, fmt::format("path: \"%\" at octet {} without two hex digits; send it as %25", i),
                  Side::client);
    }
    c = static_cast<unsigned char>(high * 16 + low);
    if (c == 0) return fail(Errc::bad_input, fmt::format("path: %00 at octet {}", i), Side::client);
    is_unreserved(c) ? out.push_back(static_cast<char>(c)) : append_encoded(out, c);
    i += 2;
  }
  return out;
}

// The port without leading zeros, or empty when it is none or the scheme's own.
std::string_view port_to_write(std::string_view scheme, std::string_view port) noexcept {
  while (!port.empty() && port.front() == '0') port.remove_prefix(1);
  if ((scheme == "https" && port == "443") || (scheme == "http" && port == "80")) return {};
  return port;
}

// Where ":port" begins, or the end. A colon within the brackets of an IPv6 address is none.
size_t port_colon(std::string_view authority) noexcept {
  if (authority.find(':') == std::string_view::npos) return authority.size(); // told faster than from the end
  const size_t colon = authority.rfind(':');
  const size_t bracket = authority.rfind(']');
  return bracket != std::string_view::npos && bracket > colon ? authority.size() : colon;
}

} // namespace

bool is_normal_path(std::string_view raw) noexcept {
  static constexpr auto kKept = [] {
    std::array<bool, 256> t{};
    for (unsigned c = 0; c < t.size(); ++c) t[c] = c < 0x80 && is_path_octet(static_cast<unsigned char>(c));
    return t;
  }();
  if (raw.empty() || raw.front() != '/') return false;
  char before = 0;
  for (const char c : raw) {
    if (!kKept[static_cast<unsigned char>(c)] || (c == '.' && before == '/')) return false;
    before = c;
  }
  return true;
}

Result<std::string> normal_path(std::string_view raw) {
  if (raw == "*") return std::string{raw}; // OPTIONS *
  if (raw.empty() || raw.front() != '/') return fail(Errc::bad_input, "path: does not begin with \"/\"", Side::client);
  auto octets = normal_octets(raw);
  if (!octets) return octets;
  if (octets->find("/.") == std::string::npos) return octets;

  // RFC 3986 section 5.2.4: `out` never ends with "/" between rounds, each round adds "/segment".
  std::string out;
  out.reserve(octets->size());
  const std::string_view in = *octets;
  for (size_t at = 0; at < in.size();) {
    const size_t end = std::min(in.find('/', at + 1), in.size());
    const std::string_view segment = in.substr(at + 1, end - at - 1);
    const bool last = end == in.size();
    if (segment == "..") {
      const size_t cut = out.rfind('/');
      if (cut == std::string::npos) return fail(Errc::bad_input, "path: \"..\" leads above the root", Side::client);
      out.resize(cut);
    } else if (segment != ".") {
      out += in.substr(at, end - at);
      at = end;
      continue;
    }
    if (last) out += '/';
    at = end;
  }
  return out;
}

void make_key_text(std::string& out, std::string_view scheme, std::string_view authority, std::string_view path,
                   bool has_query, std::string_view query) {
  const size_t colon = port_colon(authority);
  const std::string_view port =
      colon < authority.size() ? port_to_write(scheme, authority.substr(colon + 1)) : std::string_view{};
  const size_t size = scheme.size() + 3 + colon + (port.empty() ? 0 : 1 + port.size()) + path.size() +
                      (has_query ? 1 + query.size() : 0);
  out.clear();
  out.resize_and_overwrite(size, [&](char* to, size_t) { // whose size may be more than was asked for: GCC 12
    const auto put = [&to](std::string_view part) {
      if (!part.empty()) std::memcpy(to, part.data(), part.size());
      to += part.size();
    };
    put(scheme);
    put("://");
    http::write_lower(to, {authority.data(), colon});
    to += colon;
    if (!port.empty()) {
      put(":");
      put(port);
    }
    put(path);
    if (has_query) {
      put("?");
      put(query);
    }
    return size;
  });
}

std::string key_text(std::string_view scheme, std::string_view authority, std::string_view path, bool has_query,
                     std::string_view query) {
  std::string out;
  make_key_text(out, scheme, authority, path, has_query, query);
  return out;
}

KeyParts key_parts(std::string_view key_text) noexcept {
  const size_t scheme_end = key_text.find("://");
  if (scheme_end != std::string_view::npos) key_text.remove_prefix(scheme_end + 3);
  key_text = key_text.substr(0, key_text.find('\n'));
  const size_t path = std::min(key_text.find_first_of("/?"), key_text.size());
  const std::string_view authority = key_text.substr(0, path);
  return {authority.substr(0, port_colon(authority)), key_text.substr(path)};
}

} // namespace verge::policy
