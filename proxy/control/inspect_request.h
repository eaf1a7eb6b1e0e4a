// What `verge why`, `ls` and `get` ask the admin API, read from JSON. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cache/invalidate/epochs.h"
#include "proxy/base/result.h"
#include "proxy/http/message.h"

namespace verge::control {

// {"url": "https://www.example.com/a?b", "method": "GET", "headers": [["accept", "*/*"]]} as the request a client would
// send. Errors (bad_input, side client) say what is wrong.
Result<http::RequestHead> parse_why(std::string_view json);

// {"pattern": "/img/*", "tag": "home", "after": 17, "limit": 1000}; all may be left out.
struct ListRequest {
  static constexpr size_t kMost = 10'000;
  std::optional<cache::Target> pattern, tag;
  uint64_t after = 0;
  size_t limit = 1'000; // 1 to kMost
};
Result<ListRequest> parse_list(std::string_view json);

// {"key": "https://www.example.com/a"}: the key.
Result<std::string> parse_entry(std::string_view json);

} // namespace verge::control
