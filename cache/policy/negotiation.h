// What a client says it prefers: Accept, Accept-Encoding and Accept-Language (RFC 9110 section 12.5). Pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/http/headers.h"

namespace verge::policy {

// One member of such a list: `de;q=0.8`. Weights in thousandths. A member whose last parameter is no weight is whole,
// with its parameters, and weighs 1000.
struct Weighted {
  std::string_view value;
  int weight = 1000;
};
Weighted split_weight(std::string_view member) noexcept;

// The codings a client takes, whatever it likes best. kCodings are known; what else it names is kept as it is.
inline constexpr std::array<std::string_view, 4> kCodings = {"br", "deflate", "gzip", "zstd"};
struct Codings {
  std::array<bool, kCodings.size()> accepted{};
  std::vector<std::string> others; // lower case, sorted, no doubles: "x" is accepted, "x;q=0" refused
  bool star = false;               // all that is not refused
  bool no_identity = false;
};
Codings accepted_codings(const http::Headers& request);
// "br,gzip,identity;q=0": the same set makes the same text. And the set of a text that was made so.
void append(std::string& out, const Codings& codings);
Codings parse_codings(std::string_view text);

// Lower-case tags with their weights, sorted.
void append_languages(std::string& out, const http::Headers& request);
// Media ranges with type and parameter names in lower case and their weights, sorted.
void append_media_ranges(std::string& out, const http::Headers& request);

// What the client likes best, when that is one value and nothing else weighs as much; none if it is a range ("*",
// "text/*"), or if any member can't be read. A view into the request.
std::optional<std::string_view> first_choice(const http::Headers& request, std::string_view field) noexcept;

} // namespace verge::policy
