// SmallCall: one request whose whole answer is wanted, small and soon: a signing certificate, a subscription's
// confirmation, a call to SQS.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "origin/origin.h"
#include "origin/pool/http_client.h"
#include "proxy/net/event_loop.h"

namespace verge::control {

// Takes the "origin NAME: " off what origin::HttpClient says of `name`, where that is no origin to people.
inline std::string without_origin(std::string what, std::string_view name) {
  const auto prefix = "origin " + std::string(name) + ": ";
  return what.starts_with(prefix) ? what.substr(prefix.size()) : what;
}

class SmallCall final : public origin::FetchSink {
 public:
  struct Answer {
    int status = 0;
    std::string body;
  };
  using Done = std::move_only_function<void(Result<Answer>)>;

  // Redirects are answers, never followed. `done` is called once, from the loop, never inside this call, unless the
  // SmallCall is destroyed before; it may not destroy the SmallCall itself but defer that. To `done`:
  // origin::HttpClient's errors, too_large, or timeout. Loop thread only.

  // A GET on a connection of its own. `url`: scheme, host and port; `path`, `query` (may be empty) as they stand in the
  // request line. All of it may take five seconds. Error config: the URL is none.
  static Result<std::unique_ptr<SmallCall>> get(const origin::OriginContext& context, const std::string& url,
                                                const std::string& path, const std::string& query,
                                                std::shared_ptr<net::ClientTls> tls, size_t limit_bytes, Done done);
  // `head` with `body` through a client that is kept (it outlives the call); all of it may take `limit`.
  static std::unique_ptr<SmallCall> send(net::EventLoop& loop, origin::HttpClient& client, http::RequestHead head,
                                         std::string_view body, Millis limit, size_t limit_bytes, Done done);
  ~SmallCall() override = default;

  void on_interim(http::ResponseHead&&) override {}
  void on_head(http::ResponseHead&& head) override { answer_.status = head.status; }
  void on_data(std::string_view octets) override;
  void on_end() override;
  void on_error(Error error) override;
  void on_request_writable() override {}

 private:
  SmallCall(net::EventLoop& loop, Millis limit, size_t limit_bytes, Done done);
  void begin(origin::HttpClient& client, http::RequestHead head, std::string_view body);
  void finish(Result<Answer> result);
  Millis limit_;
  size_t limit_bytes_;
  Done done_;
  Answer answer_;
  net::Timer timer_;
  std::unique_ptr<origin::HttpClient> client_; // of a get()
  std::unique_ptr<origin::Fetch> fetch_;
};

} // namespace verge::control
