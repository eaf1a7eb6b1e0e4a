#include "proxy/control/events/small_call.h"

#include <fmt/core.h>

#include "origin/pool/endpoint.h"

namespace verge::control {
namespace {

constexpr Millis kGetLimit{5'000}; // SNS itself waits 15 s for our answer

} // namespace

SmallCall::SmallCall(net::EventLoop& loop, Millis limit, size_t limit_bytes, Done done)
    : limit_(limit), limit_bytes_(limit_bytes), done_(std::move(done)), timer_(loop, [this] {
        fetch_.reset();
        const bool whole = limit_ % Seconds(1) == Millis(0);
        const auto most = whole ? fmt::format("{} s", limit_ / Seconds(1)) : fmt::format("{} ms", limit_.count());
        finish(fail(Errc::timeout, "no whole answer within " + most, Side::origin));
      }) {}

Result<std::unique_ptr<SmallCall>> SmallCall::get(const origin::OriginContext& context, const std::string& url,
                                                  const std::string& path, const std::string& query,
                                                  std::shared_ptr<net::ClientTls> tls, size_t limit_bytes, Done done) {
  auto endpoint = origin::parse_http_url(url, nullptr);
  if (!endpoint) return std::unexpected(std::move(endpoint.error()));
  auto call = std::unique_ptr<SmallCall>(new SmallCall(context.loop, kGetLimit, limit_bytes, std::move(done)));
  config::Timeouts timeouts;
  timeouts.connect = timeouts.first_byte = timeouts.between_bytes = timeouts.head = kGetLimit;
  http::RequestHead head;
  head.method = "GET";
  head.authority = endpoint->authority();
  head.path = path;
  head.query = query;
  head.has_query = !query.empty();
  head.headers.add("accept", "*/*");
  head.headers.add("user-agent", "verge");
  const bool with_tls = endpoint->tls;
  call->client_ = std::make_unique<origin::HttpClient>(context, std::move(*endpoint),
                                                       with_tls ? std::move(tls) : nullptr, timeouts, 1, "sns");
  call->begin(*call->client_, std::move(head), {});
  return call;
}

std::unique_ptr<SmallCall> SmallCall::send(net::EventLoop& loop, origin::HttpClient& client, http::RequestHead head,
                                           std::string_view body, Millis limit, size_t limit_bytes, Done done) {
  auto call = std::unique_ptr<SmallCall>(new SmallCall(loop, limit, limit_bytes, std::move(done)));
  call->begin(client, std::move(head), body);
  return call;
}

void SmallCall::begin(origin::HttpClient& client, http::RequestHead head, std::string_view body) {
  head.has_body = !body.empty();
  if (head.has_body) head.content_length = body.size();
  fetch_ = client.fetch(std::move(head), *this);
  if (!body.empty()) {
    fetch_->send_body(body); // small: taken whole
    fetch_->end_body();
  }
  timer_.start(limit_);
}

void SmallCall::on_data(std::string_view octets) {
  if (!done_) return;
  if (answer_.body.size() + octets.size() > limit_bytes_) {
    return finish(
        fail(Errc::too_large, fmt::format("the answer is larger than {} octets", limit_bytes_), Side::origin));
  }
  answer_.body += octets;
}

void SmallCall::on_end() { finish(std::move(answer_)); }
void SmallCall::on_error(Error error) { finish(std::unexpected(std::move(error))); }

void SmallCall::finish(Result<Answer> result) {
  if (!done_) return;
  timer_.stop();
  auto done = std::exchange(done_, nullptr);
  done(std::move(result));
}

} // namespace verge::control
