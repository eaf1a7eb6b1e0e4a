// Whose a stored response is, as a number: what a site may use and uses is counted under it.
#pragma once

#include <cstdint>
#include <string_view>

namespace verge::policy {

// FNV-1a of the site's first host; never 0, which is nobody.
constexpr uint64_t site_id(std::string_view name) noexcept {
  uint64_t h = 14'695'981'039'346'656'037ull;
  for (const char c : name) h = (h ^ static_cast<unsigned char>(c)) * 1'099'511'628'211ull;
  return h != 0 ? h : 1;
}

} // namespace verge::policy
