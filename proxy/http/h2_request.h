// Builds a RequestHead from the decoded fields of one HTTP/2 header block. nghttp2 has already checked what RFC 9113
// sections 8.2 and 8.3 say of single fields (lower case, octets, order and number of pseudo-fields, connection-specific
// fields); here is what it leaves: sizes, authority, path, scheme. One is enough for a connection, since header blocks
// don't interleave. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "proxy/http/limits.h"
#include "proxy/http/message.h"

namespace verge::http {

class H2RequestBuilder {
 public:
  explicit H2RequestBuilder(const Limits& limits) noexcept : limits_(limits) {}
  void begin();
  // Keeps nothing more once a limit is passed, but goes on counting.
  void add(std::string_view name, std::string_view value);
  // Octets decoded so far by RFC accounting: name + value + 32 each. Goes on beyond the limit.
  size_t decoded() const noexcept { return decoded_; }
  bool too_large() const noexcept { return decoded_ > limits_.head_bytes || lines_ > limits_.fields; }
  // Closes the head. 0: head() is good; else the status to answer with (400, 405, 414, 417, 431, 501).
  int finish(bool end_stream);
  RequestHead& head() noexcept { return *head_; } // from begin() until end(); may be moved from
  void end() { give_back(std::move(head_)); }

 private:
  void add_pseudo(std::string_view name, std::string_view value);
  int finish_target();
  int finish_authority();
  Limits limits_;
  std::unique_ptr<RequestHead> head_;
  std::string authority_; // the last one that was good, in lower case: a connection mostly has one
  std::string target_;
  std::string host_;
  std::string cookie_;
  std::string expect_;
  size_t decoded_ = 0;
  size_t lines_ = 0;
  bool has_authority_ = false;
  bool has_host_ = false;
  bool has_expect_ = false;
  bool bad_length_ = false;
};

} // namespace verge::http
