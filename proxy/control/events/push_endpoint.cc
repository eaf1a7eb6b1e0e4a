#include "proxy/control/events/push_endpoint.h"

#include <array>
#include <utility>

#include "proxy/base/log.h"
#include "proxy/base/metrics.h"
#include "proxy/control/events/push_proof.h"

namespace verge::control {
namespace {

constexpr size_t kTextBytes = 1 << 20; // what SNS and EventBridge carry at most

metrics::Counter counter(const char* labels) {
  return {"verge_push_refused_total", labels,
          "Unsigned events that were refused, by reason: proof (401), method (405), signed (a signed SNS message, but "
          "invalidation.sns is not configured), size (413), malformed (400), limits (403)."};
}
metrics::Counter g_proof = counter("reason=\"proof\"");
metrics::Counter g_method = counter("reason=\"method\"");
metrics::Counter g_signed = counter("reason=\"signed\"");
metrics::Counter g_size = counter("reason=\"size\"");
metrics::Counter g_malformed = counter("reason=\"malformed\"");
metrics::Counter g_limits = counter("reason=\"limits\"");

using ReplyDone = std::move_only_function<void(http::Reply)>;

// For the log; nobody vouches for it.
std::string id_of(const http::RequestHead& head) {
  return std::string(head.headers.joined("x-amz-sns-message-id").substr(0, 128));
}

class Endpoint final : public PushEndpoint {
 public:
  Endpoint(const config::Push& options, PurgeLimits limits, EventTaker& taker, net::EventLoop& loop,
           http::Intercept* sns)
      : options_(options), limits_(std::move(limits)), taker_(taker), loop_(loop), sns_(sns) {}

  bool wants(std::string_view path) const override { return path == options_.path; }
  size_t body_limit() const override { return sns_ != nullptr ? sns_->body_limit() : kTextBytes; }
  void too_large(const http::RequestHead& head, std::string_view remote) override {
    g_size.add();
    log::warn("push", "refused from {}: too large (message {})", remote, id_of(head));
  }

  void handle(http::RequestHead head, std::string body, std::string remote, Executor& on, ReplyDone done) override {
    const auto refuse = [&](metrics::Counter& reason, int status, std::string_view why) {
      reason.add();
      log::warn("push", "refused from {}: {} (message {})", remote, why, id_of(head));
      answer(on, std::move(done), status, "refused");
    };
    if (!may_push(options_, head.headers)) return refuse(g_proof, 401, "no proof, or a wrong one");
    if (!head.is("POST")) return refuse(g_method, 405, "not a POST");
    const bool raw = head.headers.joined("x-amz-sns-rawdelivery") == "true";
    if (!raw && head.headers.has("x-amz-sns-message-type")) {
      if (sns_ == nullptr) return refuse(g_signed, 403, "a signed SNS message, but invalidation.sns is not configured");
      return sns_->handle(std::move(head), std::move(body), std::move(remote), on, std::move(done));
    }
    if (body.size() > kTextBytes) return refuse(g_size, 413, "too large");
    loop_.post([weak = std::weak_ptr<Endpoint*>(life_), id = id_of(head), body = std::move(body),
                remote = std::move(remote), &on, done = std::move(done)]() mutable {
      if (const auto self = weak.lock()) (*self)->take(std::move(id), body, std::move(remote), on, std::move(done));
    });
  }

 private:
  void answer(Executor& on, ReplyDone done, int status, std::string_view text) const {
    http::Reply reply{status, "text/plain; charset=utf-8", std::string(text) + "\n"};
    // SNS gives its password only when it is asked to.
    if (status == 401) reply.challenge = options_.user.empty() ? "Bearer" : "Basic realm=\"verge\", charset=\"UTF-8\"";
    on.post([done = std::move(done), reply = std::move(reply)]() mutable { done(std::move(reply)); });
  }

  void take(std::string id, const std::string& body, std::string remote, Executor& on, ReplyDone done) {
    EventFrom from{.door = Door::push, .who = {}, .id = {}, .limits = &limits_};
    taker_.take(body, std::move(from),
                [weak = std::weak_ptr<Endpoint*>(life_), id = std::move(id), remote = std::move(remote), &on,
                 done = std::move(done)](EventOutcome outcome, const std::string& why) mutable {
                  const auto self = weak.lock();
                  if (!self) return;
                  const auto log_it = [&] {
                    log::warn("push", "{} from {}: {} (message {})", to_string(outcome), remote, why, id);
                  };
                  switch (outcome) {
                    case EventOutcome::malformed:
                      g_malformed.add();
                      log_it();
                      return (*self)->answer(on, std::move(done), 400, "malformed; the node's log says why");
                    case EventOutcome::refused:
                      g_limits.add();
                      log_it();
                      return (*self)->answer(on, std::move(done), 403, "refused");
                    case EventOutcome::later: log_it(); return (*self)->answer(on, std::move(done), 503, "try again");
                    default:
                      return (*self)->answer(on, std::move(done), 200,
                                             outcome == EventOutcome::applied ? "purged" : "nothing to do");
                  }
                });
  }

  const config::Push options_;
  const PurgeLimits limits_;
  EventTaker& taker_;
  net::EventLoop& loop_;
  http::Intercept* sns_;
  const std::shared_ptr<Endpoint*> life_ = std::make_shared<Endpoint*>(this);
};

} // namespace

Result<std::unique_ptr<PushEndpoint>> PushEndpoint::create(const config::Push& options, EventTaker& taker,
                                                           net::EventLoop& loop, http::Intercept* sns) {
  auto limits = PurgeLimits::create(options.allow);
  if (!limits) return std::unexpected(std::move(limits.error()));
  return std::unique_ptr<PushEndpoint>(new Endpoint(options, std::move(*limits), taker, loop, sns));
}

} // namespace verge::control
