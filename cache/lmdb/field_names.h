// The names of fields that responses usually have, each with a number of one octet: what a record holds in their place.
// Pure. The order is part of the store's format: names are added at the end, or the format's version rises.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace verge::cache {

// 0: it has none. `name` in lower case.
uint8_t field_number(std::string_view name) noexcept;
// Empty: there is no such number.
std::string_view field_name(uint64_t number) noexcept;
size_t field_names() noexcept; // numbers run from 1 to this

} // namespace verge::cache
