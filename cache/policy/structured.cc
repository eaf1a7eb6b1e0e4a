#include "cache/policy/structured.h"

namespace verge::policy {
namespace {

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool is_lower(char c) noexcept { return c >= 'a' && c <= 'z'; }
bool is_alpha(char c) noexcept { return is_lower(c) || (c >= 'A' && c <= 'Z'); }

// After a failure `failed()` is true and nothing moves on.
class FieldReader {
 public:
  explicit FieldReader(std::string_view s) noexcept : rest_(s) {}

  bool failed() const noexcept { return failed_; }

  // RFC 9651 section 4.2.2.
  void read_dictionary(const std::function<void(std::string_view, const Item&)>& on_member) {
    each_member([&] {
      const std::string_view key = read_key();
      Item item;
      if (eat('=')) {
        item = read_item();
      } else {
        item.kind = Item::Kind::boolean;
        item.truth = true;
      }
      read_parameters();
      if (!failed_) on_member(key, item);
    });
  }

  // Section 4.2.1.
  void read_list(const std::function<void(const Item&)>& on_member) {
    each_member([&] {
      const Item item = read_item();
      read_parameters();
      if (!failed_) on_member(item);
    });
  }

 private:
  template <class F>
  void each_member(F&& read_one) {
    skip(" ");
    while (!rest_.empty() && !failed_) {
      read_one();
      if (failed_) return;
      skip(" \t");
      if (rest_.empty()) return;
      if (!eat(',')) return fail();
      skip(" \t");
      if (rest_.empty()) return fail(); // a trailing comma
    }
  }

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

  Item read_item() { return peek() == '(' ? read_inner_list() : read_bare_item(); }

  Item read_inner_list() {
    eat('(');
    Item list;
    list.kind = Item::Kind::list;
    while (!failed_) {
      skip(" ");
      if (eat(')')) return list;
      list.items.push_back(read_bare_item());
      read_parameters();
      if (peek() != ' ' && peek() != ')') fail();
    }
    return list;
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

} // namespace

bool read_dictionary(std::string_view value, const std::function<void(std::string_view, const Item&)>& f) {
  FieldReader reader{value};
  reader.read_dictionary(f);
  return !reader.failed();
}

bool read_list(std::string_view value, const std::function<void(const Item&)>& f) {
  FieldReader reader{value};
  reader.read_list(f);
  return !reader.failed();
}

} // namespace verge::policy
