#include "origin/folder/conditional.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "proxy/http/grammar.h"

namespace verge::origin {

namespace {

constexpr auto kDays = std::to_array<std::string_view>({"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"});
constexpr auto kMonths = std::to_array<std::string_view>(
    {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"});

std::optional<int> number(std::string_view digits) {
  const auto n = http::parse_digits(digits);
  return n ? std::optional(static_cast<int>(*n)) : std::nullopt;
}

std::string_view opaque_part(std::string_view etag) { return etag.starts_with("W/") ? etag.substr(2) : etag; }

} // namespace

std::string http_date(std::chrono::sys_seconds t) {
  const auto day = std::chrono::floor<std::chrono::days>(t);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(t - day);
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", kDays[std::chrono::weekday(day).c_encoding()],
                     static_cast<unsigned>(date.day()), kMonths[static_cast<unsigned>(date.month()) - 1],
                     static_cast<int>(date.year()), clock.hours().count(), clock.minutes().count(),
                     clock.seconds().count());
}

std::optional<std::chrono::sys_seconds> parse_http_date(std::string_view s) {
  // "Sun, 06 Nov 1994 08:49:37 GMT"
  //  0         1         2
  //  01234567890123456789012345678
  if (s.size() != 29 || s.substr(3, 2) != ", " || s[7] != ' ' || s[11] != ' ' || s[16] != ' ' || s[19] != ':' ||
      s[22] != ':' || s.substr(25) != " GMT") {
    return std::nullopt;
  }
  const auto month = std::ranges::find(kMonths, s.substr(8, 3));
  const auto day = number(s.substr(5, 2)), year = number(s.substr(12, 4));
  const auto hour = number(s.substr(17, 2)), minute = number(s.substr(20, 2)), second = number(s.substr(23, 2));
  if (month == kMonths.end() || !day || !year || !hour || !minute || !second) return std::nullopt;
  if (*hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  const std::chrono::year_month_day date(std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(month - kMonths.begin()) + 1),
                                         std::chrono::day(static_cast<unsigned>(*day)));
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date) + std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
         std::chrono::seconds(*second);
}

bool not_modified(const http::Headers& request, std::string_view etag, std::chrono::sys_seconds modified) {
  if (request.has("if-none-match")) {
    const std::string wanted = request.joined("if-none-match");
    if (http::trim(wanted) == "*") return true;
    for (const std::string_view one : http::list_members(wanted)) {
      if (opaque_part(one) == opaque_part(etag)) return true;
    }
    return false;
  }
  const auto since = request.get("if-modified-since");
  if (!since) return false;
  const auto date = parse_http_date(*since);
  return date && modified <= *date;
}

} // namespace verge::origin
