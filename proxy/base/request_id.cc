#include "proxy/base/request_id.h"

#include <random>

namespace verge {

uint64_t new_request_id() {
  thread_local std::mt19937_64 random{std::random_device{}()};
  return random();
}

std::string request_id_text(uint64_t id) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string text(16, '0');
  for (auto& c : text) {
    c = kHex[id & 15];
    id >>= 4;
  }
  return text;
}

} // namespace verge
