// The API Gateway origin: HTTP to a stage, with its Host and path, signed for IAM-protected APIs if asked for.

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "origin/aws/api_gateway_request.h"
#include "origin/aws/aws_origins.h"
#include "origin/aws/replay.h"
#include "origin/aws/request_signer.h"
#include "origin/pool/http_client.h"

namespace verge::origin {
namespace aws {
namespace {

constexpr uint64_t kMaxSignedBody = 10 * 1024 * 1024; // API Gateway takes no more

// Fields that are part of the signature. Others may be changed on the way without harm.
constexpr std::array<std::string_view, 2> kSigned = {"content-type", "x-api-key"};

// What signs and sends, shared with a running Fetch, since a reload may take the Origin first.
struct GatewayShared {
  GatewayShared(const config::Origin& options, const OriginContext& context, HttpEndpoint endpoint,
                std::shared_ptr<net::ClientTls> tls, std::unique_ptr<RequestSigner> request_signer)
      : name(options.name),
        max_body(options.max_request_body),
        signer(std::move(request_signer)),
        client(context, std::move(endpoint), std::move(tls), options.timeouts, options.connections, options.name) {}
  std::string name;
  uint64_t max_body;
  std::unique_ptr<RequestSigner> signer; // null: not signed
  HttpClient client;
};

// A signed request with a body: the signature covers the body's hash and goes out before it, so the body is held first.
class SignedBodyFetch final : public Fetch {
 public:
  SignedBodyFetch(net::EventLoop& loop, std::shared_ptr<GatewayShared> shared, http::RequestHead head, FetchSink& sink)
      : shared_(std::move(shared)), head_(std::move(head)), sink_(sink), replay_(loop, sink) {
    if (head_.content_length.value_or(0) > limit()) refuse();
  }
  void pause() override {
    paused_ = true;
    if (inner_ != nullptr) inner_->pause();
  }
  void resume() override {
    paused_ = false;
    if (inner_ != nullptr) inner_->resume();
  }
  bool send_body(std::string_view octets) override {
    if (failed_) return true;
    if (octets.size() > limit() - body_.size()) {
      refuse();
    } else {
      body_.append(octets);
    }
    return true;
  }
  void end_body() override {
    if (failed_ || inner_ != nullptr) return;
    if (auto done = shared_->signer->sign(head_, hex(sha256(body_)), kSigned); !done) {
      failed_ = true;
      replay_.fail(std::move(done.error()).in(fmt::format("origin {}", shared_->name)));
      return;
    }
    head_.content_length = body_.size();
    head_.has_body = !body_.empty();
    const bool has_body = head_.has_body;
    inner_ = shared_->client.fetch(std::move(head_), sink_);
    if (paused_) inner_->pause();
    if (!has_body) return;
    inner_->send_body(body_);
    inner_->end_body();
    body_ = {};
  }

 private:
  uint64_t limit() const noexcept {
    return shared_->max_body == 0 ? kMaxSignedBody : std::min(shared_->max_body, kMaxSignedBody);
  }
  void refuse() {
    failed_ = true;
    body_ = {};
    replay_.fail({Errc::too_large, Side::client, Retry::never,
                  fmt::format("origin {}: the request body is larger than {} octets, which a signed request must hold "
                              "in memory",
                              shared_->name, limit())});
  }

  std::shared_ptr<GatewayShared> shared_;
  http::RequestHead head_;
  FetchSink& sink_;
  std::string body_;
  bool failed_ = false, paused_ = false;
  Replay replay_;
  std::unique_ptr<Fetch> inner_; // reports to the sink itself
};

class GatewayOrigin final : public Origin {
 public:
  GatewayOrigin(net::EventLoop& loop, std::string path_prefix, std::string host, std::shared_ptr<GatewayShared> shared)
      : loop_(loop), path_prefix_(std::move(path_prefix)), host_(std::move(host)), shared_(std::move(shared)) {}

  bool allows(std::string_view method) const noexcept override { return method != "CONNECT" && method != "TRACE"; }

  std::unique_ptr<Fetch> fetch(FetchRequest&& request, FetchSink& sink) override {
    const bool signing = shared_->signer != nullptr;
    http::RequestHead head =
        api_gateway_request(std::move(request), shared_->client.endpoint(), path_prefix_, host_, signing);
    if (!signing) return shared_->client.fetch(std::move(head), sink, shared_->max_body);
    if (head.has_body) return std::make_unique<SignedBodyFetch>(loop_, shared_, std::move(head), sink);
    if (auto done = shared_->signer->sign(head, kEmptyPayload, kSigned); !done) {
      auto fetch = std::make_unique<ReplayFetch>(loop_, sink);
      fetch->replay().fail(std::move(done.error()).in(fmt::format("origin {}", shared_->name)));
      return fetch;
    }
    return shared_->client.fetch(std::move(head), sink);
  }

 private:
  net::EventLoop& loop_;
  std::string path_prefix_, host_;
  std::shared_ptr<GatewayShared> shared_;
};

Result<std::unique_ptr<Origin>> make_gateway(const config::Origin& options, const OriginContext& context) {
  std::string path_prefix;
  auto endpoint = parse_http_url(options.url, &path_prefix);
  if (!endpoint) return std::unexpected(std::move(endpoint.error()).in("url"));
  auto tls = tls_for(*endpoint, options);
  if (!tls) return std::unexpected(std::move(tls.error()));
  std::unique_ptr<RequestSigner> signer;
  if (options.sign) {
    auto made = RequestSigner::create(options, context, "execute-api", PathRule::normalized, false);
    if (!made) return std::unexpected(std::move(made.error()));
    signer = std::move(*made);
  }
  std::string host = options.host.empty() ? endpoint->authority() : options.host;
  auto shared =
      std::make_shared<GatewayShared>(options, context, std::move(*endpoint), std::move(*tls), std::move(signer));
  return std::make_unique<GatewayOrigin>(context.loop, std::move(path_prefix), std::move(host), std::move(shared));
}

} // namespace
} // namespace aws

Result<std::unique_ptr<Origin>> make_api_gateway_origin(const config::Origin& options, const OriginContext& context) {
  auto made = aws::make_gateway(options, context);
  if (!made) return std::unexpected(std::move(made.error()).in(fmt::format("origins.{}", options.name)));
  return made;
}

} // namespace verge::origin
