#include "origin/aws/digest.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <cstdlib>

namespace verge::origin::aws {

Digest sha256(std::string_view octets) {
  Digest out;
  unsigned size = 0;
  // SHA-256 of the default provider fails only when memory is gone.
  if (EVP_Digest(octets.data(), octets.size(), out.data(), &size, EVP_sha256(), nullptr) != 1) std::abort();
  return out;
}

Digest hmac_sha256(std::string_view key, std::string_view octets) {
  Digest out;
  unsigned size = 0;
  const auto* data = reinterpret_cast<const unsigned char*>(octets.data());
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), data, octets.size(), out.data(), &size) == nullptr) {
    std::abort();
  }
  return out;
}

std::string hex(const Digest& digest) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  out.reserve(2 * digest.size());
  for (const uint8_t b : digest) {
    out += kDigits[b >> 4];
    out += kDigits[b & 15];
  }
  return out;
}

} // namespace verge::origin::aws
