// SmallGet: one GET whose whole answer is wanted, small and soon: a signing certificate, a subscription's confirmation.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "origin/origin.h"
#include "origin/pool/http_client.h"

namespace verge::control {

class SmallGet final : public origin::FetchSink {
 public:
  struct Answer {
    int status = 0;
    std::string body;
  };
  using Done = std::move_only_function<void(Result<Answer>)>;

  // `url`: scheme, host and port; `target`: path and query. Redirects are answers, never followed. `done` is called
  // once, from the loop, unless the SmallGet is destroyed before. Error: origin::HttpClient's, or too_large.
  // Loop thread only.
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
  SmallGet(size_t limit_bytes, Done done) : limit_bytes_(limit_bytes), done_(std::move(done)) {}
  void finish(Result<Answer> result);
  size_t limit_bytes_;
  Done done_;
  Answer answer_;
  std::unique_ptr<origin::HttpClient> client_;
  std::unique_ptr<origin::Fetch> fetch_;
};

} // namespace verge::control
