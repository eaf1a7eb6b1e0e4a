// Classes of octets, as tables, and texts sixteen octets at a time. Pure; for those who read every octet of something.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
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

// Sixteen octets in one register, SSE2 or NEON, whatever the compiler has. A comparison gives 0xff where it holds.
using Sixteen = unsigned char __attribute__((vector_size(16)));
inline Sixteen load16(const char* at) noexcept {
  Sixteen v;
  std::memcpy(&v, at, sizeof(v));
  return v;
}
inline void store16(char* at, const Sixteen& v) noexcept { std::memcpy(at, &v, sizeof(v)); }
// The index of the first octet that is not 0; 16: none.
inline size_t first_of(const Sixteen& v) noexcept {
  const auto half = std::bit_cast<std::array<uint64_t, 2>>(v);
  const auto first = [](uint64_t w) {
    return static_cast<size_t>(std::endian::native == std::endian::little ? std::countr_zero(w) : std::countl_zero(w));
  };
  if (half[0] != 0) return first(half[0]) / 8;
  return half[1] != 0 ? 8 + first(half[1]) / 8 : 16;
}
inline bool none_of(const Sixteen& v) noexcept {
  const auto half = std::bit_cast<std::array<uint64_t, 2>>(v);
  return (half[0] | half[1]) == 0;
}
inline Sixteen lower16(const Sixteen& v) noexcept { return v | (static_cast<Sixteen>(v - 'A' < 26) & 0x20); }
// `n` octets at `at`, 4 to 15, some of them twice: from the front and up to the end.
inline Sixteen load_few(const char* at, size_t n) noexcept {
  std::array<uint64_t, 2> half{};
  if (n >= 8) {
    std::memcpy(&half[0], at, 8);
    std::memcpy(&half[1], at + n - 8, 8);
  } else {
    uint32_t front = 0, back = 0;
    std::memcpy(&front, at, 4);
    std::memcpy(&back, at + n - 4, 4);
    half[0] = half[1] = uint64_t{front} | uint64_t{back} << 32;
  }
  return std::bit_cast<Sixteen>(half);
}
// Calls each(Sixteen) for all of `s`, whose size is at least 4, until that gives false. Some octets come twice.
template <class Each>
bool by_sixteen(std::string_view s, const Each& each) noexcept {
  if (s.size() < 16) return each(load_few(s.data(), s.size()));
  for (size_t i = 0; i + 16 < s.size(); i += 16) {
    if (!each(load16(s.data() + i))) return false;
  }
  return each(load16(s.data() + s.size() - 16));
}

// VCHAR, SP, HTAB and obs-text alone?
inline bool all_value(std::string_view s) noexcept {
  if (s.size() < 4) return all(s, kValue);
  return by_sixteen(
      s, [](const Sixteen& v) { return none_of(static_cast<Sixteen>(((v < 0x20) & (v != '\t')) | (v == 0x7f))); });
}

// How many octets at the front of `s` make a token.
inline size_t token_size(std::string_view s) noexcept {
  size_t i = 0;
  while (i + 16 <= s.size()) { // letters and "-": nearly all there is
    const Sixteen v = load16(s.data() + i);
    const size_t plain = first_of(static_cast<Sixteen>(((v | 0x20) - 'a' >= 26) & (v != '-')));
    i += plain;
    if (plain == 16) continue;
    if (!kToken[u(s[i])]) return i;
    ++i; // a digit, an underscore
  }
  while (i < s.size() && kToken[u(s[i])]) ++i;
  return i;
}

// Writes `n` octets in lower case to `to`, which does not overlap `from`.
inline void lower_to(char* to, const char* from, size_t n) noexcept {
  if (n >= 16) {
    for (size_t i = 0; i + 16 < n; i += 16) store16(to + i, lower16(load16(from + i)));
    store16(to + n - 16, lower16(load16(from + n - 16)));
  } else if (n >= 4) {
    const auto half = std::bit_cast<std::array<uint64_t, 2>>(lower16(load_few(from, n)));
    if (n >= 8) {
      std::memcpy(to, &half[0], 8);
      std::memcpy(to + n - 8, &half[1], 8);
    } else {
      const auto front = static_cast<uint32_t>(half[0]), back = static_cast<uint32_t>(half[0] >> 32);
      std::memcpy(to, &front, 4);
      std::memcpy(to + n - 4, &back, 4);
    }
  } else {
    for (size_t i = 0; i < n; ++i) to[i] = lower(from[i]);
  }
}

// Whether `n` octets are the same but for the case of letters.
inline bool same_lower(const char* a, const char* b, size_t n) noexcept {
  const auto same = [](const Sixteen& x, const Sixteen& y) { return none_of(lower16(x) ^ lower16(y)); };
  if (n >= 16) {
    for (size_t i = 0; i + 16 < n; i += 16) {
      if (!same(load16(a + i), load16(b + i))) return false;
    }
    return same(load16(a + n - 16), load16(b + n - 16));
  }
  if (n >= 4) return same(load_few(a, n), load_few(b, n));
  for (size_t i = 0; i < n; ++i) {
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

} // namespace verge::http::octets
