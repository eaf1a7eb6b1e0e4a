#include "proxy/pipeline/contradiction.h"

#include <algorithm>
#include <array>

namespace verge::pipeline {

std::optional<std::string_view> contradiction(const http::RequestHead& sent, const http::ResponseHead& response) {
  const auto asked = [&](std::string_view name) { return sent.headers.has(name); };
  switch (response.status) {
    case 304: // section 15.4.5: to a conditional GET or HEAD alone
      if (!asked("if-none-match") && !asked("if-modified-since")) return "304 to a request without condition";
      break;
    case 206: // section 15.3.7
      if (!asked("range")) return "206 to a request without Range";
      if (!response.headers.has("content-range") &&
          !response.headers.get("content-type").value_or("").starts_with("multipart/byteranges")) {
        return "206 without Content-Range";
      }
      break;
    default: break;
  }
  return std::nullopt;
}

} // namespace verge::pipeline
