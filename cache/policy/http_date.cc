#include "cache/policy/http_date.h"

#include <array>

#include "proxy/http/grammar.h"
#include "proxy/http/octets.h"

namespace verge::policy {
namespace {

constexpr std::array<std::string_view, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 7> kLongDays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                       "Thursday", "Friday", "Saturday"};
constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

constexpr uint32_t three_letters(std::string_view s) noexcept {
  uint32_t n = 0;
  for (size_t i = 0; i < 3; ++i) n = n << 8 | http::octets::u(http::octets::lower(s[i]));
  return n;
}
template <size_t N>
constexpr std::array<uint32_t, N> as_numbers(const std::array<std::string_view, N>& names) noexcept {
  std::array<uint32_t, N> out{};
  for (size_t i = 0; i < N; ++i) out[i] = three_letters(names[i]);
  return out;
}
constexpr auto kDayNumbers = as_numbers(kDays);
constexpr auto kMonthNumbers = as_numbers(kMonths);

// Eats a text from the left; the first thing that does not fit makes the whole a failure. Names match without case, as
// RFC 9111 section 4.2 asks of a cache.
class Cursor {
 public:
  explicit Cursor(std::string_view s) noexcept : rest_(s) {}

  void literal(std::string_view want) noexcept {
    if (rest_.size() < want.size() || !http::iequals(rest_.substr(0, want.size()), want)) return fail();
    rest_.remove_prefix(want.size());
  }
  void octet(char want) noexcept {
    if (rest_.empty() || rest_.front() != want) return fail();
    rest_.remove_prefix(1);
  }
  template <size_t N>
  unsigned one_of(const std::array<std::string_view, N>& names) noexcept {
    for (unsigned i = 0; i < N; ++i) {
      if (rest_.size() >= names[i].size() && http::iequals(rest_.substr(0, names[i].size()), names[i])) {
        rest_.remove_prefix(names[i].size());
        return i;
      }
    }
    fail();
    return 0;
  }
  // The same where all names have three letters: each response has some, so they are compared as numbers.
  template <size_t N>
  unsigned one_of(const std::array<uint32_t, N>& names) noexcept {
    const uint32_t mine = rest_.size() < 3 ? 0 : three_letters(rest_);
    for (unsigned i = 0; i < N; ++i) {
      if (names[i] == mine) {
        rest_.remove_prefix(3);
        return i;
      }
    }
    fail();
    return 0;
  }
  unsigned digits(size_t count) noexcept {
    unsigned n = 0;
    for (size_t i = 0; i < count; ++i) {
      if (rest_.empty() || rest_.front() < '0' || rest_.front() > '9') {
        fail();
        return 0;
      }
      n = n * 10 + static_cast<unsigned>(rest_.front() - '0');
      rest_.remove_prefix(1);
    }
    return n;
  }
  // asctime's day: two digits, or a space and one.
  unsigned padded_day() noexcept {
    if (rest_.empty() || rest_.front() != ' ') return digits(2);
    rest_.remove_prefix(1);
    return digits(1);
  }
  bool done() const noexcept { return good_ && rest_.empty(); }

