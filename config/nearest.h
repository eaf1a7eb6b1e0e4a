// What a misspelt word was probably meant to be.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace verge::config {

// Insertions, deletions, replacements and swaps of neighbours between a and b, each counted as one.
size_t edit_distance(std::string_view a, std::string_view b);

// The candidate with the smallest distance, if that is at most a third of the word (and at least one); else empty.
std::string_view nearest(std::string_view word, const std::vector<std::string_view>& candidates);

// `; did you mean "origin"?`, or if none is near `; known are: a, b, c`.
std::string meant(std::string_view word, const std::vector<std::string_view>& candidates);

} // namespace verge::config
