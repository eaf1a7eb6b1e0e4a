#include "cache/policy/unescaped.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "proxy/http/grammar.h"
#include "proxy/http/octets.h"

namespace verge::policy {
namespace {

using http::octets::hex;

// The number of up to `most` digits at `s`, for the octet it stands for; `used`: its digits. Beyond ASCII nothing
// matters here.
std::optional<char> number_at(std::string_view s, int base, size_t most, size_t& used) noexcept {
  int n = 0;
  used = 0;
  while (used < s.size() && used < most) {
    const int digit = hex(s[used]);
    if (digit < 0 || digit >= base) break;
    n = std::min(n * base + digit, 0x10ffff);
    ++used;
  }
  if (used == 0 || n == 0 || n > 0x7f) return std::nullopt;
  return static_cast<char>(n);
}

struct Unescaped {
  char c;
  size_t size; // of the escape
};

std::optional<Unescaped> unescape_html(std::string_view s) noexcept {
  constexpr std::array<std::pair<std::string_view, char>, 10> kNamed = {{{"&amp;", '&'},
                                                                         {"&lt;", '<'},
                                                                         {"&gt;", '>'},
                                                                         {"&quot;", '"'},
                                                                         {"&apos;", '\''},
                                                                         {"&sol;", '/'},
                                                                         {"&colon;", ':'},
                                                                         {"&equals;", '='},
                                                                         {"&lpar;", '('},
                                                                         {"&rpar;", ')'}}};
  if (s.starts_with("&#")) {
    const size_t begin = s.size() > 2 && http::lower(s[2]) == 'x' ? 3 : 2;
    size_t used = 0;
    const auto c = number_at(s.substr(begin), begin == 3 ? 16 : 10, 7, used);
    size_t size = begin + used;
    if (!c) return std::nullopt;
    if (size < s.size() && s[size] == ';') ++size;
    return Unescaped{*c, size};
  }
  const char first = s.size() < 4 ? '\0' : http::lower(s[1]);
  for (const auto& [name, c] : kNamed) {
    if (name[1] == first && s.size() >= name.size() && http::iequals(s.substr(0, name.size()), name))
      return Unescaped{c, name.size()};
  }
  return std::nullopt;
}

std::optional<Unescaped> unescape_script(std::string_view s) noexcept {
  if (s.size() < 2) return std::nullopt;
  size_t used = 0;
  if (s[1] == 'u' || s[1] == 'x') {
    const size_t digits = s[1] == 'u' ? 4 : 2;
    const auto c = number_at(s.substr(2), 16, digits, used);
    if (!c || used != digits) return std::nullopt;
    return Unescaped{*c, 2 + digits};
  }
  if (std::string_view("/\\\"'`").find(s[1]) != std::string_view::npos) return Unescaped{s[1], 2};
  return std::nullopt;
}

std::optional<Unescaped> unescape_percent(std::string_view s) noexcept {
  if (s.size() < 3 || hex(s[1]) < 0 || hex(s[2]) < 0) return std::nullopt;
  return Unescaped{static_cast<char>(hex(s[1]) * 16 + hex(s[2])), 3};
}

std::optional<Unescaped> unescape_at(std::string_view s) noexcept {
  switch (s.front()) {
    case '&': return unescape_html(s);
    case '%': return unescape_percent(s);
    case '\\': return unescape_script(s);
    case '+': return Unescaped{' ', 1};
    default: return std::nullopt;
  }
}

// How many octets come before one that may begin an escape: most texts are long stretches without any.
size_t plain_size(std::string_view s) noexcept {
  using namespace http::octets;
  size_t i = 0;
  for (; i + 16 <= s.size(); i += 16) {
    const Sixteen v = load16(s.data() + i);
    const size_t plain = first_of(static_cast<Sixteen>((v == '&') | (v == '%') | (v == '\\') | (v == '+')));
    if (plain < 16) return i + plain;
  }
  return std::min(s.find_first_of("&%\\+", i), s.size());
}

} // namespace

bool has_escapes(std::string_view text) noexcept { return plain_size(text) < text.size(); }

std::string unescaped(std::string_view text) {
  std::string out;
  out.resize_and_overwrite(text.size(), [text](char* to, size_t) mutable { // what an escape stands for is shorter
    const char* const begin = to;
    for (;;) {
      const size_t plain = plain_size(text);
      http::write_lower(to, text.substr(0, plain));
      to += plain;
      text.remove_prefix(plain);
      if (text.empty()) return to - begin;
      const auto found = unescape_at(text);
      *to++ = found ? http::lower(found->c) : text.front();
      text.remove_prefix(found ? found->size : 1);
    }
  });
  return out;
}

} // namespace verge::policy
