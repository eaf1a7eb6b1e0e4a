#include "proxy/control/events/public_resolver.h"

#include <arpa/inet.h>
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

namespace verge::control {
namespace {

struct Range {
  uint32_t first;
  int bits;
};
// IANA's special-purpose registry (RFC 6890) and multicast, reserved (240/4).
constexpr std::array<Range, 16> kNotPublic = {{
    {0x00000000, 8},  // this network
    {0x0A000000, 8},  // private
    {0x64400000, 10}, // shared (RFC 6598)
    {0x7F000000, 8},  // loopback
    {0xA9FE0000, 16}, // link-local, the metadata service among them
    {0xAC100000, 12}, // private
    {0xC0000000, 24}, // IETF
    {0xC0000200, 24}, // documentation
    {0xC0586300, 24}, // 6to4 relays
    {0xC0A80000, 16}, // private
    {0xC6120000, 15}, // benchmarks
    {0xC6336400, 24}, // documentation
    {0xCB007100, 24}, // documentation
    {0xE0000000, 4},  // multicast
    {0xF0000000, 4},  // reserved, broadcast
    {0xC01FC400, 24}, // AS112
}};

bool is_public_v4(uint32_t address) {
  return std::none_of(kNotPublic.begin(), kNotPublic.end(),
                      [address](const Range& r) { return (address ^ r.first) >> (32 - r.bits) == 0; });
}

uint32_t number_at(std::span<const uint8_t> octets, size_t at) {
  return uint32_t{octets[at]} << 24 | uint32_t{octets[at + 1]} << 16 | uint32_t{octets[at + 2]} << 8 | octets[at + 3];
}

bool is_public_v6(const std::array<uint8_t, 16>& a) {
  constexpr std::array<uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
  constexpr std::array<uint8_t, 12> kNat64 = {0, 0x64, 0xFF, 0x9B};
  if (std::equal(kMapped.begin(), kMapped.end(), a.begin()) || std::equal(kNat64.begin(), kNat64.end(), a.begin())) {
    return is_public_v4(number_at(a, 12));
  }
  if ((a[0] & 0xE0) != 0x20) return false; // global unicast is 2000::/3
  const uint32_t top = number_at(a, 0);
  if (top == 0x20010DB8 || top == 0x20010000) return false;    // documentation; Teredo hides an IPv4 address
  return top >> 16 != 0x2002 || is_public_v4(number_at(a, 2)); // 6to4
}

} // namespace

bool is_public_address(std::string_view address) {
  const std::string text(address);
  in_addr v4{};
  if (::inet_pton(AF_INET, text.c_str(), &v4) == 1) return is_public_v4(ntohl(v4.s_addr));
  std::array<uint8_t, 16> v6{};
  return ::inet_pton(AF_INET6, text.c_str(), v6.data()) == 1 && is_public_v6(v6);
}

void PublicResolver::resolve(const std::string& host, Executor& on, Done done) {
  all_.resolve(host, on, [host, done = std::move(done)](Result<std::vector<std::string>> found) mutable {
    if (!found) return done(std::move(found));
    const std::string first = found->empty() ? "" : found->front();
    std::erase_if(*found, [](const std::string& address) { return !is_public_address(address); });
    if (!found->empty()) return done(std::move(found));
    done(fail(Errc::refused,
              fmt::format("{} resolves to {}, which is not a public address; if it is a VPC endpoint of SNS, set "
                          "invalidation.sns.certificate_origin and confirm_endpoint to \"https://{}\"",
                          host, first, host),
              Side::origin, Retry::safe));
  });
}

} // namespace verge::control
