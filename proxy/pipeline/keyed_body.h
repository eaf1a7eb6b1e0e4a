// keyed_body: requests whose body is part of what they ask for: QUERY (draft-ietf-httpbis-safe-method-w-body: safe, its
// body in the key), and POST where a route says that it only asks. The body is gathered before the cache is asked, up
// to the route's limit.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace verge::pipeline {

class Exchange;

struct KeyedBody {
  // Octets that one loop holds for all such requests that are still being gathered.
  static constexpr size_t kTogether = size_t{32} << 20;
  std::shared_ptr<std::string> octets = std::make_shared<std::string>();
  bool gave_up = false; // too large: the request passes, and the rest of its body with it
};

// Does this request's route want its body in the key?
bool has_keyed_body(const Exchange& ex);
// on_body: true: the octets were taken. The Exchange is to be woken when `ex.keyed->gave_up`.
bool gather(Exchange& ex, std::string_view octets);
void release_gathered(Exchange& ex);
// What the key says of it: the method, and a digest of body, Content-Type and Content-Encoding.
std::string key_of_body(const Exchange& ex);

} // namespace verge::pipeline
