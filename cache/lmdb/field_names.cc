#include "cache/lmdb/field_names.h"

#include <algorithm>
#include <array>

namespace verge::cache {
namespace {

constexpr std::string_view kNames[] = {
    "accept-ranges",
    "access-control-allow-credentials",
    "access-control-allow-headers",
    "access-control-allow-methods",
    "access-control-allow-origin",
    "access-control-expose-headers",
    "access-control-max-age",
    "age",
    "allow",
    "alt-svc",
    "cache-control",
    "cache-tag",
    "cdn-cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-location",
    "content-md5",
    "content-range",
    "content-security-policy",
    "content-security-policy-report-only",
    "content-type",
    "critical-ch",
    "accept-ch",
    "cross-origin-embedder-policy",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "date",
    "digest",
    "content-digest",
    "repr-digest",
    "etag",
    "expires",
    "last-modified",
    "link",
    "location",
    "nel",
    "no-vary-search",
    "origin-trial",
    "permissions-policy",
    "pragma",
    "referrer-policy",
    "report-to",
    "reporting-endpoints",
    "retry-after",
    "server",
    "server-timing",
    "set-cookie",
    "sourcemap",
    "speculation-rules",
    "strict-transport-security",
    "surrogate-control",
    "surrogate-key",
    "timing-allow-origin",
    "vary",
    "via",
    "warning",
    "x-amz-id-2",
    "x-amz-meta-version",
    "x-amz-request-id",
    "x-amz-server-side-encryption",
    "x-amz-storage-class",
    "x-amz-version-id",
    "x-amz-apigw-id",
    "x-amz-cf-id",
    "x-amz-cf-pop",
    "x-amzn-requestid",
    "x-amzn-trace-id",
    "x-amzn-remapped-content-length",
    "x-amzn-remapped-date",
    "x-cache",
    "x-content-type-options",
    "x-dns-prefetch-control",
    "x-download-options",
    "x-frame-options",
    "x-permitted-cross-domain-policies",
    "x-powered-by",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-request-id",
    "x-response-time",
    "x-robots-tag",
    "x-runtime",
    "x-served-by",
    "x-timer",
    "x-ua-compatible",
    "x-xss-protection",
};
constexpr size_t kCount = std::size(kNames);
static_assert(kCount < 128, "a number takes one octet");

// Open addressing over four times as many places, made when this is compiled.
constexpr size_t kPlaces = 512;
constexpr size_t place_of(std::string_view name) noexcept {
  uint32_t h = 2'166'136'261u;
  for (const char c : name) h = (h ^ static_cast<unsigned char>(c)) * 16'777'619u;
  return (h ^ (h >> 15)) % kPlaces;
}
constexpr auto kTable = [] {
  std::array<uint8_t, kPlaces> table{};
  for (size_t i = 0; i < kCount; ++i) {
    size_t at = place_of(kNames[i]);
    while (table[at] != 0) at = (at + 1) % kPlaces;
    table[at] = static_cast<uint8_t>(i + 1);
  }
  return table;
}();

} // namespace

uint8_t field_number(std::string_view name) noexcept {
  for (size_t at = place_of(name); kTable[at] != 0; at = (at + 1) % kPlaces) {
    if (kNames[kTable[at] - 1] == name) return kTable[at];
  }
  return 0;
}

std::string_view field_name(uint64_t number) noexcept {
  return number != 0 && number <= kCount ? kNames[number - 1] : std::string_view{};
}

size_t field_names() noexcept { return kCount; }

} // namespace verge::cache
