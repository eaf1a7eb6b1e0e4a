#include "tests/cache/policy/model_cases.h"

#include <algorithm>
#include <array>
#include <chrono>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace verge::model {
namespace {

constexpr Second kNoon = 784'123'200; // Sun, 06 Nov 1994 12:00:00 GMT

// Dates as an origin writes them: `form` 0 to 2 are those of RFC 9110 section 5.6.7.
Text written(Second at, size_t form) {
  static const char* kDays[] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
  static const char* kLong[] = {"Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday"};
  static const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto whole = at >= 0 ? at / 86'400 : (at - 86'399) / 86'400;
  const Second rest = at - whole * 86'400;
  const std::chrono::year_month_day day{std::chrono::sys_days{std::chrono::days{whole}}};
  const auto weekday = static_cast<size_t>(((whole % 7) + 7) % 7);
  const auto d = static_cast<unsigned>(day.day());
  const auto* month = kMonths[static_cast<unsigned>(day.month()) - 1];
  const int year = static_cast<int>(day.year());
  const Text clock = fmt::format("{:02}:{:02}:{:02}", rest / 3600, rest / 60 % 60, rest % 60);
  if (form == 1) return fmt::format("{}, {:02}-{}-{:02} {} GMT", kLong[weekday], d, month, year % 100, clock);
  if (form == 2) return fmt::format("{} {} {:2} {} {}", kDays[weekday], month, d, clock, year);
  return fmt::format("{}, {:02} {} {} {} GMT", kDays[weekday], d, month, year, clock);
}

} // namespace

size_t CaseMaker::below(size_t n) { return std::uniform_int_distribution<size_t>{0, n - 1}(engine_); }

Text CaseMaker::spelled(Text s) {
  if (!one_in(4)) return s;
  for (char& c : s) {
    if (c >= 'a' && c <= 'z' && one_in(2)) c = static_cast<char>(c - 32);
  }
  return s;
}

Text CaseMaker::seconds() {
  static const std::vector<Text> kOdd = {"",           "-1",  "1.5",        "x",    "2147483648",
                                         "2147483649", "007", "4294967297", "1e3",  "99999999999",
                                         "+5",         "5 ",  "'9'",        "0x10", "9223372036854775808"};
  if (one_in(6)) return of(kOdd);
  return std::to_string(one_in(5) ? 0 : below(200));
}

Text CaseMaker::list(const std::vector<Text>& members) {
  static const std::vector<Text> kCommas = {",", ", ", " , ", ",,", " ,\t"};
  Text out = one_in(20) ? "," : "";
  for (const Text& member : members) {
    if (!out.empty()) out += of(kCommas);
    out += member;
  }
  return trimmed(out);
}

Text CaseMaker::directive(bool of_request) {
  static const std::vector<Text> kAnswers = {"no-store",        "no-cache",        "private",
                                             "public",          "must-revalidate", "proxy-revalidate",
                                             "must-understand", "immutable",       "no-transform"};
  static const std::vector<Text> kAnswerSeconds = {"max-age", "max-age", "s-maxage", "stale-while-revalidate",
                                                   "stale-if-error"};
  static const std::vector<Text> kAsks = {"no-cache", "no-store", "only-if-cached", "max-stale"};
  static const std::vector<Text> kAskSeconds = {"max-age", "max-stale", "min-fresh"};
  static const std::vector<Text> kOdd = {"ext",
                                         "ext=\"no-store, private\"",
                                         "max-age =5",
                                         "\"no-store\"",
                                         "=",
                                         "max-age=\"5",
                                         "no-store=1",
                                         "public=x",
                                         "\"",
                                         "a=b=c",
                                         "max-age= 10",
                                         "private=\"a",
                                         "no-cache=",
                                         "max-age",
                                         "ext=\"a\\\"b\"",
                                         "max-age=\"6\\0\"",
                                         "private=\"set\\-cookie\"",
                                         "no-cache=\"x\\",
                                         "max-age=\"1\"0",
                                         "ext='a, max-age=3'"};
  static const std::vector<Text> kNames = {
      "private=\"foo\"", "no-cache=\"set-cookie\"", "no-cache=\"foo, Bar\"",  "private=foo",
      "private=\"\"",    "no-cache=\"a b\"",        "private=\"set-cookie\"", "no-cache=\"etag,,x\""};
  if (one_in(10)) return of(kOdd);
  if (!of_request && one_in(8)) return of(kNames);
  if (one_in(2)) {
    const Text name = spelled(of(of_request ? kAskSeconds : kAnswerSeconds));
    const Text value = seconds();
    return name + (one_in(6) ? "=\"" + value + "\"" : "=" + value);
  }
  return spelled(of(of_request ? kAsks : kAnswers));
}

