#include "proxy/http/grammar.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

#include "proxy/http/octets.h"

namespace verge::http {
namespace {

bool is_space(char c) noexcept { return c == ' ' || c == '\t'; }

bool is_reg_name(std::string_view s) noexcept {
  for (size_t i = 0; i < s.size(); ++i) {
    if (s[i] == '%') {
      if (i + 2 >= s.size() || octets::hex(s[i + 1]) < 0 || octets::hex(s[i + 2]) < 0) return false;
      i += 2;
    } else if (!octets::kRegName[octets::u(s[i])]) {
      return false;
    }
  }
  return !s.empty();
}

bool is_ipv6(std::string_view s) noexcept {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (s.size() >= text.size()) return false;
  std::memcpy(text.data(), s.data(), s.size());
  std::array<unsigned char, 16> address{};
  return inet_pton(AF_INET6, text.data(), address.data()) == 1;
}

std::optional<uint16_t> parse_port(std::string_view s) noexcept {
  const auto n = parse_digits(s);
  if (!n || *n > std::numeric_limits<uint16_t>::max()) return std::nullopt;
  return static_cast<uint16_t>(*n);
}

// *DIGIT that fits 16 bits.
bool is_port(std::string_view s) noexcept {
  if (s.size() > 5) return false;
  uint32_t n = 0;
  for (const char c : s) {
    if (c < '0' || c > '9') return false;
    n = n * 10 + static_cast<uint32_t>(c - '0');
  }
  return n <= std::numeric_limits<uint16_t>::max();
}

// Where the host ends: at the colon of the port or at the end.
size_t host_end(std::string_view authority) noexcept {
  if (!authority.empty() && authority.front() == '[') {
    const size_t close = authority.find(']');
    return close == std::string_view::npos ? authority.size() : close + 1;
  }
  return std::min(authority.find(':'), authority.size());
}

} // namespace

bool is_token(std::string_view s) noexcept { return !s.empty() && octets::all(s, octets::kToken); }

bool is_field_value(std::string_view s) noexcept {
  if (s.empty()) return true;
  return !is_space(s.front()) && !is_space(s.back()) && octets::all_value(s);
}

bool is_authority(std::string_view s) noexcept {
  size_t end = 0;
  while (end < s.size() && octets::kRegName[octets::u(s[end])]) ++end;
  if (end < s.size() && s[end] != ':') { // rare: an address in brackets, or "%"
    end = host_end(s);
    const std::string_view host = s.substr(0, end);
    const bool literal = host.size() >= 4 && host.front() == '[' && host.back() == ']';
    if (literal ? !is_ipv6(host.substr(1, host.size() - 2)) : !is_reg_name(host)) return false;
  }
  if (end == s.size()) return end > 0;
  return end > 0 && s[end] == ':' && is_port(s.substr(end + 1));
}

bool is_target(std::string_view s) noexcept {
  if (s == "*") return true;
  return !s.empty() && s.front() == '/' && octets::all(s, octets::kTarget);
}

std::string_view trim(std::string_view s) noexcept {
  while (!s.empty() && is_space(s.front())) s.remove_prefix(1);
  while (!s.empty() && is_space(s.back())) s.remove_suffix(1);
  return s;
}

bool iequals_sized(const char* a, const char* b, size_t n) noexcept { return octets::same_lower(a, b, n); }

char lower(char c) noexcept { return octets::lower(c); }

void write_lower(char* to, std::string_view s) noexcept { octets::lower_to(to, s.data(), s.size()); }

std::vector<std::string_view> list_members(std::string_view value) {
  std::vector<std::string_view> out;
  size_t begin = 0;
  bool quoted = false;
  for (size_t i = 0; i <= value.size(); ++i) {
    if (i == value.size() || (value[i] == ',' && !quoted)) {
      const auto member = trim(value.substr(begin, i - begin));
      if (!member.empty()) out.push_back(member);
      begin = i + 1;
    } else if (value[i] == '"') {
      quoted = !quoted;
    } else if (quoted && value[i] == '\\' && i + 1 < value.size()) {
      ++i; // quoted-pair
    }
  }
  return out;
}

std::optional<uint64_t> parse_digits(std::string_view s) noexcept {
  constexpr auto kMax = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  if (s.empty()) return std::nullopt;
  uint64_t n = 0;
  for (const char c : s) {
    if (c < '0' || c > '9') return std::nullopt;
    const auto d = static_cast<uint64_t>(c - '0');
    if (n > (kMax - d) / 10) return std::nullopt;
    n = n * 10 + d;
  }
  return n;
}

std::string_view host_of(std::string_view authority) noexcept { return authority.substr(0, host_end(authority)); }

HostPort split_authority(std::string_view authority) noexcept {
  const size_t end = host_end(authority);
  HostPort out{authority.substr(0, end), std::nullopt};
  if (end < authority.size() && authority[end] == ':') out.port = parse_port(authority.substr(end + 1));
  return out;
}

FieldKind kind_of_few(std::string_view name) noexcept {
  const auto is = [name](std::string_view s, FieldKind kind) {
    return iequals(name, s) ? kind : FieldKind::end_to_end;
  };
  switch (name.size()) {
    case 2: return is("te", FieldKind::hop_by_hop);
    case 4: return is("host", FieldKind::host);
    case 6: return is("expect", FieldKind::expect);
    case 7: return iequals(name, "trailer") ? FieldKind::hop_by_hop : is("upgrade", FieldKind::hop_by_hop);
    case 10: return iequals(name, "keep-alive") ? FieldKind::hop_by_hop : is("connection", FieldKind::connection);
    case 14: return is("content-length", FieldKind::content_length);
    case 16: return is("proxy-connection", FieldKind::hop_by_hop);
    case 17: return is("transfer-encoding", FieldKind::transfer_encoding);
    case 18: return is("proxy-authenticate", FieldKind::hop_by_hop);
    case 19: return is("proxy-authorization", FieldKind::hop_by_hop);
    default: return FieldKind::end_to_end;
  }
}

void remove_nominated(Headers& headers, std::string_view connection) {
  static constexpr std::array<std::string_view, 7> kKept = {
      "host", "content-length", "authorization", "cookie", "cache-control", "set-cookie", "vary"};
  const auto before = [](std::string_view a, std::string_view b) {
    return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(),
                                        [](char x, char y) { return octets::lower(x) < octets::lower(y); });
  };
  auto names = list_members(connection);
  std::sort(names.begin(), names.end(), before);
  headers.remove_if([&](const Field& f) {
    return std::binary_search(names.begin(), names.end(), f.name, before) &&
           std::find(kKept.begin(), kKept.end(), f.name) == kKept.end();
  });
}

void remove_hop_by_hop(Headers& headers) {
  if (headers.has("connection")) remove_nominated(headers, headers.joined("connection"));
  headers.remove_if([](const Field& f) {
    const FieldKind kind = kind_of(f.name);
    return kind == FieldKind::connection || kind == FieldKind::transfer_encoding || kind == FieldKind::hop_by_hop;
  });
}

} // namespace verge::http
