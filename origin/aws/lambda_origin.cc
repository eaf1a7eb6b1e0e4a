// The Lambda origin: each request becomes one synchronous invocation of a function.

#include <fmt/core.h>

#include <optional>

#include "origin/aws/aws_origins.h"
#include "origin/aws/encoding.h"
#include "origin/aws/endpoints.h"
#include "origin/aws/lambda_answer.h"
#include "origin/aws/lambda_event.h"
#include "origin/aws/now_and_then.h"
#include "origin/aws/replay.h"
#include "origin/aws/request_signer.h"
#include "origin/pool/http_client.h"
#include "proxy/base/log.h"
#include "proxy/http/grammar.h"

namespace verge::origin {
namespace aws {
namespace {

constexpr uint64_t kMaxRequestBody = 6 * 1024 * 1024; // what Lambda takes, event around it included
constexpr size_t kMaxAnswer = 8 * 1024 * 1024;        // Lambda's own limit is 6 MiB and 100 octets

bool is_repeatable(std::string_view method) noexcept {
  return method == "GET" || method == "HEAD" || method == "OPTIONS";
}

// What invokes, shared with running Fetches, since a reload may take the Origin first.
struct LambdaShared {
  LambdaShared(const config::Origin& options, const OriginContext& context, HttpEndpoint endpoint, std::string prefix,
               std::shared_ptr<net::ClientTls> tls, std::unique_ptr<RequestSigner> request_signer)
      : loop(context.loop),
        name(options.name),
        function(options.function),
        path_prefix(std::move(prefix)),
        qualifier(options.qualifier),
        max_body(options.max_request_body == 0 ? kMaxRequestBody : options.max_request_body),
        signer(std::move(request_signer)),
        client(context, std::move(endpoint), std::move(tls), options.timeouts, options.connections, options.name) {}

  // The Invoke request for an event, signed. Error config, side origin: no credentials any more.
  Result<http::RequestHead> invocation(std::string_view event) const {
    http::RequestHead head;
    head.method = "POST";
    head.scheme = client.endpoint().tls ? "https" : "http";
    head.authority = client.endpoint().authority();
    head.path = fmt::format("{}/2015-03-31/functions/{}/invocations", path_prefix, percent_encode(function, false));
    if (!qualifier.empty()) {
      head.query = "Qualifier=" + percent_encode(qualifier, false);
      head.has_query = true;
    }
    head.headers.add("content-type", "application/json");
    head.headers.add("x-amz-invocation-type", "RequestResponse");
    head.content_length = event.size();
    head.has_body = true;
    if (auto done = signer->sign(head, hex(sha256(event)), {}); !done) {
      return std::unexpected(std::move(done.error()).in(fmt::format("origin {}", name)));
    }
    return head;
  }

  net::EventLoop& loop;
  const std::string name, function, path_prefix, qualifier;
  const uint64_t max_body;
  std::unique_ptr<RequestSigner> signer;
  HttpClient client;
  NowAndThen warnings{Seconds(10)};
};

class LambdaFetch final : public Fetch, private FetchSink {
 public:
  LambdaFetch(std::shared_ptr<LambdaShared> shared, FetchRequest request, FetchSink& sink)
      : shared_(std::move(shared)),
        head_(std::move(request.head)),
        client_(std::move(request.client)),
        replay_(shared_->loop, sink) {
    if (head_.content_length.value_or(0) > shared_->max_body) {
      refuse_body();
      return;
    }
    if (!head_.has_body) {
      invoke();
    } else if (client_.tls != nullptr) {
      // The event is made when the body is here, and by then the client's connection may be gone.
      tls_ = *client_.tls;
      client_.tls = &*tls_;
    }
  }

  // Only what we hand out can be paused: the answer is read whole before.
  void pause() override { replay_.pause(); }
  void resume() override { replay_.resume(); }

  bool send_body(std::string_view octets) override {
    if (state_ != State::request) return true;
    if (octets.size() > shared_->max_body - body_.size()) {
      refuse_body();
    } else {
      body_.append(octets);
    }
    return true;
  }
  void end_body() override {
    if (state_ == State::request) invoke();
  }

 private:
  enum class State : uint8_t { request, invoked, done };

  void invoke() {
    state_ = State::invoked;
    event_ = lambda_event(head_, client_, body_, shared_->loop.wall());
    body_ = {};
    send();
  }

  void send() {
    status_head_ = {};
    answer_.clear();
    auto head = shared_->invocation(event_);
    if (!head) {
      finish(std::move(head.error()));
      return;
    }
    inner_ = shared_->client.fetch(std::move(*head), *this);
    inner_->send_body(event_);
    inner_->end_body();
  }