Text CaseMaker::targeted() {
  static const std::vector<Text> kMembers = {"max-age=60",
                                             "max-age=600",
                                             "s-maxage=20",
                                             "no-store",
                                             "no-store=?0",
                                             "private",
                                             "private=\"foo\"",
                                             "no-cache",
                                             "no-cache=?1",
                                             "no-cache=x",
                                             "max-age=x",
                                             "max-age=\"5\"",
                                             "max-age=-1",
                                             "max-age=1.5",
                                             "must-revalidate",
                                             "public;a=1",
                                             "ext=(a b;q=1)",
                                             "stale-while-revalidate=30",
                                             "stale-if-error=40",
                                             "max-age=9999999999",
                                             "max-age=1234567890123456",
                                             "No-Store",
                                             "&&&",
                                             "ext=@17",
                                             "ext=:YQ==:",
                                             "ext=%\"a\"",
                                             "ext=\"a, b\"",
                                             "a=?2",
                                             "a=",
                                             "private=\"a b\"",
                                             "no-cache=\"foo, Bar\"",
                                             "immutable=?0",
                                             "must-understand",
                                             "ext=(a",
                                             "a=1.",
                                             "a;b=\"",
                                             "*a=*b"};
  std::vector<Text> members;
  for (size_t n = below(4); n > 0; --n) members.push_back(of(kMembers));
  Text out;
  for (const Text& member : members) out += (out.empty() ? "" : one_in(2) ? "," : ", ") + member;
  return one_in(15) ? out + "," : out;
}

Text CaseMaker::date() {
  static const std::vector<Text> kOdd = {"0",
                                         "-1",
                                         "",
                                         "Sun, 06 Nov 1994 12:00:00 UTC",
                                         "Sun, 6 Nov 1994 12:00:00 GMT",
                                         "Sun 06 Nov 1994 12:00:00 GMT",
                                         "Sun, 06-Nov-1994 12:00:00 GMT",
                                         "Sun, 06 Nov 94 12:00:00 GMT",
                                         "Sun,  06 Nov 1994 12:00:00 GMT",
                                         "Sun, 31 Feb 1994 12:00:00 GMT",
                                         "Sun, 06 Nov 1994 25:00:00 GMT",
                                         "Sun, 06 Nov 1994 12:00:60 GMT",
                                         "sun, 06 NOV 1994 12:00:00 gmt",
                                         "Sunday, 06-Nov-45 12:00:00 GMT",
                                         "Monday, 29-Feb-00 12:00:00 GMT",
                                         "Sun Nov 06 12:00:00 1994",
                                         "Sun Nov 6 12:00:00 1994",
                                         "Tue, 19 Jan 2038 03:14:08 GMT",
                                         "Thu, 01 Jan 1970 00:00:00 GMT",
                                         "Sun, 06 Nov 9999 12:00:00 GMT",
                                         "Mon, 06 Nov 0000 12:00:00 GMT",
                                         "1994-11-06T12:00:00Z",
                                         "Sun, 06 Nov 1994 12:00:00 GMT;a"};
  if (one_in(7)) return of(kOdd);
  const Second near = static_cast<Second>(below(400)) - 200;
  const Second far = static_cast<Second>(below(4'000'000)) - 3'000'000;
  return written(kNoon + (one_in(3) ? far : near), one_in(3) ? below(3) : 0);
}

void CaseMaker::add(FieldLines& to, const Text& name, const Text& value) {
  to.emplace_back(name, trimmed(value));
  if (one_in(25)) to.emplace_back(name, trimmed(value)); // the same line twice
}

