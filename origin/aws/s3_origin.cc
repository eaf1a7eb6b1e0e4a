// The S3 origin: signed GET and HEAD of objects, with S3's own words kept between S3 and us.

#include <fmt/core.h>

#include "origin/aws/aws_origins.h"
#include "origin/aws/now_and_then.h"
#include "origin/aws/replay.h"
#include "origin/aws/request_signer.h"
#include "origin/aws/s3_answer.h"
#include "origin/aws/s3_request.h"
#include "origin/pool/http_client.h"
#include "proxy/base/log.h"

namespace verge::origin {
namespace aws {
namespace {

constexpr size_t kMaxFault = 65'536;   // of an error body; S3's have some hundred octets
constexpr size_t kMaxSwallow = 65'536; // of a redirecting object's body, before the connection is given up instead

// What a running Fetch needs of its Origin; shared, since a reload may take the Origin first.
struct S3Shared {
  explicit S3Shared(const config::Origin& options) : name(options.name), bucket(options.bucket) {}
  std::string name, bucket;
  NowAndThen warnings{Seconds(60)}, forbidden{Seconds(3600)};
};

class S3Fetch final : public Fetch, private FetchSink {
 public:
  S3Fetch(net::EventLoop& loop, std::shared_ptr<S3Shared> shared, std::string method, FetchSink& sink)
      : loop_(loop), shared_(std::move(shared)), method_(std::move(method)), sink_(sink), replay_(loop, sink) {}

  void ask(HttpClient& client, http::RequestHead head) { inner_ = client.fetch(std::move(head), *this); }
  void answer(S3Verdict verdict) { replay_.answer(std::move(verdict.head), std::move(verdict.body)); }
  void fail(Error error) { replay_.fail(std::move(error).in(fmt::format("origin {}", shared_->name))); }

  void pause() override {
    replay_.pause();
    if (inner_ != nullptr && state_ == State::object) inner_->pause();
  }
  void resume() override {
    replay_.resume();
    if (inner_ != nullptr) inner_->resume();
  }
  // A body with GET means nothing (RFC 9110 section 9.3.1): taken, and not sent on.
  bool send_body(std::string_view) override { return true; }
  void end_body() override {}

 private:
  enum class State : uint8_t { object, redirect, fault };

  void on_interim(http::ResponseHead&&) override {} // S3's, none of the client's business
  void on_head(http::ResponseHead&& head) override {
    if (is_s3_fault(head.status)) {
      state_ = State::fault;
      inner_->resume();
      head_ = std::move(head);
      return;
    }
    S3Head out = s3_head(head);
    if (out.redirect) state_ = State::redirect;
    sink_.on_head(std::move(out.head));
  }
  void on_data(std::string_view octets) override {
    switch (state_) {
      case State::object: sink_.on_data(octets); return;
      case State::redirect:
        swallowed_ += octets.size();
        if (swallowed_ > kMaxSwallow) {
          inner_.reset();
          sink_.on_end();
        }
        return;
      case State::fault: fault_body_.append(octets.substr(0, kMaxFault - fault_body_.size())); return;
    }
  }
  void on_end() override {
    if (state_ != State::fault) {
      sink_.on_end();
      return;
    }
    auto verdict = s3_verdict(head_, s3_fault(fault_body_), method_, shared_->bucket);
    if (!verdict) {
      fail(std::move(verdict.error()));
      return;
    }
    if (!verdict->warning.empty()) {
      NowAndThen& when = head_.status == 403 ? shared_->forbidden : shared_->warnings;
      if (when.due(loop_.mono())) log::warn("s3", "origin {}: {}", shared_->name, verdict->warning);
    }
    answer(std::move(*verdict));
  }
  void on_error(Error error) override { sink_.on_error(std::move(error)); }
  void on_request_writable() override {}

  net::EventLoop& loop_;
  std::shared_ptr<S3Shared> shared_;
  const std::string method_;
  FetchSink& sink_;
  State state_ = State::object;
  http::ResponseHead head_;
  std::string fault_body_;
  size_t swallowed_ = 0;
  Replay replay_;
  std::unique_ptr<Fetch> inner_; // last: it calls us
};

class S3Origin final : public Origin {
 public:
  S3Origin(const config::Origin& options, const OriginContext& context, S3Location location,
           std::shared_ptr<net::ClientTls> tls, std::unique_ptr<RequestSigner> signer)
      : loop_(context.loop),
        prefix_(options.prefix),
        index_(options.index),
        location_(std::move(location)),
        signer_(std::move(signer)),
        shared_(std::make_shared<S3Shared>(options)),
        client_(context, location_.endpoint, std::move(tls), options.timeouts, options.connections, options.name) {}

  bool allows(std::string_view method) const noexcept override { return method == "GET" || method == "HEAD"; }

  std::unique_ptr<Fetch> fetch(FetchRequest&& request, FetchSink& sink) override {
    auto fetch = std::make_unique<S3Fetch>(loop_, shared_, request.head.method, sink);
    const auto key = s3_key(request.head.path, prefix_, index_);
    if (!key) {
      fetch->answer(s3_not_found(request.head.method));
      return fetch;
    }
    http::RequestHead head = s3_request(request.head, location_, *key);
    if (signer_ != nullptr) {
      if (auto done = signer_->sign(head, kEmptyPayload, {}); !done) {
        fetch->fail(std::move(done.error()));
        return fetch;
      }
    }
    fetch->ask(client_, std::move(head));
    return fetch;
  }

 private:
  net::EventLoop& loop_;
  std::string prefix_, index_;
  S3Location location_;
  std::unique_ptr<RequestSigner> signer_; // null: anonymous
  std::shared_ptr<S3Shared> shared_;
  HttpClient client_;
};

Result<std::unique_ptr<Origin>> make(const config::Origin& options, const OriginContext& context) {
  auto location = s3_location(options);
  if (!location) return std::unexpected(std::move(location.error()));
  auto tls = tls_for(location->endpoint, options);
  if (!tls) return std::unexpected(std::move(tls.error()));
  std::unique_ptr<RequestSigner> signer;
  if (!options.anonymous) {
    auto made = RequestSigner::create(options, context, "s3", PathRule::verbatim, true);
    if (!made) return std::unexpected(std::move(made.error()));
    signer = std::move(*made);
  }
  return std::make_unique<S3Origin>(options, context, std::move(*location), std::move(*tls), std::move(signer));
}

} // namespace
} // namespace aws

Result<std::unique_ptr<Origin>> make_s3_origin(const config::Origin& options, const OriginContext& context) {
  auto made = aws::make(options, context);
  if (!made) return std::unexpected(std::move(made.error()).in(fmt::format("origins.{}", options.name)));
  return made;
}

} // namespace verge::origin
