#include "proxy/control/small_get.h"

#include <fmt/core.h>

#include "origin/pool/endpoint.h"

namespace verge::control {
namespace {

constexpr Millis kLimit{5'000}; // for all of it: SNS itself waits 15 s for our answer

} // namespace

SmallGet::SmallGet(net::EventLoop& loop, size_t limit_bytes, Done done)
    : limit_bytes_(limit_bytes), done_(std::move(done)), timer_(loop, [this] {
        fetch_.reset();
        finish(fail(Errc::timeout, fmt::format("no whole answer within {} s", kLimit / Seconds(1)), Side::origin));
      }) {}

Result<std::unique_ptr<SmallGet>> SmallGet::start(const origin::OriginContext& context, const std::string& url,
                                                  const std::string& path, const std::string& query,
                                                  std::shared_ptr<net::ClientTls> tls, size_t limit_bytes, Done done) {
  auto endpoint = origin::parse_http_url(url, nullptr);
  if (!endpoint) return std::unexpected(std::move(endpoint.error()));
  auto get = std::unique_ptr<SmallGet>(new SmallGet(context.loop, limit_bytes, std::move(done)));
  config::Timeouts timeouts;
  timeouts.connect = timeouts.first_byte = timeouts.between_bytes = timeouts.head = kLimit;
  http::RequestHead head;
  head.method = "GET";
  head.authority = endpoint->authority();
  head.path = path;
  head.query = query;
  head.has_query = !query.empty();
  head.headers.add("accept", "*/*");
  head.headers.add("user-agent", "verge");
  const bool with_tls = endpoint->tls;
  get->client_ = std::make_unique<origin::HttpClient>(context, std::move(*endpoint),
                                                      with_tls ? std::move(tls) : nullptr, timeouts, 1, "sns");
  get->fetch_ = get->client_->fetch(std::move(head), *get);
  get->timer_.start(kLimit);
  return get;
}

void SmallGet::on_data(std::string_view octets) {
  if (!done_) return;
  if (answer_.body.size() + octets.size() > limit_bytes_) {
    return finish(
        fail(Errc::too_large, fmt::format("the answer is larger than {} octets", limit_bytes_), Side::origin));
  }
  answer_.body += octets;
}

void SmallGet::on_end() { finish(std::move(answer_)); }
void SmallGet::on_error(Error error) { finish(std::unexpected(std::move(error))); }

void SmallGet::finish(Result<Answer> result) {
  if (!done_) return;
  timer_.stop();
  auto done = std::exchange(done_, nullptr);
  done(std::move(result));
}

} // namespace verge::control
