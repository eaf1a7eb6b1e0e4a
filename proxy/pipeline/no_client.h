// NoClient: what an Exchange answers that no client asked for.
#pragma once

#include <string_view>

#include "proxy/http/stream.h"

namespace verge::pipeline {

class NoClient final : public http::ClientStream {
 public:
  void send_interim(const http::ResponseHead&) override {}
  void send_head(const http::ResponseOut&) override {}
  void send_body(Slice) override {}
  void send_end() override {}
  void abort() override {}
  size_t queued() const noexcept override { return 0; }
  void body_consumed(size_t) override {}
  void want_body() override {}
  void close_after() override {}
  std::string_view remote_address() const noexcept override { return ""; }
};

} // namespace verge::pipeline
