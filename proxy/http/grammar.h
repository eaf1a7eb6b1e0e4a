// The field grammar of RFC 9110 section 5 and 9112, shared by both codecs. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "proxy/base/result.h"
#include "proxy/http/message.h"

namespace verge::http {

bool is_token(std::string_view s) noexcept;
// No NUL, CR, LF or other controls but HTAB; obs-text is allowed; no leading or trailing white space.
bool is_field_value(std::string_view s) noexcept;
// host [":" port] of RFC 3986 as allowed in Host and :authority: reg-name, IPv4, [IPv6]; no userinfo, no empty host, no
// comma (that is how two Host lines look when a careless peer has joined them); a port fits 16 bits or is empty.
bool is_authority(std::string_view s) noexcept;
// Visible ASCII and, for the path, no "#" and no white space. Begins with "/" or is "*".
bool is_target(std::string_view s) noexcept;
std::string_view trim(std::string_view s) noexcept;                  // SP and HTAB
bool iequals_sized(const char* a, const char* b, size_t n) noexcept; // of the same size
inline bool iequals(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() && iequals_sized(a.data(), b.data(), a.size());
}
char lower(char c) noexcept;
void write_lower(char* to, std::string_view s) noexcept; // as many octets; they don't overlap
// Members of a comma-separated list (#rule), quoted strings respected, empty members left out, white space trimmed.
std::vector<std::string_view> list_members(std::string_view value);
// 1*DIGIT that fits 63 bits.
std::optional<uint64_t> parse_digits(std::string_view s) noexcept;
// Host without port, and port; of "[::1]:80" -> "[::1]", 80.
struct HostPort {
  std::string_view host;
  std::optional<uint16_t> port;
};
std::string_view host_of(std::string_view authority) noexcept;
HostPort split_authority(std::string_view authority) noexcept;

// What a field means to the connection it came on. Any case.
enum class FieldKind : uint8_t { end_to_end, host, content_length, transfer_encoding, connection, expect, hop_by_hop };
FieldKind kind_of_few(std::string_view name) noexcept; // the whole rule
inline FieldKind kind_of(std::string_view name) noexcept {
  // By size, the letters that those names begin with that are not end to end, as bits: nearly all fields end here.
  constexpr auto bit = [](char c) { return uint32_t{1} << (c & 31); }; // the same for both cases
  constexpr auto begins = [bit] {
    std::array<uint32_t, 20> out{};
    for (const std::string_view special :
         {"te", "host", "expect", "trailer", "upgrade", "keep-alive", "connection", "content-length",
          "proxy-connection", "transfer-encoding", "proxy-authenticate", "proxy-authorization"}) {
      out[special.size()] |= bit(special.front());
    }
    return out;
  }();
  if (name.empty() || name.size() >= begins.size()) return FieldKind::end_to_end;
  return (begins[name.size()] & bit(name.front())) == 0 ? FieldKind::end_to_end : kind_of_few(name);
}

// Removes Connection, what it nominates, Keep-Alive, Proxy-Connection, Proxy-Authenticate, Proxy-Authorization, TE,
// Trailer, Transfer-Encoding, Upgrade (RFC 9110 section 7.6.1). Host, Content-Length, Authorization, Cookie and
// Cache-Control can't be nominated away, nor can Set-Cookie and Vary: without them a private answer looks public.
void remove_hop_by_hop(Headers& headers);
// Only what `connection`, the value of a Connection field, nominates. Work grows with fields times log of nominations.
void remove_nominated(Headers& headers, std::string_view connection);

} // namespace verge::http