void CaseMaker::cache_control(FieldLines& to, bool of_request) {
  for (size_t lines = one_in(5) ? 2 : 1; lines > 0; --lines) {
    std::vector<Text> members;
    for (size_t n = below(of_request ? 3 : 4) + (one_in(30) ? 0 : 1); n > 0; --n) {
      members.push_back(directive(of_request));
    }
    add(to, "cache-control", list(members));
  }
}

namespace {
const std::vector<Text> kTags = {"\"a\"", "\"a\"",    "W/\"a\"", "\"b\"", "W/\"b\"", "a", "\"\"",
                                 "W/",    "\"a, b\"", "\"a\\\"", "\"a",   "w/\"a\"", "",  "\"\x80\""};
const std::vector<Text> kCodings = {"gzip",     "br",       "zstd",        "deflate",      "identity",      "*",
                                    "gzip;q=0", "br;q=0.5", "*;q=0",       "identity;q=0", "x-gzip",        "exi",
                                    "exi;q=0",  "GZIP",     "gzip; q=0.0", "br;q=2",       "identity;q=0.1"};
const std::vector<Text> kLanguages = {"de", "en", "en-GB;q=0.8", "de;q=0.5", "*", "fr;q=0"};
const std::vector<Text> kVaried = {"foo", "accept-encoding", "accept-language", "bar"};
} // namespace

void CaseMaker::request_fields(FieldLines& to) {
  if (one_in(2)) cache_control(to, true);
  if (one_in(5)) add(to, "pragma", one_in(3) ? "foo" : spelled("no-cache"));
  if (one_in(4)) add(to, "authorization", "Basic x");
  if (one_in(6)) add(to, "if-match", list({of(kTags), one_in(4) ? Text("*") : of(kTags)}));
  if (one_in(6)) add(to, "if-unmodified-since", date());
  if (one_in(3)) add(to, "if-none-match", one_in(8) ? Text("*") : list({of(kTags), of(kTags)}));
  if (one_in(3)) add(to, "if-modified-since", date());
  if (one_in(2)) {
    static const std::vector<Text> kRanges = {"0-0", "0-9", "5-",   "-5",    "-0",
                                              "9-5", "3-4", "100-", "x",     "-",
                                              "2-2", "0-",  "1-3",  "20-30", "-99999999999999999999"};
    static const std::vector<Text> kUnits = {"bytes=", "bytes=", "bytes=", "bytes=", "Bytes=", "lines=", "bytes "};
    std::vector<Text> specs;
    for (size_t n = one_in(40) ? 18 : below(4) + (one_in(20) ? 0 : 1); n > 0; --n) specs.push_back(of(kRanges));
    add(to, "range", of(kUnits) + list(specs));
    if (one_in(3)) add(to, "if-range", one_in(2) ? of(kTags) : date());
  }
  if (one_in(2)) add(to, "accept-encoding", list({of(kCodings), of(kCodings)}));
  if (one_in(5)) add(to, "accept-encoding", of(kCodings));
  if (one_in(3)) add(to, "accept-language", list({of(kLanguages), of(kLanguages)}));
  if (one_in(2)) add(to, "foo", one_in(2) ? "1" : list({"1", one_in(2) ? "\"2, 3\"" : "2"}));
  if (one_in(6)) add(to, "foo", "2");
}

