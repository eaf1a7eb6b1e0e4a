// Reads HTTP/1.1 messages from octets. Pull style: the caller hands in what it has, takes one event at a time and stops
// when it can't use more; that is all there is to backpressure. No sockets, no clock. Strict (RFC 9112): what is
// ambiguous is an error, never a guess.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/base/result.h"
#include "proxy/http/limits.h"
#include "proxy/http/message.h"

namespace verge::http {

enum class H1Event : uint8_t {
  need_more, // nothing complete in the input
  head,      // head() is ready
  body,      // body() holds octets (a view into the input just consumed: use before the next call)
  end,       // message complete; trailers() are ready; call reset() for the next
};

class H1RequestReader {
 public:
  explicit H1RequestReader(const Limits& limits, bool tls);
  // Consumes from the front of `in`. Errors (side client): bad_input -> 400 and close; too_large -> see error_status().
  Result<H1Event> next(std::string_view& in);
  // 400, 414 (target), 431 (head), 501 (unknown transfer coding), 505: what to answer after an error.
  int error_status() const noexcept { return error_status_; }
  RequestHead& head() noexcept { return head_; } // may be moved from after `head`
  std::string_view body() const noexcept { return body_; }
  const Headers& trailers() const noexcept { return trailers_; } // grammar checked
  bool keep_alive() const noexcept { return keep_alive_; }       // by version and Connection
  bool idle() const noexcept { return state_ == State::start; }  // between messages, no octet of one seen
  void reset();

 private:
  enum class State : uint8_t { start, head, length, chunk_size, chunk_data, chunk_crlf, trailer, done, broken };
  Result<H1Event> parse_head(std::string_view& in);
  Result<H1Event> parse_body(std::string_view& in);
  Limits limits_;
  bool tls_;
  State state_ = State::start;
  RequestHead head_;
  Headers trailers_;
  std::string_view body_;
  std::string line_;
  size_t scanned_ = 0;
  uint64_t remaining_ = 0;
  size_t extension_bytes_ = 0;
  bool keep_alive_ = true;
  int error_status_ = 400;
};

class H1ResponseReader {
 public:
  explicit H1ResponseReader(const Limits& limits);
  // Call before each response: HEAD and CONNECT change where it ends.
  void expect(std::string_view request_method);
  // Errors (side origin). 1xx heads come as `head` events followed at once by `end`; call reset_interim() after them.
  Result<H1Event> next(std::string_view& in);
  // The connection ended: completes a close-delimited body (then next() gives `end`), else an error.
  Result<> eof();
  ResponseHead& head() noexcept { return head_; }
  std::string_view body() const noexcept { return body_; }
  const Headers& trailers() const noexcept { return trailers_; }
  bool keep_alive() const noexcept { return keep_alive_; }
  bool close_delimited() const noexcept { return close_delimited_; }
  void reset_interim();

 private:
  enum class State : uint8_t { head, length, until_close, chunk_size, chunk_data, chunk_crlf, trailer, done, broken };
  Limits limits_;
  std::string method_;
  State state_ = State::head;
  ResponseHead head_;
  Headers trailers_;
  std::string_view body_;
  std::string line_;
  uint64_t remaining_ = 0;
  size_t extension_bytes_ = 0;
  bool keep_alive_ = true;
  bool close_delimited_ = false;
};

} // namespace verge::http
