#include "proxy/pipeline/contradiction.h"

namespace verge::pipeline {

std::optional<std::string_view> contradiction(const http::RequestHead& sent, const http::ResponseHead& response) {
  const auto asked = [&](std::string_view name) { return sent.headers.has(name); };
  // Section 15.4.5: to a conditional GET or HEAD alone.
  if (response.status == 304 && !asked("if-none-match") && !asked("if-modified-since")) {
    return "304 to a request without condition";
  }
  return std::nullopt;
}

} // namespace verge::pipeline
