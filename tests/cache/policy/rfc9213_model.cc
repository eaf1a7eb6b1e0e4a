#include "tests/cache/policy/rfc9213_model.h"

#include <algorithm>

namespace verge::model {
namespace {

// RFC 9651 section 4.2, algorithm by algorithm. Each function moves `at` behind what it read, or says false.
struct Reader {
  Text s;
  size_t at = 0;

  char now() const { return at < s.size() ? s[at] : '\0'; }
  bool next_is(char c) {
    if (at >= s.size() || s[at] != c) return false;
    ++at;
    return true;
  }
  void skip(const Text& set) {
    while (at < s.size() && set.find(s[at]) != Text::npos) ++at;
  }
  Text run(const Text& set) {
    const size_t from = at;
    skip(set);
    return s.substr(from, at - from);
  }
};

const Text kLower = "abcdefghijklmnopqrstuvwxyz";
const Text kUpper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const Text kDigit = "0123456789";

struct Value {
  enum class Type : uint8_t { integer, decimal, string, token, bytes, boolean, date, display, list } type = Type::list;
  Text text; // of a string; of numbers the digits with their sign
  bool truth = false;
};

// 4.2.3.3
bool key(Reader& r, Text& out) {
  if ((kLower + "*").find(r.now()) == Text::npos || r.now() == '\0') return false;
  out = r.run(kLower + kDigit + "_-.*");
  return true;
}

// 4.2.4
bool number(Reader& r, Value& out) {
  const bool minus = r.next_is('-');
  const Text whole = r.run(kDigit);
  if (whole.empty()) return false;
  out = {Value::Type::integer, (minus ? "-" : "") + whole, false};
  if (!r.next_is('.')) return whole.size() <= 15;
  const Text fraction = r.run(kDigit);
  out.type = Value::Type::decimal;
  return whole.size() <= 12 && !fraction.empty() && fraction.size() <= 3;
}

// 4.2.5
bool string(Reader& r, Value& out) {
  out = {Value::Type::string, "", false};
  if (!r.next_is('"')) return false;
  while (r.at < r.s.size()) {
    const char c = r.s[r.at++];
    if (c == '"') return true;
    if (c == '\\') {
      if (r.now() != '"' && r.now() != '\\') return false;
      out.text += r.s[r.at++];
    } else if (c < 0x20 || c > 0x7e) {
      return false;
    } else {
      out.text += c;
    }
  }
  return false;
}

// 4.2.3.1
bool bare_item(Reader& r, Value& out) {
  const char c = r.now();
  if (c == '\0') return false;
  if (c == '-' || kDigit.find(c) != Text::npos) return number(r, out);
  if (c == '"') return string(r, out);
  if (c == '?') {
    ++r.at;
    out = {Value::Type::boolean, "", r.now() == '1'};
    return r.next_is('0') || r.next_is('1');
  }
  if (c == ':') {
    ++r.at;
    r.run(kLower + kUpper + kDigit + "+/=");
    out = {Value::Type::bytes, "", false};
    return r.next_is(':');
  }
  if (c == '@') {
    ++r.at;
    const bool good = number(r, out) && out.type == Value::Type::integer;
    out.type = Value::Type::date;
    return good;
  }
  if (c == '%') {
    ++r.at;
    const bool good = string(r, out);
    out.type = Value::Type::display;
    return good;
  }
  if ((kLower + kUpper + "*").find(c) == Text::npos) return false;
  r.run(kLower + kUpper + kDigit + "!#$%&'*+-.^_`|~:/");
  out = {Value::Type::token, "", false};
  return true;
}

// 4.2.3.2
bool parameters(Reader& r) {
  while (r.next_is(';')) {
    r.skip(" ");
    Text name;
    Value value;
    if (!key(r, name) || (r.next_is('=') && !bare_item(r, value))) return false;
  }
  return true;
}

// 4.2.1.2
bool inner_list(Reader& r) {
  if (!r.next_is('(')) return false;
  while (r.at < r.s.size()) {
    r.skip(" ");
    if (r.next_is(')')) return true;
    Value value;
    if (!bare_item(r, value) || !parameters(r)) return false;
    if (r.now() != ' ' && r.now() != ')') return false;
  }
  return false;
}

// 4.2.2
bool dictionary(Reader& r, std::vector<std::pair<Text, Value>>& out) {
  r.skip(" ");
  while (r.at < r.s.size()) {
    Text name;
    Value value{Value::Type::boolean, "", true};
    if (!key(r, name)) return false;
    if (r.next_is('=')) {
      value = {};
      if (r.now() == '(' ? !inner_list(r) : !bare_item(r, value)) return false;
    }
    if (!parameters(r)) return false;
    std::erase_if(out, [&](const auto& member) { return member.first == name; }); // the last of doubles
    out.emplace_back(name, value);
    r.skip(" \t");
    if (r.at == r.s.size()) return true;
    if (!r.next_is(',')) return false;
    r.skip(" \t");
    if (r.at == r.s.size()) return false; // a trailing comma
  }
  return true;
}

void apply(Directives& out, const Text& name, const Value& value, const House& house) {
  const bool boolean = value.type == Value::Type::boolean;
  if (name == "max-age" || name == "s-maxage" || name == "stale-while-revalidate" || name == "stale-if-error") {
    // Section 2.1: a value of another type makes the directive ignored.
    if (takes(value.type != Value::Type::integer || value.text.front() == '-', Rule::targeted_wrong_type)) return;
    out.seconds[name] = std::min(std::stoll(value.text), static_cast<long long>(house.too_large));
  } else if (name == "no-cache" || name == "private") {
    if (boolean && !value.truth) return;
    bool names = value.type == Value::Type::string;
    const auto fields = names ? list_of(value.text) : std::vector<Text>{};
    for (const Text& field : fields) {
      names = names && is_token(field);
      out.fields[name].push_back(lower(field));
    }
    if (!names || fields.empty()) out.flags.insert(name); // House: of any other type it forbids all
  } else if (name == "no-store") {
    if (!boolean || value.truth) out.flags.insert(name); // House: the same
  } else if (name == "public" || name == "must-revalidate" || name == "proxy-revalidate" || name == "must-understand" ||
             name == "no-transform" || name == "immutable") {
    if (boolean && value.truth) out.flags.insert(name);
  }
}

} // namespace

namespace {

std::optional<Directives> directives_of(const FieldLines& lines, const Text& field, const House& house) {
  if (!has(lines, field)) return std::nullopt;
  Text combined; // RFC 9110 section 5.3
  for (const Text& value : values_of(lines, field)) combined += (combined.empty() ? "" : ", ") + value;
  Reader r{combined};
  std::vector<std::pair<Text, Value>> members;
  if (takes(!dictionary(r, members) || members.empty(), Rule::targeted_invalid)) return std::nullopt;
  take(Rule::targeted_instead);
  Directives out;
  out.targeted = true;
  for (const auto& [name, value] : members) apply(out, name, value, house);
  return out;
}

} // namespace

// Section 2.2: "the first ... with a valid, non-empty value" of the target list.
std::optional<Directives> targeted_directives(const FieldLines& lines, const House& house) {
  for (const Text& field : house.targets) {
    if (auto found = directives_of(lines, field, house)) return found;
  }
  return std::nullopt;
}

} // namespace verge::model
