// Numbers, sizes, durations and truth values as a person writes them. An error is the rest of a sentence that begins
// with the value: `"30" has no unit; ...`. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/base/clock.h"
#include "proxy/base/result.h"

namespace verge::config {

// Decimal digits alone. 010 and 0x10 are refused: some readers take them for 8 and 16.
Result<uint64_t> parse_count(std::string_view text);
// Octets: 4096, 64KB (thousands), 10GiB (powers of 1024).
Result<uint64_t> parse_size(std::string_view text);
// 250ms, 30s, 5m, 1h, 1d, 1w, 1y (365 days). A unit is always needed.
Result<Millis> parse_duration(std::string_view text);
// true false on off yes no.
Result<bool> parse_bool(std::string_view text);

// In the largest unit that leaves no rest: "10GiB", "1500", "1y", "250ms".
std::string format_size(uint64_t octets);
std::string format_duration(Millis duration);

} // namespace verge::config
