#include "proxy/pipeline/remarks.h"

#include <array>
#include <charconv>
#include <string>

namespace verge::pipeline {

void add_age(http::Headers& out, Millis age) {
  out.add_made("age", [age](std::string& text) {
    std::array<char, 20> digits{};
    const auto seconds = std::chrono::duration_cast<Seconds>(age).count();
    text.append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), seconds).ptr);
  });
}

void add_cache_status(http::Headers& out, const policy::CacheStatus& status) {
  out.add_made("cache-status", [&](std::string& text) { policy::append(text, status, "verge"); });
}

policy::CacheStatus memory_hit(Millis age, Millis lifetime, std::string_view key) {
  policy::CacheStatus s;
  s.hit = true;
  s.ttl = std::chrono::duration_cast<Seconds>(lifetime - age);
  s.key = key;
  s.detail = "ram";
  return s;
}

} // namespace verge::pipeline
