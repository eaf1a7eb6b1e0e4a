// Classes of octets, as tables. Pure; for the codecs of this folder.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace verge::http::octets {

inline constexpr size_t kAll = 256;

constexpr bool alpha(unsigned c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr bool digit(unsigned c) noexcept { return c >= '0' && c <= '9'; }

template <class Pred>
constexpr std::array<bool, kAll> table(Pred pred) {
  std::array<bool, kAll> t{};
  for (unsigned c = 0; c < kAll; ++c) t[c] = pred(c);
  return t;
}
constexpr bool among(std::string_view set, unsigned c) noexcept {
  return c < 0x80 && set.find(static_cast<char>(c)) != std::string_view::npos;
}

// RFC 9110 section 5.6.2
inline constexpr auto kToken = table([](unsigned c) { return alpha(c) || digit(c) || among("!#$%&'*+-.^_`|~", c); });
// VCHAR, SP, HTAB and obs-text (RFC 9110 section 5.5)
inline constexpr auto kValue = table([](unsigned c) { return c == '\t' || (c >= 0x20 && c != 0x7f); });
// Visible ASCII but "#"
inline constexpr auto kTarget = table([](unsigned c) { return c > 0x20 && c < 0x7f && c != '#'; });
// reg-name of RFC 3986 section 3.2.2 without "%" (looked at apart) and without ","
inline constexpr auto kRegName = table([](unsigned c) { return alpha(c) || digit(c) || among("-._~!$&'()*+;=", c); });

inline constexpr auto kLower = [] {
  std::array<char, kAll> t{};
  for (unsigned c = 0; c < kAll; ++c) t[c] = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  return t;
}();

// The value of a hex digit, -1 for any other octet.
constexpr int hex_value(unsigned c) noexcept {
  const int i = static_cast<int>(c);
  if (digit(c)) return i - '0';
  if (c >= 'a' && c <= 'f') return i - 'a' + 10;
  if (c >= 'A' && c <= 'F') return i - 'A' + 10;
  return -1;
}
inline constexpr auto kHex = [] {
  std::array<int8_t, kAll> t{};
  for (unsigned c = 0; c < kAll; ++c) t[c] = static_cast<int8_t>(hex_value(c));
  return t;
}();

constexpr unsigned char u(char c) noexcept { return static_cast<unsigned char>(c); }
constexpr char lower(char c) noexcept { return kLower[u(c)]; }
constexpr int hex(char c) noexcept { return kHex[u(c)]; }

inline bool all(std::string_view s, const std::array<bool, kAll>& t) noexcept {
  for (const char c : s) {
    if (!t[u(c)]) return false;
  }
  return true;
}

} // namespace verge::http::octets
