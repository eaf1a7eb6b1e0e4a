#include "proxy/pipeline/contradiction.h"

namespace verge::pipeline {

bool is_conditional(const http::RequestHead& sent) noexcept {
  return sent.headers.has("if-none-match") || sent.headers.has("if-modified-since");
}

std::optional<std::string_view> contradiction(bool conditional, const http::ResponseHead& response) noexcept {
  // Section 15.4.5: to a conditional GET or HEAD alone.
  if (response.status == 304 && !conditional) return "304 to a request without condition";
  return std::nullopt;
}

} // namespace verge::pipeline
