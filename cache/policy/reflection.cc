#include "cache/policy/reflection.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "cache/policy/key.h"
#include "cache/policy/usual_values.h"
#include "proxy/http/grammar.h"

namespace verge::policy {
namespace {

constexpr size_t kLeastField = 5, kLeastCookie = 6, kLeastAgent = 8; // shorter values turn up by chance
constexpr size_t kMostLength = 128;                                  // octets of a value that are looked for
constexpr size_t kMostNeedles = 256;                                 // a request with more than that is no browser's
constexpr size_t kMostCompares = 200'000;                            // in one text
constexpr size_t kGramBits = 16;

int hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  c = http::lower(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// The number of up to `most` digits at `s`, for the octet it stands for; `used`: its digits. Beyond ASCII nothing
// matters here.
std::optional<char> number(std::string_view s, int base, size_t most, size_t& used) noexcept {
  int n = 0;
  used = 0;
  while (used < s.size() && used < most) {
    const int digit = hex_digit(s[used]);
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
    const bool hex = s.size() > 2 && http::lower(s[2]) == 'x';
    size_t used = 0;
    const auto c = number(s.substr(hex ? 3 : 2), hex ? 16 : 10, 7, used);
    size_t size = (hex ? 3 : 2) + used;
    if (!c) return std::nullopt;
    if (size < s.size() && s[size] == ';') ++size;
    return Unescaped{*c, size};
  }
  for (const auto& [name, c] : kNamed) {
    if (s.size() >= name.size() && http::iequals(s.substr(0, name.size()), name)) return Unescaped{c, name.size()};
  }
  return std::nullopt;
}

std::optional<Unescaped> unescape_script(std::string_view s) noexcept {
  if (s.size() < 2) return std::nullopt;
  size_t used = 0;
  if (s[1] == 'u' || s[1] == 'x') {
    const size_t digits = s[1] == 'u' ? 4 : 2;
    const auto c = number(s.substr(2), 16, digits, used);
    if (!c || used != digits) return std::nullopt;
    return Unescaped{*c, 2 + digits};
  }
  if (std::string_view("/\\\"'`").find(s[1]) != std::string_view::npos) return Unescaped{s[1], 2};
  return std::nullopt;
}

std::optional<Unescaped> unescape_percent(std::string_view s) noexcept {
  if (s.size() < 3 || hex_digit(s[1]) < 0 || hex_digit(s[2]) < 0) return std::nullopt;
  return Unescaped{static_cast<char>(hex_digit(s[1]) * 16 + hex_digit(s[2])), 3};
}

std::string lowered(std::string_view s) {
  std::string out(s);
  std::ranges::transform(out, out.begin(), http::lower);
  return out;
}

// Lower case, one level of escapes undone, "+" as the space it is in a form.
std::string unescaped(std::string_view s) {
  std::string out;
  out.reserve(s.size());
  for (size_t i = 0; i < s.size();) {
    std::optional<Unescaped> found;
    switch (s[i]) {
      case '&': found = unescape_html(s.substr(i)); break;
      case '%': found = unescape_percent(s.substr(i)); break;
      case '\\': found = unescape_script(s.substr(i)); break;
      default: break;
    }
    out += found ? http::lower(found->c) : s[i] == '+' ? ' ' : http::lower(s[i]);
    i += found ? found->size : 1;
  }
  return out;
}

uint32_t gram_at(const char* p) noexcept {
  uint32_t gram;
  std::memcpy(&gram, p, sizeof gram);
  return gram;
}
size_t gram_bit(uint32_t gram) noexcept { return (gram * 2'654'435'761u) >> (32 - kGramBits); }

bool continues_url(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (static_cast<unsigned char>(c) >= 0x80) ||
         std::string_view("/-_.~%?=&:@#").find(c) != std::string_view::npos;
}

// "https://www.example.com/a" -> "www.example.com"; empty: not an absolute URL.
std::string_view host_of(std::string_view url) noexcept {
  if (!url.starts_with("http://") && !url.starts_with("https://")) return {};
  return key_parts(url).host;
}

// Nothing but what a link has.
bool plain_url(std::string_view url) noexcept {
  return std::ranges::all_of(url, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("/-_.~?=&:@+,").find(c) != std::string_view::npos;
  });
}

class Collector {
 public:
  explicit Collector(std::string_view key)
      : key_(lowered(key)), site_(std::string_view(key_).substr(0, key_.find('/', key_.find("://") + 3))) {
    own_host_ = key_parts(key).host;
  }

  void field(std::string_view name, std::string_view value) {
    if (is_usual(name, value)) return;
    if (name == "referer") return referer(value);
    if (name == "origin") return add(name, value, kLeastField, http::iequals(host_of(value), own_host_), true);
    add(name, value, name == "user-agent" ? kLeastAgent : kLeastField);
    if (name == "authorization") {
      const size_t space = value.find(' ');
      if (space != value.npos) add(name, http::trim(value.substr(space)), kLeastAgent);
    }
  }

  void cookies(std::string_view value) {
    while (!value.empty()) {
      const size_t end = std::min(value.find(';'), value.size());
      cookie(http::trim(value.substr(0, end)));
      value.remove_prefix(std::min(end + 1, value.size()));
    }
  }

  std::vector<Unkeyed> take() { return std::move(out_); }

 private:
  // A page's links name the site's own pages, whichever of them the visitor came from.
  void referer(std::string_view value) {
    if (http::iequals(host_of(value), own_host_) && plain_url(value)) return;
    add("referer", value, kLeastField, false, plain_url(value) && key_parts(value).path_and_query.size() <= 1);
  }

  void cookie(std::string_view pair) {
    const size_t equals = pair.find('=');
    const std::string_view name = http::trim(pair.substr(0, equals));
    std::string_view value = equals == pair.npos ? std::string_view{} : http::trim(pair.substr(equals + 1));
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
    const std::string shown = "cookie " + std::string(name.substr(0, 64));
    add(shown, value, kLeastCookie);
    if (!std::ranges::all_of(name, [](char c) { return http::is_token({&c, 1}); })) add(shown, name, kLeastCookie);
  }

  // What stands in the key may stand in the answer: the site's own name, and of the rest what is a plain word. Anybody
  // can put anything into a URL to have it excused, but a word without dots leads nowhere and is no markup.
  bool excused(std::string_view value) const {
    const std::string lower = lowered(value);
    if (site_.find(lower) != site_.npos) return true;
    return key_.find(lower) != key_.npos && std::ranges::all_of(lower, [](char c) {
             return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
           });
  }

  void add(std::string_view name, std::string_view value, size_t least, bool head_only = false, bool bounded = false) {
    value = http::trim(value);
    if (value.size() < least || excused(value)) return;
    out_.push_back({std::string(name), std::string(value), head_only, bounded});
  }

  std::string key_;       // lower case
  std::string_view site_; // scheme and authority in it
  std::string_view own_host_;
  std::vector<Unkeyed> out_;
};

bool listed(const std::vector<std::string>& sorted, std::string_view name) {
  return std::ranges::binary_search(sorted, name, std::less<>{});
}

} // namespace

std::vector<Unkeyed> unkeyed_values(const http::Headers& forwarded, const std::vector<std::string>& in_key,
                                    const std::vector<std::string>& vary, std::string_view key) {
  Collector c(key);
  for (const http::Field field : forwarded) {
    if (listed(in_key, field.name) || listed(vary, field.name)) continue;
    field.name == "cookie" ? c.cookies(field.value) : c.field(field.name, field.value);
  }
  return c.take();
}

std::vector<Unkeyed> unkeyed_parameters(std::string_view query, std::string_view key) {
  const std::string_view url = key.substr(0, key.find('\n'));
  const size_t mark = url.find('?');
  const std::string kept = "&" + std::string(mark == url.npos ? std::string_view{} : url.substr(mark + 1)) + "&";
  std::vector<Unkeyed> out;
  while (!query.empty()) {
    const size_t end = std::min(query.find('&'), query.size());
    const std::string part(query.substr(0, end));
    query.remove_prefix(std::min(end + 1, query.size()));
    const size_t equals = part.find('=');
    if (kept.find("&" + part + "&") != kept.npos) continue;
    const std::string value = equals == part.npos ? part : part.substr(equals + 1);
    if (value.size() < kLeastField) continue;
    Unkeyed u;
    u.name = "parameter " + part.substr(0, std::min<size_t>(equals, 64));
    u.value = value;
    out.push_back(std::move(u));
  }
  return out;
}

bool is_readable(const http::Headers& response) {
  for (const http::Field field : response) {
    if (field.name == "content-encoding" && !http::iequals(field.value, "identity")) return false;
  }
  const std::string type = lowered(response.get("content-type").value_or(""));
  if (type.starts_with("image/")) return type.starts_with("image/svg");
  return !type.starts_with("video/") && !type.starts_with("audio/") && !type.starts_with("font/");
}

ReflectionSearch::ReflectionSearch(const std::vector<Unkeyed>& wanted) {
  for (const Unkeyed& u : wanted) {
    if (names_.size() == kMostNeedles) {
      too_many_ = true;
      break;
    }
    const auto of = static_cast<uint32_t>(names_.size());
    names_.push_back(u.name);
    if (!u.head_only) for_body_ = true;
    const auto plain = lowered(u.value).substr(0, kMostLength);
    auto decoded = unescaped(u.value).substr(0, kMostLength);
    if (decoded == plain || decoded.size() < kLeastField) decoded.clear();
    for (const auto& text : {plain, decoded}) {
      if (!text.empty()) needles_.push_back({gram_at(text.data()), of, text, u.head_only, u.bounded});
    }
  }
  std::ranges::sort(needles_, {}, &Needle::gram);
  if (needles_.empty()) return;
  grams_.assign((size_t{1} << kGramBits) / 64, 0);
  for (const Needle& n : needles_) grams_[gram_bit(n.gram) / 64] |= uint64_t{1} << gram_bit(n.gram) % 64;
}

std::optional<std::string> ReflectionSearch::in_head(const http::Headers& response) const {
  // Written by servers on the way, or by rule; what they hold steers nothing.
  constexpr std::array<std::string_view, 6> kOfNoUse = {"age",  "cache-control", "content-length",
                                                        "date", "vary",          "via"};
  std::string text;
  for (const http::Field field : response) {
    if (std::ranges::find(kOfNoUse, field.name) == kOfNoUse.end()) text.append(field.value).push_back('\n');
  }
  return find(text, true);
}

std::optional<std::string> ReflectionSearch::in_body(std::string_view octets) const { return find(octets, false); }

std::optional<std::string> ReflectionSearch::find(std::string_view text, bool head) const {
  if (too_many_) return "more fields than can be looked for";
  if (needles_.empty()) return std::nullopt;
  const std::string plain = lowered(text);
  if (auto found = scan(plain, head)) return found;
  const std::string decoded = unescaped(text);
  return decoded == plain ? std::nullopt : scan(decoded, head);
}

std::optional<std::string> ReflectionSearch::scan(std::string_view text, bool head) const {
  size_t compares = 0;
  for (size_t i = 0; i + sizeof(uint32_t) <= text.size(); ++i) {
    const uint32_t gram = gram_at(text.data() + i);
    if ((grams_[gram_bit(gram) / 64] >> gram_bit(gram) % 64 & 1) == 0) continue;
    for (auto n = std::ranges::lower_bound(needles_, gram, {}, &Needle::gram); n != needles_.end() && n->gram == gram;
         ++n) {
      if (++compares > kMostCompares) return "more fields than can be looked for";
      if (!text.substr(i).starts_with(n->text) || (n->head_only && !head)) continue;
      const size_t end = i + n->text.size();
      if (n->bounded && end < text.size() && continues_url(text[end])) continue;
      return names_[n->of];
    }
  }
  return std::nullopt;
}

} // namespace verge::policy
