// Whose a stored response is, as a number: what a site may use and uses is counted under it.
#pragma once

#include <cstdint>
#include <string_view>

namespace verge::policy {

// FNV-1a of the site's first host, 32 bits: it stands in every index row. Never 0, which is nobody.
constexpr uint64_t site_id(std::string_view name) noexcept {
  uint32_t h = 2'166'136'261u;
  for (const char c : name) h = (h ^ static_cast<unsigned char>(c)) * 16'777'619u;
  return h != 0 ? h : 1;
}

} // namespace verge::policy
