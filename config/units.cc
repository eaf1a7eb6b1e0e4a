#include "config/units.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace verge::config {
namespace {

struct Unit {
  std::string_view name;
  uint64_t factor;
};

constexpr std::array<Unit, 11> kSizes = {{{"B", 1},
                                          {"KB", 1'000},
                                          {"MB", 1'000'000},
                                          {"GB", 1'000'000'000},
                                          {"TB", 1'000'000'000'000},
                                          {"KiB", 1ull << 10},
                                          {"MiB", 1ull << 20},
                                          {"GiB", 1ull << 30},
                                          {"TiB", 1ull << 40},
                                          {"PiB", 1ull << 50},
                                          {"EiB", 1ull << 60}}};
constexpr std::array<Unit, 7> kDurations = {{{"ms", 1},
                                             {"s", 1'000},
                                             {"m", 60'000},
                                             {"h", 3'600'000},
                                             {"d", 86'400'000},
                                             {"w", 604'800'000},
                                             {"y", 31'536'000'000}}};

std::unexpected<Error> bad(std::string what) { return fail(Errc::config, std::move(what)); }

bool digit(char c) { return c >= '0' && c <= '9'; }

// Takes "10GiB" or "10 GiB" apart.
struct Amount {
  std::string_view digits, unit;
};
Amount split(std::string_view text) {
  const auto end = static_cast<size_t>(std::find_if_not(text.begin(), text.end(), digit) - text.begin());
  std::string_view unit = text.substr(end);
  if (end > 0 && unit.starts_with(' ')) unit.remove_prefix(1);
  return {text.substr(0, end), unit};
}

template <size_t N>
std::string names(const std::array<Unit, N>& units) {
  std::string out;
  for (const auto& unit : units) out += (out.empty() ? "" : ", ") + std::string(unit.name);
  return out;
}

template <size_t N>
Result<uint64_t> scaled(std::string_view text, const Amount& amount, const std::array<Unit, N>& units,
                        std::string_view example) {
  const auto unit = std::find_if(units.begin(), units.end(), [&](const Unit& u) { return u.name == amount.unit; });
  if (amount.digits.empty() || amount.unit.starts_with('.') || amount.unit.starts_with(',')) {
    return bad(fmt::format("\"{}\" must be a whole number and a unit, like {}", text, example));
  }
  if (unit == units.end()) {
    return bad(fmt::format("\"{}\" has the unknown unit \"{}\"; known are: {}", text, amount.unit, names(units)));
  }
  const auto count = parse_count(amount.digits);
  if (!count) return count;
  uint64_t product = 0;
  if (__builtin_mul_overflow(*count, unit->factor, &product)) return bad(fmt::format("\"{}\" is too large", text));
  return product;
}

} // namespace

Result<uint64_t> parse_count(std::string_view text) {
  if (text.empty() || !std::all_of(text.begin(), text.end(), digit)) {
    return bad(fmt::format("\"{}\" is not a whole number", text));
  }
  if (text.size() > 1 && text.front() == '0') {
    return bad(fmt::format("\"{}\" begins with a zero, which some take for octal; write it without", text));
  }
  uint64_t value = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc{}) {
    return bad(fmt::format("\"{}\" is too large", text));
  }
  return value;
}

Result<uint64_t> parse_size(std::string_view text) {
  const Amount amount = split(text);
  if (!amount.digits.empty() && amount.digits.size() == text.size()) return parse_count(text);
  return scaled(text, amount, kSizes, "10GiB, 256MiB or 64KB");
}

Result<Millis> parse_duration(std::string_view text) {
  const Amount amount = split(text);
  if (!amount.digits.empty() && amount.unit.empty()) {
    return bad(fmt::format("\"{}\" has no unit; write {}s for seconds, or ms, m, h, d, w, y", text, amount.digits));
  }
  const auto millis = scaled(text, amount, kDurations, "30s, 5m, 1h, 1d or 250ms");
  if (!millis) return std::unexpected(millis.error());
  if (*millis > static_cast<uint64_t>(Millis::max().count())) return bad(fmt::format("\"{}\" is too large", text));
  return Millis(static_cast<int64_t>(*millis));
}

Result<bool> parse_bool(std::string_view text) {
  for (const auto yes : {"true", "on", "yes"}) {
    if (text == yes) return true;
  }
  for (const auto no : {"false", "off", "no"}) {
    if (text == no) return false;
  }
  return bad(fmt::format("\"{}\" is neither true nor false (nor on, off, yes, no)", text));
}

std::string format_size(uint64_t octets) {
  for (const auto unit : {kSizes[10], kSizes[9], kSizes[8], kSizes[7], kSizes[6], kSizes[5]}) {
    if (octets >= unit.factor && octets % unit.factor == 0) return fmt::format("{}{}", octets / unit.factor, unit.name);
  }
  return fmt::format("{}", octets);
}

std::string format_duration(Millis duration) {
  const auto millis = static_cast<uint64_t>(duration.count());
  if (millis == 0) return "0s";
  for (size_t i = kDurations.size(); i-- > 0;) {
    const auto& unit = kDurations.at(i);
    if (unit.name == "w") continue; // 30d reads better than 4w, 7d as well as 1w
    if (millis % unit.factor == 0) return fmt::format("{}{}", millis / unit.factor, unit.name);
  }
  return fmt::format("{}ms", millis);
}

} // namespace verge::config
