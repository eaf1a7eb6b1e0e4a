#include "cache/policy/targeted.h"

#include <cstdint>
#include <string>
#include <string_view>

#include "cache/policy/fields.h"

namespace verge::policy {
namespace {

// One dictionary value, as far as we must know it: what it is, and its text or number.
struct Item {
  enum class Kind : uint8_t { boolean, integer, string, other } kind = Kind::other;
  bool truth = false;
  int64_t number = 0;
  std::string text;
};

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool is_lower(char c) noexcept { return c >= 'a' && c <= 'z'; }
bool is_alpha(char c) noexcept { return is_lower(c) || (c >= 'A' && c <= 'Z'); }

// A reader for dictionaries of RFC 9651 section 4.2.2. After a failure `failed()` is true and nothing moves on.
class DictionaryReader {
 public:
  explicit DictionaryReader(std::string_view s) noexcept : rest_(s) {}

  bool failed() const noexcept { return failed_; }

  template <class F>
  void read(F&& on_member) {
    skip(" ");
    while (!rest_.empty() && !failed_) {
      const std::string_view key = read_key();
      Item item;
      if (eat('=')) {
        item = peek() == '(' ? read_inner_list() : read_bare_item();
      } else {
        item.kind = Item::Kind::boolean;
        item.truth = true;
      }
      read_parameters();
      if (failed_) return;
      on_member(key, item);
      skip(" \t");
      if (rest_.empty()) return;
      if (!eat(',')) return fail();
      skip(" \t");
      if (rest_.empty()) return fail(); // a trailing comma
    }
  }