 private:
  void fail() noexcept {
    good_ = false;
    rest_ = {};
  }
  std::string_view rest_;
  bool good_ = true;
};

struct TimeOfDay {
  unsigned hour = 0, minute = 0, second = 0;
};

TimeOfDay time_of_day(Cursor& in) noexcept {
  TimeOfDay t;
  t.hour = in.digits(2);
  in.octet(':');
  t.minute = in.digits(2);
  in.octet(':');
  t.second = in.digits(2);
  return t;
}

std::optional<WallTime> compose(int year, unsigned month, unsigned day, const TimeOfDay& t) noexcept {
  const std::chrono::year_month_day date{std::chrono::year{year}, std::chrono::month{month + 1}, std::chrono::day{day}};
  // A second of 60 is a leap second.
  if (!date.ok() || t.hour > 23 || t.minute > 59 || t.second > 60) return std::nullopt;
  return WallTime{std::chrono::sys_days{date}} + std::chrono::hours{t.hour} + std::chrono::minutes{t.minute} +
         Seconds{t.second};
}

// Sun, 06 Nov 1994 08:49:37 GMT
std::optional<WallTime> parse_imf_fixdate(std::string_view text) noexcept {
  Cursor in{text};
  in.one_of(kDayNumbers);
  in.literal(", ");
  const unsigned day = in.digits(2);
  in.octet(' ');
  const unsigned month = in.one_of(kMonthNumbers);
  in.octet(' ');
  const unsigned year = in.digits(4);
  in.octet(' ');
  const TimeOfDay t = time_of_day(in);
  in.literal(" GMT");
  if (!in.done()) return std::nullopt;
  return compose(static_cast<int>(year), month, day, t);
}

// Sunday, 06-Nov-94 08:49:37 GMT
std::optional<WallTime> parse_rfc850(std::string_view text, WallTime now) noexcept {
  Cursor in{text};
  in.one_of(kLongDays);
  in.literal(", ");
  const unsigned day = in.digits(2);
  in.octet('-');
  const unsigned month = in.one_of(kMonthNumbers);
  in.octet('-');
  const unsigned two_digits = in.digits(2);
  in.octet(' ');
  const TimeOfDay t = time_of_day(in);
  in.literal(" GMT");
  if (!in.done()) return std::nullopt;
  const std::chrono::year_month_day today{std::chrono::floor<std::chrono::days>(now)};
  const int century = static_cast<int>(today.year()) / 100 * 100;
  const WallTime limit = now + std::chrono::years{50};
  // The latest year with these digits that is not more than 50 years ahead. 29 February may not exist in each.
  for (int year = century + 100 + static_cast<int>(two_digits); year >= century - 200; year -= 100) {
    const auto at = compose(year, month, day, t);
    if (at && *at <= limit) return at;
  }
  return std::nullopt;
}

// Sun Nov  6 08:49:37 1994
std::optional<WallTime> parse_asctime(std::string_view text) noexcept {
  Cursor in{text};
  in.one_of(kDayNumbers);
  in.octet(' ');
  const unsigned month = in.one_of(kMonthNumbers);
  in.octet(' ');
  const unsigned day = in.padded_day();
  in.octet(' ');
  const TimeOfDay t = time_of_day(in);
  in.octet(' ');
  const unsigned year = in.digits(4);
  if (!in.done()) return std::nullopt;
  return compose(static_cast<int>(year), month, day, t);
}

void put(char* at, unsigned value, size_t digits) noexcept {
  while (digits-- > 0) {
    at[digits] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
}

} // namespace

std::optional<WallTime> parse_http_date(std::string_view text, WallTime now) noexcept {
  // The fourth octet tells the three forms apart: "Sun," "Sund" "Sun ".
  if (text.size() < 24) return std::nullopt;
  if (text[3] == ',') return parse_imf_fixdate(text);
  if (text[3] == ' ') return parse_asctime(text);
  return parse_rfc850(text, now);
}

std::optional<WallTime> date_field(const http::Headers& headers, std::string_view name, WallTime now) noexcept {
  const auto line = headers.get(name);
  if (!line || headers.count(name) != 1) return std::nullopt;
  return parse_http_date(*line, now);
}

std::string format_http_date(WallTime t) {
  const auto day = std::chrono::floor<std::chrono::days>(t);
  const std::chrono::year_month_day date{day};
  const auto seconds = static_cast<unsigned>(std::chrono::floor<Seconds>(t - day).count());
  std::string out = "Sun, 00 Jan 0000 00:00:00 GMT";
  out.replace(0, 3, kDays[std::chrono::weekday{day}.c_encoding()]);
  put(&out[5], static_cast<unsigned>(date.day()), 2);
  out.replace(8, 3, kMonths[static_cast<unsigned>(date.month()) - 1]);
  put(&out[12], static_cast<unsigned>(static_cast<int>(date.year())), 4);
  put(&out[17], seconds / 3600, 2);
  put(&out[20], seconds / 60 % 60, 2);
  put(&out[23], seconds % 60, 2);
  return out;
}

} // namespace verge::policy
