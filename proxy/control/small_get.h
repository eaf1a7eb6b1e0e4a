// SmallGet: one GET whose whole answer is wanted, small and soon: a signing certificate, a subscription's confirmation.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "origin/origin.h"
#include "origin/pool/http_client.h"
#include "proxy/net/event_loop.h"

namespace verge::control {

class SmallGet final : public origin::FetchSink {
 public:
  struct Answer {
    int status = 0;
    std::string body;
  };
  using Done = std::move_only_function<void(Result<Answer>)>;

  // `url`: scheme, host and port; `path`, `query` (may be empty) as they stand in the request line. Redirects are
  // answers, never followed. All of it may take five seconds. `done` is called once, from the loop, never inside this
  // call, unless the SmallGet is destroyed before; it may not destroy the SmallGet itself but defer that. Error config:
  // the URL is none. To `done`: origin::HttpClient's, too_large, or timeout. Loop thread only.
  static Result<std::unique_ptr<SmallGet>> start(const origin::OriginContext& context, const std::string& url,
                                                 const std::string& path, const std::string& query,
                                                 std::shared_ptr<net::ClientTls> tls, size_t limit_bytes, Done done);
  ~SmallGet() override = default;

  void on_interim(http::ResponseHead&&) override {}
  void on_head(http::ResponseHead&& head) override { answer_.status = head.status; }
  void on_data(std::string_view octets) override;
  void on_end() override;
  void on_error(Error error) override;
  void on_request_writable() override {}

 private:
  SmallGet(net::EventLoop& loop, size_t limit_bytes, Done done);
  void finish(Result<Answer> result);
  size_t limit_bytes_;
  Done done_;
  Answer answer_;
  net::Timer timer_;
  std::unique_ptr<origin::HttpClient> client_;
  std::unique_ptr<origin::Fetch> fetch_;
};

} // namespace verge::control