 private:
  void fail() noexcept {
    failed_ = true;
    rest_ = {};
  }
  char peek() const noexcept { return rest_.empty() ? '\0' : rest_.front(); }
  bool eat(char c) noexcept {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void skip(std::string_view set) noexcept {
    while (!rest_.empty() && set.find(rest_.front()) != std::string_view::npos) rest_.remove_prefix(1);
  }
  std::string_view take(size_t n) noexcept {
    const std::string_view out = rest_.substr(0, n);
    rest_.remove_prefix(n);
    return out;
  }

  std::string_view read_key() noexcept {
    if (!is_lower(peek()) && peek() != '*') {
      fail();
      return {};
    }
    size_t n = 1;
    while (n < rest_.size() && (is_lower(rest_[n]) || is_digit(rest_[n]) || rest_[n] == '_' || rest_[n] == '-' ||
                                rest_[n] == '.' || rest_[n] == '*')) {
      ++n;
    }
    return take(n);
  }

  void read_parameters() {
    while (!failed_ && eat(';')) {
      skip(" ");
      read_key();
      if (!failed_ && eat('=')) read_bare_item();
    }
  }

  Item read_inner_list() {
    eat('(');
    while (!failed_) {
      skip(" ");
      if (eat(')')) return {};
      read_bare_item();
      read_parameters();
      if (peek() != ' ' && peek() != ')') fail();
    }
    return {};
  }

  Item read_bare_item() {
    const char c = peek();
    if (c == '-' || is_digit(c)) return read_number();
    if (c == '"') return read_string();
    if (c == '*' || is_alpha(c)) return read_token();
    if (c == ':') return read_octets();
    if (c == '?') return read_boolean();
    if (c == '@') { // a date
      eat('@');
      const Item when = read_number();
      if (when.kind != Item::Kind::integer) fail();
      return {};
    }
    if (rest_.starts_with("%\"")) { // a display string
      eat('%');
      read_string();
      return {};
    }
    fail();
    return {};
  }

  Item read_number() {
    const bool negative = eat('-');
    Item item;
    item.kind = Item::Kind::integer;
    size_t digits = 0;
    for (; is_digit(peek()); ++digits) {
      if (digits == 15) {
        fail();
        return item;
      }
      item.number = item.number * 10 + (take(1).front() - '0');
    }
    if (negative) item.number = -item.number;
    if (digits == 0) fail();
    if (!failed_ && eat('.')) {
      item.kind = Item::Kind::other;
      size_t fraction = 0;
      for (; is_digit(peek()); ++fraction) take(1);
      if (fraction < 1 || fraction > 3 || digits > 12) fail();
    }
    return item;
  }

  Item read_string() {
    eat('"');
    Item item;
    item.kind = Item::Kind::string;
    while (!rest_.empty()) {
      const char c = take(1).front();
      if (c == '"') return item;
      if (c == '\\') {
        if (peek() != '"' && peek() != '\\') break;
        item.text += take(1);
      } else if (c < 0x20 || c > 0x7e) {
        break;
      } else {
        item.text += c;
      }
    }
    fail();
    return item;
  }

  Item read_token() {
    constexpr std::string_view kExtra = "!#$%&'*+-.^_`|~:/";
    while (!rest_.empty() && (is_alpha(peek()) || is_digit(peek()) || kExtra.find(peek()) != std::string_view::npos)) {
      take(1);
    }
    return {};
  }

  Item read_octets() {
    eat(':');
    const size_t end = rest_.find(':');
    if (end == std::string_view::npos) {
      fail();
      return {};
    }
    for (const char c : take(end)) {
      if (!is_alpha(c) && !is_digit(c) && c != '+' && c != '/' && c != '=') fail();
    }
    eat(':');
    return {};
  }

  Item read_boolean() {
    eat('?');
    Item item;
    item.kind = Item::Kind::boolean;
    item.truth = peek() == '1';
    if (!eat('1') && !eat('0')) fail();
    return item;
  }

  std::string_view rest_;
  bool failed_ = false;
};

// no-cache or private: true, or a text of field names.
void take_fields(const Item& item, bool& bare, std::vector<std::string>& fields) {
  bare = false; // of doubles the last counts (RFC 9651 section 4.2.2)
  fields.clear();
  if (item.kind == Item::Kind::boolean) {
    bare = item.truth;
    return;
  }
  bool good = item.kind == Item::Kind::string;
  if (good) {
    each_member(item.text, [&](std::string_view name) {
      if (!http::is_token(name)) good = false;
      std::string lower{name};
      std::ranges::transform(lower, lower.begin(), http::lower);
      fields.push_back(std::move(lower));
    });
  }
  if (!good || fields.empty()) bare = true;
}

void take(ResponseDirectives& out, std::string_view key, const Item& item) {
  const bool on = item.kind == Item::Kind::boolean && item.truth;
  const bool not_off = item.kind != Item::Kind::boolean || item.truth;
  std::optional<Seconds> seconds;
  if (item.kind == Item::Kind::integer && item.number >= 0) seconds = std::min(Seconds{item.number}, kMaxDelta);
  if (key == "max-age") {
    out.max_age = seconds;
  } else if (key == "s-maxage") {
    out.s_maxage = seconds;
  } else if (key == "stale-while-revalidate") {
    out.stale_while_revalidate = seconds;
  } else if (key == "stale-if-error") {
    out.stale_if_error = seconds;
  } else if (key == "no-cache") {
    take_fields(item, out.no_cache, out.no_cache_fields);
  } else if (key == "private") {
    take_fields(item, out.private_, out.private_fields);
  } else if (key == "no-store") {
    out.no_store = not_off;
  } else if (key == "public") {
    out.public_ = on;
  } else if (key == "must-revalidate") {
    out.must_revalidate = on;
  } else if (key == "proxy-revalidate") {
    out.proxy_revalidate = on;
  } else if (key == "must-understand") {
    out.must_understand = on;
  } else if (key == "no-transform") {
    out.no_transform = on;
  } else if (key == "immutable") {
    out.immutable = on;
  }
}

} // namespace

std::optional<ResponseDirectives> targeted_directives(const http::Headers& headers) {
  if (!headers.has("cdn-cache-control")) return std::nullopt;
  const std::string value = headers.joined("cdn-cache-control");
  ResponseDirectives out;
  out.targeted = true;
  bool any = false;
  DictionaryReader reader{value};
  reader.read([&](std::string_view key, const Item& item) {
    any = true;
    take(out, key, item);
  });
  if (reader.failed() || !any) return std::nullopt;
  return out;
}

} // namespace verge::policy
