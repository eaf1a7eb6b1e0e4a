// Reads HTTP/1.1 messages from octets. Pull style: the caller hands in what it has, takes one event at a time and stops
// when it can't use more; that is all there is to backpressure. No sockets, no clock. Strict (RFC 9112): what is
// ambiguous is an error, never a guess.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/base/result.h"
#include "proxy/http/h1_parts.h"
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
  // What to answer after an error: 400, 405 (CONNECT), 414 (target), 417 (Expect), 431 (head, trailers), 501 (unknown
  // transfer coding or overlong method), 505 (version).
  int error_status() const noexcept { return error_status_; }
  RequestHead& head() noexcept { return *head_; } // from `head` until reset(); may be moved from
  std::string_view body() const noexcept { return body_; }
  const Headers& trailers() const noexcept { return trailers_; } // grammar checked
  bool keep_alive() const noexcept { return keep_alive_; }       // by version and Connection
  bool idle() const noexcept { return state_ == State::start; }  // between messages, no octet of one seen
  void reset();

 private:
  enum class State : uint8_t { start, request_line, fields, length, chunked, complete, done, broken };
  h1::Checked<H1Event> step(std::string_view& in);
  h1::Checked<bool> skip_empty_line(std::string_view& in); // true: go on with the request line
  h1::Checked<> take_request_line(std::string_view line);
  h1::Checked<> take_target(std::string_view target);
  h1::Checked<> take_absolute_form(std::string_view target);
  h1::Checked<> finish_head();
  h1::Checked<> finish_host();
  Limits limits_;
  bool tls_;
  State state_ = State::start;
  uint8_t empty_line_ = 0;            // octets seen of the one CRLF that may stand before a request line
  std::unique_ptr<RequestHead> head_; // from the first octet of a request on
  Headers trailers_;
  std::string_view body_;
  h1::LineTaker lines_;
  h1::FieldSection fields_;
  h1::ChunkedBody chunks_;
  size_t head_bytes_ = 0;
  size_t field_lines_ = 0;
  uint64_t remaining_ = 0;
  bool absolute_form_ = false;
  bool keep_alive_ = true;
  int error_status_ = 400;
};

class H1ResponseReader {
 public:
  explicit H1ResponseReader(const Limits& limits);
  // Call before each response: HEAD and CONNECT change where it ends.
  void expect(std::string_view request_method);
  // Octets after the end stay in `in`: a connection that has any is not to be pooled. bool keep_alive() is false where
  // the end was not told beyond doubt. Errors (side origin): bad_input, too_large. 1xx heads come as `head` events
  // followed at once by `end`; call reset_interim() after them.
  Result<H1Event> next(std::string_view& in);
  // The connection ended in an orderly way (FIN or close_notify): completes a close-delimited body (then next() gives
  // `end`); else error `closed`, Retry::if_idempotent when no octet of the response had come.
  Result<> eof();
  ResponseHead& head() noexcept { return head_; }
  std::string_view body() const noexcept { return body_; }
  const Headers& trailers() const noexcept { return trailers_; }
  bool keep_alive() const noexcept { return keep_alive_; }
  bool close_delimited() const noexcept { return close_delimited_; }
  void reset_interim();

 private:
  enum class State : uint8_t { status_line, fields, length, until_close, chunked, complete, done, broken };
  h1::Checked<H1Event> step(std::string_view& in);
  h1::Checked<> take_status_line(std::string_view line);
  h1::Checked<> finish_head();
  void begin_head();
  Limits limits_;
  std::string method_;
  State state_ = State::status_line;
  ResponseHead head_;
  Headers trailers_;
  std::string_view body_;
  h1::LineTaker lines_;
  h1::FieldSection fields_;
  h1::ChunkedBody chunks_;
  size_t head_bytes_ = 0;
  size_t field_lines_ = 0;
  size_t interims_ = 0;
  uint64_t remaining_ = 0;
  bool http11_ = true;
  bool seen_octets_ = false; // of the response that is expected, interim ones included
  bool keep_alive_ = true;
  bool close_delimited_ = false;
};

} // namespace verge::http