  void refuse_body() {
    body_ = {};
    finish({Errc::too_large, Side::client, Retry::never,
            fmt::format("origin {}: the request body is larger than {} octets (max_request_body)", shared_->name,
                        shared_->max_body)});
  }

  void finish(Error error) {
    state_ = State::done;
    event_ = {};
    replay_.fail(std::move(error));
  }

  // A second try of what may be done twice: the service failed, or a kept connection turned out to be dead, before it
  // said anything. True: it is under way.
  bool tried_again(const Error& error) {
    const bool worth_it =
        error.retry == Retry::if_idempotent || (error.code == Errc::closed && status_head_.status == 0);
    if (!worth_it || tried_again_ || !is_repeatable(head_.method)) return false;
    tried_again_ = true;
    send();
    return true;
  }

  void on_interim(http::ResponseHead&&) override {}
  void on_head(http::ResponseHead&& head) override { status_head_ = std::move(head); }
  void on_data(std::string_view octets) override {
    if (octets.size() > kMaxAnswer - answer_.size()) {
      inner_.reset();
      finish({Errc::bad_input, Side::origin, Retry::never,
              fmt::format("origin {}: function {}: the answer is larger than {} octets", shared_->name,
                          shared_->function, kMaxAnswer)});
      return;
    }
    answer_.append(octets);
  }
  void on_end() override {
    auto answer = lambda_answer(status_head_, answer_, shared_->function, head_.method);
    if (!answer) {
      if (tried_again(answer.error())) return;
      finish(std::move(answer.error()).in(fmt::format("origin {}", shared_->name)));
      return;
    }
    state_ = State::done;
    event_ = {};
    answer_ = {};
    if (!answer->warnings.empty() && shared_->warnings.due(shared_->loop.mono())) {
      for (const std::string& text : answer->warnings) {
        log::warn("lambda", "origin {}: function {}: {}", shared_->name, shared_->function, text);
      }
    }
    replay_.answer(std::move(answer->head), std::move(answer->body));
  }
  void on_error(Error error) override {
    if (!tried_again(error)) finish(std::move(error));
  }
  void on_request_writable() override {} // the event was handed over whole

  std::shared_ptr<LambdaShared> shared_;
  http::RequestHead head_;
  ClientInfo client_;
  std::optional<net::TlsInfo> tls_;
  State state_ = State::request;
  bool tried_again_ = false;
  std::string body_, event_, answer_;
  http::ResponseHead status_head_;
  Replay replay_;
  std::unique_ptr<Fetch> inner_; // last: it calls us
};

class LambdaOrigin final : public Origin {
 public:
  explicit LambdaOrigin(std::shared_ptr<LambdaShared> shared) : shared_(std::move(shared)) {}
  bool allows(std::string_view method) const noexcept override { return method != "CONNECT" && method != "TRACE"; }
  std::unique_ptr<Fetch> fetch(FetchRequest&& request, FetchSink& sink) override {
    return std::make_unique<LambdaFetch>(shared_, std::move(request), sink);
  }

 private:
  std::shared_ptr<LambdaShared> shared_;
};

Result<std::unique_ptr<Origin>> make_lambda(const config::Origin& options, const OriginContext& context) {
  if (options.function.empty()) return fail(Errc::config, "function: is missing; name a function or its ARN");
  if (options.region.empty()) {
    return fail(Errc::config, "region: is missing; name the function's region, such as eu-west-1");
  }
  std::string path_prefix;
  auto endpoint = parse_http_url(
      options.endpoint.empty() ? "https://" + service_host("lambda", options.region) : options.endpoint, &path_prefix);
  if (!endpoint) return std::unexpected(std::move(endpoint.error()).in("endpoint"));
  auto tls = tls_for(*endpoint, options);
  if (!tls) return std::unexpected(std::move(tls.error()));
  auto signer = RequestSigner::create(options, context, "lambda", PathRule::normalized, false);
  if (!signer) return std::unexpected(std::move(signer.error()));
  return std::make_unique<LambdaOrigin>(std::make_shared<LambdaShared>(
      options, context, std::move(*endpoint), std::move(path_prefix), std::move(*tls), std::move(*signer)));
}

} // namespace
} // namespace aws

Result<std::unique_ptr<Origin>> make_lambda_origin(const config::Origin& options, const OriginContext& context) {
  auto made = aws::make_lambda(options, context);
  if (!made) return std::unexpected(std::move(made.error()).in(fmt::format("origins.{}", options.name)));
  return made;
}

} // namespace verge::origin
