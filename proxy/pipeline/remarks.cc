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
  // What tells neither a time nor a key is the same for most of the answers that are not stored.
  thread_local policy::CacheStatus last;
  thread_local std::string last_detail, last_text;
  if (status.ttl || !status.key.empty()) {
    return out.add_made("cache-status", [&](std::string& text) { policy::append(text, status, "verge"); });
  }
  if (last_text.empty() || status != last) {
    last_detail = status.detail;
    last = status;
    last.detail = last_detail;
    last_text.clear();
    policy::append(last_text, status, "verge");
  }
  out.add_new("cache-status", last_text);
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
