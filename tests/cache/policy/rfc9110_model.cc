#include "tests/cache/policy/rfc9110_model.h"

#include <algorithm>

namespace verge::model {
namespace {

// Where the quoted string that begins at `from` ends, or npos (section 5.6.4).
size_t closing_quote(const Text& s, size_t from) {
  bool escaped = false;
  for (size_t i = from + 1; i < s.size(); ++i) {
    if (escaped) {
      escaped = false;
    } else if (s[i] == '\\') {
      escaped = true;
    } else if (s[i] == '"') {
      return i;
    }
  }
  return Text::npos;
}

constexpr Second kDay = 86'400;

bool leap(int64_t year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }
int64_t days_in(int64_t month, int64_t year) {
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 1 && leap(year) ? 29 : kDays[month];
}
int64_t days_before(int64_t year) { // leap days since year 0, then 1970 taken off
  const int64_t y = year - 1;
  const auto leaps = [](int64_t n) { return n < 0 ? -1 : n / 4 - n / 100 + n / 400; }; // year 0 is one
  return 365 * (year - 1970) + leaps(y) - leaps(1969);
}

// Holds a text against a picture: D day name, L long day name, N month name, y d h m s digits, p a digit or a space;
// all else stands for itself, in any case (RFC 9111 section 4.2: a cache matches them without case).
struct Pictured {
  int64_t year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
};
bool picture(const Text& pattern, const Text& text, Pictured& out) {
  static const std::vector<Text> kDays = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
  static const std::vector<Text> kLong = {"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"};
  static const std::vector<Text> kMonths = {"jan", "feb", "mar", "apr", "may", "jun",
                                            "jul", "aug", "sep", "oct", "nov", "dec"};
  const Text s = lower(text);
  size_t at = 0;
  for (const char c : pattern) {
    if (c == 'D' || c == 'L' || c == 'N') {
      const auto& names = c == 'D' ? kDays : c == 'L' ? kLong : kMonths;
      const auto found = std::ranges::find_if(names, [&](const Text& n) { return s.compare(at, n.size(), n) == 0; });
      if (found == names.end()) return false;
      if (c == 'N') out.month = found - names.begin();
      at += found->size();
      continue;
    }
    if (at >= s.size()) return false;
    const char have = s[at++];
    int64_t* slot = nullptr;
    if (c == 'y') slot = &out.year;
    if (c == 'd' || c == 'p') slot = &out.day;
    if (c == 'h') slot = &out.hour;
    if (c == 'm') slot = &out.minute;
    if (c == 's') slot = &out.second;
    if (c == 'p' && have == ' ') continue;
    if (slot == nullptr) {
      if (have != (c >= 'A' && c <= 'Z' ? c + 32 : c)) return false;
    } else {
      if (have < '0' || have > '9') return false;
      *slot = *slot * 10 + (have - '0');
    }
  }
  return at == s.size();
}

std::optional<Second> seconds_of(const Pictured& p) {
  if (p.day < 1 || p.day > days_in(p.month, p.year)) return std::nullopt;
  if (p.hour > 23 || p.minute > 59 || p.second > 60) return std::nullopt; // 60: a leap second
  int64_t days = days_before(p.year) + p.day - 1;
  for (int64_t m = 0; m < p.month; ++m) days += days_in(m, p.year);
  return days * kDay + p.hour * 3600 + p.minute * 60 + p.second;
}

std::optional<int64_t> digits(const Text& s) {
  if (s.empty() || !std::ranges::all_of(s, [](char c) { return c >= '0' && c <= '9'; })) return std::nullopt;
  return s.size() > 15 ? int64_t{999'999'999'999'999} : std::stoll(s);
}

} // namespace

Text lower(Text s) {
  for (char& c : s) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return s;
}

Text trimmed(const Text& s) {
  const size_t first = s.find_first_not_of(" \t");
  return first == Text::npos ? Text{} : s.substr(first, s.find_last_not_of(" \t") - first + 1);
}

std::vector<Text> values_of(const FieldLines& lines, const Text& name) {
  std::vector<Text> out;
  for (const auto& [n, value] : lines) {
    if (n == name) out.push_back(value);
  }
  return out;
}

bool has(const FieldLines& lines, const Text& name) { return !values_of(lines, name).empty(); }

bool is_token(const Text& s) {
  static const Text kTchar = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  return !s.empty() && s.find_first_not_of(kTchar) == Text::npos;
}

std::vector<Text> list_of(const Text& value) {
  std::vector<Text> out;
  Text member;
  for (size_t i = 0; i < value.size(); ++i) {
    if (value[i] == ',') {
      out.push_back(trimmed(member));
      member.clear();
      continue;
    }
    const size_t end = value[i] == '"' ? closing_quote(value, i) : Text::npos;
    takes(value[i] == '"' && end == Text::npos, Rule::list_open_quote);
    if (end == Text::npos) {
      member += value[i];
      continue;
    }
    takes(value.substr(i, end - i).find(',') != Text::npos, Rule::list_quoted_comma);
    member += value.substr(i, end - i + 1);
    i = end;
  }
  out.push_back(trimmed(member));
  std::erase(out, Text{});
  return out;
}

std::vector<Text> list_of(const FieldLines& lines, const Text& name) {
  std::vector<Text> out;
  for (const Text& value : values_of(lines, name)) {
    for (Text& member : list_of(value)) out.push_back(std::move(member));
  }
  return out;
}

std::optional<Second> date_of(const Text& text, Millisecond now) {
  Pictured p;
  if (picture("D, dd N yyyy hh:mm:ss GMT", text, p)) {
    take(Rule::date_imf_fixdate);
    return seconds_of(p);
  }
  if (p = {}; picture("D N pd hh:mm:ss yyyy", text, p)) {
    take(Rule::date_asctime);
    return seconds_of(p);
  }
  if (p = {}; picture("L, dd-N-yy hh:mm:ss GMT", text, p)) {
    take(Rule::date_rfc850);
    // "MUST interpret a timestamp that appears to be more than 50 years in the future as representing the most recent
    // year in the past that had the same last two digits". House: a year is 365.2425 days here.
    const Second limit = 50 * int64_t{31'556'952};
    const int64_t digits_of_year = p.year;
    for (int64_t century = 2100; century >= 1700; century -= 100) {
      p.year = century + digits_of_year;
      const auto at = seconds_of(p);
      if (at && *at * 1000 <= now + limit * 1000) return at;
    }
    return std::nullopt;
  }
  take(Rule::date_invalid);
  return std::nullopt;
}

std::optional<Second> date_field(const FieldLines& lines, const Text& name, Millisecond now) {
  const auto values = values_of(lines, name);
  return values.size() == 1 ? date_of(values.front(), now) : std::nullopt;
}

bool strong(const Text& etag) {
  if (etag.size() < 2 || etag.front() != '"' || etag.back() != '"') return false;
  for (const char c : etag.substr(1, etag.size() - 2)) {
    const int octet = static_cast<unsigned char>(c);
    if (octet < 0x21 || octet == '"' || octet == 0x7f) return false;
  }
  return true;
}

bool weakly_equal(const Text& a, const Text& b) {
  const auto opaque = [](const Text& s) { return s.starts_with("W/") ? s.substr(2) : s; };
  return !opaque(a).empty() && opaque(a) == opaque(b);
}

bool strongly_equal(const Text& a, const Text& b) { return strong(a) && a == b; }

namespace {

// Entity tags know no backslash escapes (section 8.8.3), so their lists are cut at commas outside of plain quotes.
std::vector<Text> tags_of(const FieldLines& lines, const Text& name) {
  std::vector<Text> out;
  for (const Text& value : values_of(lines, name)) {
    Text member;
    for (const char c : value + ",") {
      if (c == ',' && std::ranges::count(member, '"') % 2 == 0) {
        out.push_back(trimmed(member));
        member.clear();
      } else {
        member += c;
      }
    }
    if (!member.empty()) out.push_back(trimmed(member.substr(0, member.size() - 1)));
  }
  std::erase(out, Text{});
  return out;
}

} // namespace

Outcome conditions(const Message& request, const FieldLines& stored, Millisecond now) {
  if (request.method != "GET" && request.method != "HEAD") return Outcome::perform;
  const auto etags = values_of(stored, "etag");
  const Text etag = etags.empty() ? Text{} : etags.front();
  const auto modified = date_field(stored, "last-modified", now);

  // 1. and 2. of section 13.2.2.
  if (has(request.lines, "if-match")) {
    bool any = false;
    for (const Text& tag : tags_of(request.lines, "if-match")) {
      any = any || takes(tag == "*", Rule::match_star) || strongly_equal(tag, etag);
    }
    if (takes(!any, Rule::match_failed)) return Outcome::failed;
  } else if (const auto since = date_field(request.lines, "if-unmodified-since", now)) {
    if (takes(modified && *modified > *since, Rule::unmodified_since_failed)) return Outcome::failed;
  }
  // 3. and 4.
  if (has(request.lines, "if-none-match")) {
    bool any = false;
    for (const Text& tag : tags_of(request.lines, "if-none-match")) {
      any = any || tag == "*" || weakly_equal(tag, etag);
    }
    take(any ? Rule::none_match_hit : Rule::none_match_miss);
    return any ? Outcome::not_modified : Outcome::perform;
  }
  const auto since = date_field(request.lines, "if-modified-since", now);
  if (!since) return Outcome::perform; // "MUST ignore [it] if the received field value is not a valid HTTP-date"
  if (modified) {
    const bool hit = *modified <= *since;
    take(hit ? Rule::modified_since_hit : Rule::modified_since_miss);
    return hit ? Outcome::not_modified : Outcome::perform;
  }
  if (has(stored, "last-modified")) return Outcome::perform;
  // RFC 9111 section 4.3.2: without Last-Modified the value of Date stands in.
  const auto date = date_field(stored, "date", now);
  return takes(date && *date <= *since, Rule::modified_since_date) ? Outcome::not_modified : Outcome::perform;
}

Octets octets_asked(const FieldLines& request, const FieldLines& stored, uint64_t length, size_t most_ranges,
                    Millisecond now) {
  const auto values = values_of(request, "range");
  if (takes(values.size() != 1, Rule::range_none)) return {};
  // "An origin server MUST ignore a Range header field that contains a range unit it does not understand."
  if (lower(values.front()).substr(0, 6) != "bytes=") return {};
  if (has(request, "if-range")) {
    const auto lines = values_of(request, "if-range");
    const auto tags = values_of(stored, "etag");
    const bool tag_holds = lines.size() == 1 && !tags.empty() && strongly_equal(lines.front(), tags.front());
    // Section 13.1.5: exactly the stored date, and a strong one by section 8.8.2.2.
    const auto wanted = lines.size() == 1 ? date_of(lines.front(), now) : std::nullopt;
    const auto modified = date_field(stored, "last-modified", now);
    const auto date = date_field(stored, "date", now);
    const bool date_holds = wanted && modified && date && *wanted == *modified && *date - *modified >= 1;
    if (takes(!tag_holds && !date_holds, Rule::range_if_range)) return {};
  }
  Octets out;
  uint64_t sum = 0;
  bool suffix_of_empty = false;
  const auto specs = list_of(values.front().substr(6));
  if (specs.empty() || specs.size() > most_ranges) return {};
  for (const Text& spec : specs) {
    const size_t dash = spec.find('-');
    const Text before = spec.substr(0, dash);
    const Text after = dash == Text::npos ? Text{} : spec.substr(dash + 1);
    const auto first = digits(before), last = digits(after);
    const bool int_range = first && (after.empty() || (last && *last >= *first));
    const bool suffix = before.empty() && last;
    if (takes(dash == Text::npos || (!int_range && !suffix), Rule::range_malformed)) return {};
    const auto size = static_cast<int64_t>(length);
    const int64_t from = suffix ? std::max(int64_t{0}, size - *last) : *first;
    const int64_t to = int_range && last ? std::min(*last, size - 1) : size - 1;
    suffix_of_empty = suffix_of_empty || (length == 0 && suffix && *last > 0);
    for (int64_t i = from; i <= to; ++i) {
      out.wanted.insert(static_cast<uint64_t>(i));
      ++sum;
    }
  }
  // House: a suffix of nothing, and more octets than there are (section 17.15), are answered with the whole.
  if (suffix_of_empty || takes(sum > length, Rule::range_amplifies)) return {};
  out.part = out.wanted.empty() ? Part::unsatisfiable : Part::some;
  take(out.wanted.empty() ? Rule::range_unsatisfiable : Rule::range_some);
  return out;
}

std::optional<Text> same_origin_target(const Base& base, const Text& given) {
  // The components of RFC 3986 appendix B.
  Text rest = trimmed(given.substr(0, given.find('#')));
  std::optional<Text> scheme, authority, query;
  if (const size_t end = rest.find_first_of(":/?"); end != Text::npos && rest[end] == ':') {
    scheme = lower(rest.substr(0, end));
    rest = rest.substr(end + 1);
  }
  if (rest.starts_with("//")) {
    const size_t end = std::min(rest.find_first_of("/?", 2), rest.size());
    authority = lower(rest.substr(2, end - 2));
    rest = rest.substr(end);
  }
  if (const size_t mark = rest.find('?'); mark != Text::npos) {
    query = rest.substr(mark + 1);
    rest = rest.substr(0, mark);
  }
  // The default port is none (section 6.2.3); an origin is scheme, host and port (RFC 9110 section 4.3.1).
  const Text with = scheme.value_or(base.scheme);
  if (authority) {
    const Text port = with == "https" ? ":443" : ":80";
    if (authority->ends_with(port)) authority->resize(authority->size() - port.size());
    if (authority->ends_with(":")) authority->pop_back();
  }
  const bool no_origin = scheme && !authority; // "https:a" is not relative (section 5.2.2)
  if (takes(no_origin || with != base.scheme || authority.value_or(base.authority) != base.authority,
            Rule::reference_other_origin)) {
    return std::nullopt;
  }
  Text path = rest;
  if (authority) {
    take(Rule::reference_absolute);
  } else if (path.empty()) { // "T.path = Base.path; if defined(R.query) ... else T.query = Base.query"
    take(Rule::reference_empty);
    path = base.path;
    if (!query) query = base.query;
  } else if (path.front() != '/') {
    take(Rule::reference_relative);
    path = base.path.substr(0, base.path.rfind('/') + 1) + path;
  }
  // Section 5.2.4. House: what leads above the root is no reference at all.
  std::vector<Text> out;
  bool ends_in_slash = false;
  for (size_t at = 0; at < path.size();) {
    const size_t end = std::min(path.find('/', at + 1), path.size());
    const Text segment = path.substr(at + 1, end - at - 1);
    ends_in_slash = segment == "." || segment == "..";
    if (segment == "..") {
      if (out.empty()) return std::nullopt;
      out.pop_back();
    } else if (segment != ".") {
      out.push_back(segment);
    }
    at = end;
  }
  Text normal;
  for (const Text& segment : out) normal += "/" + segment;
  if (ends_in_slash || normal.empty()) normal += "/";
  return base.scheme + "://" + base.authority + normal + (query ? "?" + *query : "");
}

} // namespace verge::model
