#include "proxy/control/purge_id.h"

#include <fmt/core.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>

#include "origin/aws/digest.h"

namespace verge::control {

std::string new_purge_id() {
  std::array<unsigned char, 16> octets{};
  RAND_bytes(octets.data(), static_cast<int>(octets.size()));
  std::string out;
  for (const auto octet : octets) out += fmt::format("{:02x}", octet);
  return out;
}

bool is_purge_id(std::string_view text) noexcept {
  constexpr std::string_view kSigns = "-_.:+=@";
  const auto fits = [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || kSigns.find(c) != kSigns.npos;
  };
  return !text.empty() && text.size() <= 128 && std::ranges::all_of(text, fits);
}

std::string purge_digest(const cache::Invalidation& command) {
  std::string text = command.soft ? "soft" : "hard";
  for (const auto& target : command.targets) {
    text += fmt::format("\n{}\n{}\n{}", static_cast<int>(target.kind), target.host, target.value);
  }
  return origin::aws::hex(origin::aws::sha256(text)).substr(0, 32);
}

} // namespace verge::control
