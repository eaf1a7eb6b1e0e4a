// What the request and the response reader of HTTP/1.1 have in common: lines, field sections, chunked bodies. Internal
// to this folder. All of it is strict: what RFC 9112 lets a recipient guess is a Fault.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/http/headers.h"
#include "proxy/http/limits.h"

namespace verge::http::h1 {

// What is wrong with a message. `status` is what a client is answered; a response reader has no use for it.
struct Fault {
  const char* what;
  int status = 400;
};
template <class T = void>
using Checked = std::expected<T, Fault>;
inline std::unexpected<Fault> fault(const char* what, int status = 400) { return std::unexpected(Fault{what, status}); }

// Cuts lines that end in CRLF off the front of the input. A line that lies whole in the input is handed out as a view
// of it; only one that is split over inputs is copied. Each octet is looked at once.
class LineTaker {
 public:
  enum class Status : uint8_t { partial, complete, bare_lf, too_long };
  // `line` comes without its CRLF, has at most `limit` octets, and lives until the next call or the end of the input.
  // partial: the whole input was consumed. What is found never depends on how the input was split.
  Status take(std::string_view& in, size_t limit, std::string_view& line) {
    if (given_) reset();
    if (partial_.empty() && !in.empty()) { // the line that lies whole in the input and is as it should be
      const auto* lf = static_cast<const char*>(std::memchr(in.data(), '\n', in.size()));
      const size_t size = lf != nullptr ? static_cast<size_t>(lf - in.data()) : 0;
      if (size > 0 && size <= limit + 1 && lf[-1] == '\r') {
        line = {in.data(), size - 1};
        in = {lf + 1, in.size() - size - 1};
        return Status::complete;
      }
    }
    return take_part(in, limit, line);
  }
  void reset() noexcept;

 private:
  Status take_part(std::string_view& in, size_t limit, std::string_view& line);
  std::string partial_;
  bool given_ = false; // partial_ was handed out: drop it before the next line
};

// The field lines of one head. End-to-end fields go to a Headers, those that frame the message or concern only this
// connection are kept here, so that nobody behind the reader ever sees them.
class FieldSection {
 public:
  void reset() noexcept;
  Checked<> take(std::string_view line, Headers& out);
  // After the last line: drops from `out` what Connection nominated.
  void finish(Headers& out) const;

  enum class Coding : uint8_t { none, chunked };
  // Of Transfer-Encoding. 501: a coding we don't know; 400: chunked not last, repeated or with parameters.
  Checked<Coding> coding() const;
  const std::optional<uint64_t>& length() const noexcept { return length_; } // of the one Content-Length
  bool close() const noexcept { return close_; }                             // Connection: close
  bool keep_alive() const noexcept { return keep_alive_; }                   // Connection: keep-alive
  unsigned hosts() const noexcept { return hosts_; }                         // lines of Host
  std::string_view host() const noexcept { return host_; }
  void take_host(std::string& to) noexcept { to.swap(host_); }
  const std::optional<std::string>& expect() const noexcept { return expect_; }
  bool has_coding() const noexcept { return coding_.has_value(); }

 private:
  void take_connection(std::string_view value);
  std::optional<uint64_t> length_;
  std::optional<std::string> coding_; // all lines joined with ","
  std::optional<std::string> expect_;
  std::string host_;
  std::string nominated_;
  unsigned hosts_ = 0;
  bool close_ = false;
  bool keep_alive_ = false;
};

// Parses "name: value". No folding, no white space before the colon, no controls.
struct FieldLine {
  std::string_view name, value;
};
Checked<FieldLine> parse_field_line(std::string_view line) noexcept;

// A chunked body (RFC 9112 section 7.1) from the first chunk-size line to the empty line after the trailers.
class ChunkedBody {
 public:
  void start() noexcept;
  enum class Step : uint8_t { need_more, body, end };
  // `body` is a view into the input. Trailers come out grammar-checked, without those that frame or route a message.
  Checked<Step> next(std::string_view& in, const Limits& limits, std::string_view& body, Headers& trailers);

 private:
  enum class State : uint8_t { size, data, cr, lf, trailer, done };
  Checked<> take_size(std::string_view line);
  LineTaker lines_;
  State state_ = State::size;
  uint64_t remaining_ = 0;
  size_t extension_bytes_ = 0;
  size_t trailer_bytes_ = 0;
  size_t trailer_fields_ = 0;
};

} // namespace verge::http::h1