void CaseMaker::response_fields(FieldLines& to) {
  if (!one_in(4)) cache_control(to, false);
  if (one_in(6)) add(to, "cdn-cache-control", targeted());
  if (one_in(12)) add(to, "verge-cache-control", targeted());
  if (!one_in(4)) add(to, "date", date());
  if (one_in(2)) add(to, "expires", date());
  if (one_in(30)) add(to, "expires", date());
  if (one_in(2)) add(to, "last-modified", date());
  if (one_in(2)) add(to, "etag", of(kTags));
  if (one_in(4)) add(to, "age", one_in(5) ? list({seconds(), seconds()}) : seconds() + (one_in(9) ? ";x=1" : ""));
  if (one_in(6)) add(to, "set-cookie", "a=b");
  if (one_in(3)) add(to, "vary", one_in(12) ? Text("foo, *") : list({spelled(of(kVaried)), of(kVaried)}));
  static const std::vector<Text> kOthers = {"foo",
                                            "bar",
                                            "content-type",
                                            "content-encoding",
                                            "content-length",
                                            "content-range",
                                            "content-language",
                                            "keep-alive",
                                            "te",
                                            "upgrade",
                                            "proxy-authenticate",
                                            "proxy-authentication-info",
                                            "proxy-authorization",
                                            "transfer-encoding",
                                            "trailer",
                                            "proxy-connection",
                                            "x-unknown",
                                            "warning"};
  for (size_t n = below(4); n > 0; --n) add(to, of(kOthers), std::to_string(below(3)));
  if (one_in(5)) add(to, "connection", list({spelled(of(kOthers)), one_in(2) ? Text("set-cookie") : Text("close")}));
  if (one_in(2)) {
    static const std::vector<Text> kParts = {"bytes 0-9/10",         "bytes 0-4/10", "bytes 5-9/10", "bytes 2-7/10",
                                             "bytes 0-9/*",          "bytes 3-9/12", "bytes 5-4/10", "bytes 0-9/9",
                                             "bytes */10",           "Bytes 0-4/10", "bytes 0-4",    "bytes=0-4/10",
                                             "bytes 0-4/10, 6-7/10", "bytes 2-30/*", "bytes -4/10"};
    add(to, "content-range", of(kParts));
  }
  if (one_in(15)) add(to, "content-type", "Multipart/ByteRanges; boundary=x");
  if (one_in(3)) add(to, "content-encoding", of({"gzip", "br", "identity", "exi", "x-gzip", "gzip, br"}));
  if (one_in(4)) add(to, "content-language", of({"de", "en", "en-GB", "de, en"}));
  std::ranges::shuffle(to, engine_);
}

void CaseMaker::house(House& to) {
  if (one_in(5)) to.default_lifetime = static_cast<Second>(below(100));
  if (one_in(5)) to.least_lifetime = 20;
  if (one_in(5)) to.most_lifetime = 50;
  to.guess = !one_in(6);
  to.enabled = !one_in(12);
  if (one_in(5)) to.honoured.clear();
  for (const char* name : {"no-cache", "no-store", "max-age", "min-fresh", "max-stale"}) {
    if (one_in(10)) to.honoured.erase(name);
  }
  for (const int status : {4, 5, 404, 410, 503}) {
    if (one_in(10)) to.negative[status] = static_cast<Second>(below(60));
  }
  if (one_in(6)) to.targets = {"cdn-cache-control", "verge-cache-control"};
  to.keep_set_cookie = one_in(2);
  if (one_in(4)) to.stale_while_revalidate = 15;
  if (one_in(4)) to.stale_if_error = 40;
  if (one_in(8)) to.most_octets = 10;
}

