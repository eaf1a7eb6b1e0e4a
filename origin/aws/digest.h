// SHA-256 and HMAC-SHA-256, as SigV4 needs them. Pure; can't fail short of memory.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace verge::origin::aws {

using Digest = std::array<uint8_t, 32>;

Digest sha256(std::string_view octets);
Digest hmac_sha256(std::string_view key, std::string_view octets);
// Lower-case hexadecimal.
std::string hex(const Digest& digest);
inline std::string_view octets(const Digest& digest) noexcept {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

} // namespace verge::origin::aws
