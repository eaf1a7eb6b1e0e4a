// Heads of requests and responses as values, the same for HTTP/1.1 and HTTP/2.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/http/headers.h"

namespace verge::http {

enum class Version : uint8_t { http10, http11, http2 };

// "HTTP/1.0", "HTTP/1.1", "HTTP/2.0": as logs write it.
std::string_view to_string(Version v) noexcept;

struct RequestHead {
  std::string method;     // a token, case-sensitive: "GET"
  std::string scheme;     // "http" or "https": how the client reached us
  std::string authority;  // host[:port] as sent, from :authority, absolute-form or Host; lower-cased host
  std::string path;       // raw path as sent, begins with "/" ("*" for OPTIONS *); no query
  std::string query;      // raw query without "?"; see has_query
  bool has_query = false; // "/a?" has an empty query, "/a" has none: two different keys
  Version version = Version::http11;
  Headers headers; // without Host, Content-Length and Transfer-Encoding: framing is told apart from the fields
  std::optional<uint64_t> content_length; // as declared
  bool has_body = false;                  // a body follows (length > 0, chunked, or HTTP/2 without END_STREAM)
  bool expect_continue = false;           // Expect: 100-continue was sent (and removed)

  bool is(std::string_view m) const noexcept { return method == m; }
  // "/a?b": path and query together, as a request line has it.
  std::string target() const { return has_query ? path + "?" + query : path; }
};

// Heads of requests that are done, with the memory of their strings and fields, for the thread's next ones. A head that
// is larger than usual is not kept. What was moved out of one that was taken comes back by the second give_back().
std::unique_ptr<RequestHead> spare_head(); // empty
std::unique_ptr<RequestHead> spare_head(const RequestHead& like);
void give_back(std::unique_ptr<RequestHead> head);
void give_back(RequestHead&& head);

struct ResponseHead {
  int status = 0;
  Headers headers;                        // without Content-Length, Transfer-Encoding and hop-by-hop fields
  std::optional<uint64_t> content_length; // what the origin declared, or we know; none: unknown until the end
};

// "Not Found" for 404; "Unknown" for a status without a registered phrase.
std::string_view reason_phrase(int status) noexcept;

// True for a status that never has a body (1xx, 204, 304; RFC 9110 section 6.4.1).
constexpr bool status_without_body(int status) noexcept {
  return (status >= 100 && status < 200) || status == 204 || status == 304;
}

} // namespace verge::http