Case CaseMaker::make() {
  static const std::vector<Text> kMethods = {"GET", "GET",  "GET",  "GET",      "GET",
                                             "GET", "HEAD", "POST", "M-SEARCH", "get"};
  static constexpr std::array kStatuses = {200, 200, 200, 200, 201, 203, 204, 206, 299, 300, 301, 302, 304,
                                           307, 308, 400, 401, 403, 404, 405, 410, 412, 414, 416, 418, 421,
                                           428, 429, 431, 451, 500, 501, 502, 503, 504, 511, 599, 600, 103};
  Case c;
  c.request.method = of(kMethods);
  request_fields(c.request.lines);
  c.response.status = one_in(3) ? kStatuses[below(kStatuses.size())] : 200;
  response_fields(c.response.lines);
  if (one_in(3)) c.response.octets = one_in(2) ? 5 : below(30);
  if (one_in(2)) c.asked.first = one_in(2) ? 0 : below(8);
  if (!c.asked.first || one_in(2)) c.asked.last = c.asked.first.value_or(1) + below(10);
  response_fields(c.update);
  for (const auto& [name, value] : c.response.lines) {
    if (one_in(2) && (name == "etag" || name == "last-modified" || name == "date")) c.update.emplace_back(name, value);
  }
  request_fields(c.other);
  if (one_in(2)) c.other = c.request.lines;
  if (one_in(3)) {
    // The same fields with their members on lines of their own.
    FieldLines cut;
    for (const auto& [name, value] : c.request.lines) {
      if (name != "foo" && name != "accept-encoding") continue;
      for (const Text& member : list_of(value)) cut.emplace_back(name, member);
    }
    c.other = cut;
  }
  house(c.house);
  c.came = kNoon * 1000 + static_cast<Millisecond>(below(3000));
  c.sent = c.came - static_cast<Millisecond>(one_in(3) ? below(5000) : below(300));
  if (one_in(20)) c.sent = c.came + 500; // our clock was set back
  c.now = c.came + static_cast<Millisecond>(one_in(2) ? below(20) * 1000 : below(300'000));
  if (one_in(30)) c.now = c.came - 1000;
  c.length = below(12);
  return c;
}

Text CaseMaker::reference() {
  static const std::vector<Text> kFronts = {"",
                                            "",
                                            "",
                                            "/",
                                            "https://www.example.com",
                                            "http://www.example.com",
                                            "https://other.example",
                                            "//www.example.com",
                                            "HTTPS://WWW.EXAMPLE.COM:443",
                                            "https:",
                                            "https://www.example.com:444",
                                            "//other.example",
                                            "ftp://www.example.com",
                                            "https://www.example.com:"};
  static const std::vector<Text> kPaths = {"",           "/",  "/x", "/x/",     "/x/../y", "/./z", "x",  "../x",
                                           "../../../x", "./", "..", "/a/b/..", "/x//y",   "x.y",  "..."};
  static const std::vector<Text> kEnds = {"", "", "?", "?q=1", "#f", "?a/../b#f?x", "?x=https://other.example/"};
  Text front = of(kFronts);
  Text path = of(kPaths);
  if (front.find("//") != Text::npos && !path.empty() && path.front() != '/') path.insert(0, "/");
  if (front == "/")
    path = path.substr(path.find_first_not_of('/') == Text::npos ? path.size() : path.find_first_not_of('/'));
  return front + path + of(kEnds);
}

Case smallest(Case c, const Check& differs) {
  const auto lines_of = [](Case& from, size_t which) -> FieldLines& {
    FieldLines* const all[] = {&from.request.lines, &from.response.lines, &from.update, &from.other};
    return *all[which];
  };
  for (bool shorter = true; shorter;) {
    shorter = false;
    for (size_t which = 0; which < 4; ++which) {
      for (size_t i = 0; i < lines_of(c, which).size(); ++i) {
        Case without = c;
        lines_of(without, which).erase(lines_of(without, which).begin() + static_cast<std::ptrdiff_t>(i));
        if (differs(without)) {
          c = without;
          shorter = true;
          --i;
          continue;
        }
        const auto members = list_of(lines_of(c, which)[i].second);
        for (size_t leave_out = 0; members.size() > 1 && leave_out < members.size(); ++leave_out) {
          Text kept;
          for (size_t k = 0; k < members.size(); ++k) {
            if (k != leave_out) kept += (kept.empty() ? "" : ", ") + members[k];
          }
          Case fewer = c;
          lines_of(fewer, which)[i].second = kept;
          if (kept.size() < lines_of(c, which)[i].second.size() && differs(fewer)) {
            c = fewer;
            shorter = true;
            break;
          }
        }
      }
    }
  }
  return c;
}

Text to_text(const Case& c) {
  Text out;
  const auto add = [&](const Text& title, const FieldLines& lines) {
    if (lines.empty()) return;
    out += title + "\n";
    for (const auto& [name, value] : lines) out += "    " + name + ": " + value + "\n";
  };
  out += "request " + c.request.method + "\n";
  add("  fields", c.request.lines);
  out += fmt::format("response {}\n", c.response.status);
  add("  fields", c.response.lines);
  add("304", c.update);
  add("other request", c.other);
  const House& h = c.house;
  out += fmt::format(
      "route: enabled {} honours {} targets {} negative {} default {} min {} max {} guess {} set-cookie {} swr {} sie "
      "{} octets {}\n",
      h.enabled, h.honoured, h.targets, h.negative, h.default_lifetime.value_or(-1), h.least_lifetime, h.most_lifetime,
      h.guess, h.keep_set_cookie, h.stale_while_revalidate, h.stale_if_error, h.most_octets);
  out += fmt::format("sent {} came {} now {} (ms after {}), body of {}\n", c.sent - kNoon * 1000, c.came - kNoon * 1000,
                     c.now - kNoon * 1000, written(kNoon, 0), c.length);
  return out;
}

} // namespace verge::model
