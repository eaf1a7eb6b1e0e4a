#include "proxy/control/events/sns_endpoint.h"

#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <list>

#include "origin/aws/encoding.h"
#include "proxy/base/log.h"
#include "proxy/base/metrics.h"
#include "proxy/control/events/certificate_cache.h"
#include "proxy/control/events/public_resolver.h"
#include "proxy/control/events/seen_messages.h"
#include "proxy/control/events/sns_message.h"
#include "proxy/control/events/sns_topic.h"
#include "proxy/control/purge_limits.h"

namespace verge::control {
namespace {

constexpr size_t kBodyLimit = 8 << 20; // 1 MiB of text can grow to more than 6 MiB when it is escaped
constexpr size_t kConfirmBytes = 64 * 1024;
// SNS retries for an hour at most; clocks may differ by five minutes.
constexpr Millis kOldest = Seconds(3'600 + 300), kNewest = Seconds(300);

constexpr size_t kWaitingBytes = 64 << 20; // bodies taken and not yet answered, of all loops together
constexpr size_t kShownOctets = 200;       // of a sender's text in the log

// One family: the text stands at every row, since whichever is registered first gives it.
metrics::Counter counter(const char* labels) {
  return {"verge_sns_messages_total", labels,
          "SNS messages by what became of them: applied, confirmed, unsubscribed, duplicate, ignored (nothing to do), "
          "malformed (400), refused (403), later (503: SNS tries again)."};
}
metrics::Counter g_applied = counter("result=\"applied\"");
metrics::Counter g_confirmed = counter("result=\"confirmed\"");
metrics::Counter g_unsubscribed = counter("result=\"unsubscribed\"");
metrics::Counter g_duplicate = counter("result=\"duplicate\"");
metrics::Counter g_ignored = counter("result=\"ignored\"");
metrics::Counter g_malformed = counter("result=\"malformed\"");
metrics::Counter g_refused = counter("result=\"refused\"");
metrics::Counter g_later = counter("result=\"later\"");

metrics::Counter reason(const char* labels) {
  return {
      "verge_sns_refused_total", labels,
      "SNS messages that were refused, by reason: size (413), malformed (400), raw (unsigned), unsigned, headers "
      "(they and the body disagree), topic (not listed), version, time (outside the window), certificate (its URL or "
      "the certificate itself), signature, token (SNS did not take it), limits (beyond allow)."};
}
metrics::Counter g_by_size = reason("reason=\"size\"");
metrics::Counter g_by_form = reason("reason=\"malformed\"");
metrics::Counter g_by_raw = reason("reason=\"raw\"");
metrics::Counter g_by_absence = reason("reason=\"unsigned\"");
metrics::Counter g_by_headers = reason("reason=\"headers\"");
metrics::Counter g_by_topic = reason("reason=\"topic\"");
metrics::Counter g_by_version = reason("reason=\"version\"");
metrics::Counter g_by_time = reason("reason=\"time\"");
metrics::Counter g_by_certificate = reason("reason=\"certificate\"");
metrics::Counter g_by_signature = reason("reason=\"signature\"");
metrics::Counter g_by_token = reason("reason=\"token\"");
metrics::Counter g_by_limits = reason("reason=\"limits\"");

std::string_view shown(std::string_view text) { return text.substr(0, kShownOctets); }

using ReplyDone = std::move_only_function<void(http::Reply)>;

void send_reply(Executor& on, ReplyDone done, int status, std::string_view text) {
  on.post([done = std::move(done), status, body = std::string(text) + "\n"]() mutable {
    done({status, "text/plain; charset=utf-8", std::move(body)});
  });
}

// Octets of bodies under way; jobs hold their share.
using Waiting = std::shared_ptr<std::atomic<size_t>>;

// One message on its way through the checks.
struct Job {
  Job(Waiting of, size_t octets) : waiting(std::move(of)), held(octets) {}
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;
  ~Job() { waiting->fetch_sub(held); }
  Waiting waiting;
  size_t held;
  http::RequestHead head;
  std::string body;
  std::string remote;
  Executor* on = nullptr;
  ReplyDone done;
  SnsMessage message;
  Topic topic;
};
using JobRef = std::shared_ptr<Job>;

// What runs on the control loop. Whatever comes back to it later holds a weak_ptr: it may be gone by then.
class Checks : public std::enable_shared_from_this<Checks> {
 public:
  Checks(const config::Sns& options, PurgeLimits limits, cache::Cache& cache, EventTaker& taker, net::EventLoop& loop,
         net::Resolver& resolver, const Clock& clock, std::shared_ptr<net::ClientTls> tls)
      : options_(options),
        limits_(std::move(limits)),
        taker_(taker),
        loop_(loop),
        clock_(clock),
        public_(resolver),
        // Only where the operator named a host may it be one of his own network.
        confirm_context_{loop, options.confirm_endpoint.empty() ? public_ : resolver},
        tls_(tls),
        seen_(cache, kOldest + kNewest, clock.wall()),
        certificates_({loop, options.certificate_origin.empty() ? public_ : resolver}, options.certificate_origin,
                      std::move(tls)) {}

  void check(const JobRef& job) {
    const auto& q = job->head;
    if (!q.is("POST")) return reply(job, 405, "SNS posts here");
    if (q.headers.joined("x-amz-sns-rawdelivery") == "true") {
      return refuse(job, g_by_raw, "raw message delivery is unsigned; turn it off on the subscription");
    }
    auto parsed = parse_sns_message(job->body);
    job->body = {};
    if (!parsed) {
      return parsed.error().code == Errc::refused ? refuse(job, g_by_absence, parsed.error().what)
                                                  : malformed(job, parsed.error().what);
    }
    job->message = std::move(*parsed);
    const auto& m = job->message;
    const auto agrees = [&q](std::string_view name, std::string_view value) {
      return !q.headers.has(name) || q.headers.joined(name) == value;
    };
    if (!agrees("x-amz-sns-message-type", m.type_text) || !agrees("x-amz-sns-topic-arn", m.topic_arn) ||
        !agrees("x-amz-sns-message-id", m.message_id)) {
      return refuse(job, g_by_headers, "header fields and body disagree");
    }
    if (std::find(options_.topics.begin(), options_.topics.end(), m.topic_arn) == options_.topics.end()) {
      return refuse(job, g_by_topic, "the topic is not listed in invalidation.sns.topics");
    }
    auto topic = parse_topic_arn(m.topic_arn);
    if (!topic) return refuse(job, g_by_topic, topic.error().what);
    job->topic = std::move(*topic);
    if (m.signature_version != "2" && (m.signature_version != "1" || options_.require_version_2)) {
      return refuse(job, g_by_version, fmt::format("SignatureVersion {} is not accepted", shown(m.signature_version)));
    }
    const auto when = parse_timestamp(m.timestamp);
    if (!when) return malformed(job, "Timestamp is not of the form YYYY-MM-DDThh:mm:ss.mmmZ");
    const auto now = clock_.wall();
    if (*when < now - kOldest || *when > now + kNewest) {
      return refuse(job, g_by_time,
                    fmt::format("Timestamp {} is more than 65 minutes old or 5 minutes ahead", m.timestamp));
    }
    auto path = signing_certificate_path(m.signing_cert_url, job->topic, options_.certificate_origin);
    if (!path) return refuse(job, g_by_certificate, path.error().what);
    certificates_.get(job->topic, *path,
                      [weak = weak_from_this(), job](Result<CertificateCache::Certificate> certificate) {
                        if (const auto self = weak.lock()) self->verify(job, std::move(certificate));
                      });
  }

 private:
  void reply(const JobRef& job, int status, std::string_view text) {
    if (job->done) send_reply(*job->on, std::exchange(job->done, nullptr), status, text);
  }
  // Final: SNS does not try again after a 4xx. The reason stands in the log; the sender is told no more than needed.
  void refuse(const JobRef& job, metrics::Counter& reason, std::string_view why) {
    g_refused.add();
    reason.add();
    log::warn("sns", "refused from {}: {} (message {} topic {})", job->remote, why, shown(job->message.message_id),
              shown(job->message.topic_arn));
    reply(job, 403, "refused");
  }
  void malformed(const JobRef& job, std::string_view why) {
    g_malformed.add();
    g_by_form.add();
    log::warn("sns", "malformed from {}: {} (message {} topic {})", job->remote, why, shown(job->message.message_id),
              shown(job->message.topic_arn));
    reply(job, 400, "malformed; the node's log says why");
  }
  // Can't be decided or done now: SNS tries again.
  void later(const JobRef& job, std::string_view why) {
    g_later.add();
    log::warn("sns", "not now: {} (message {} topic {})", why, job->message.message_id, job->message.topic_arn);
    reply(job, 503, "try again");
  }

  void verify(const JobRef& job, Result<CertificateCache::Certificate> certificate) {
    const auto failed = [&](metrics::Counter& reason, const Error& error) {
      error.code == Errc::refused&& error.side == Side::client ? refuse(job, reason, error.what)
                                                               : later(job, error.what);
    };
    if (!certificate) return failed(g_by_certificate, certificate.error());
    if (!(*certificate)->valid_at(clock_.wall())) {
      return refuse(job, g_by_certificate, "the signing certificate is not valid now");
    }
    if (const auto good = (*certificate)->verify(job->message); !good) return failed(g_by_signature, good.error());
    const auto& id = job->message.message_id;
    switch (seen_.state(id)) {
      case SeenMessages::State::done: g_duplicate.add(); return reply(job, 200, "known already");
      case SeenMessages::State::in_progress: return later(job, "the same message is being dealt with");
      case SeenMessages::State::unknown: break;
    }
    switch (job->message.type) {
      case SnsType::notification: return notification(job);
      case SnsType::subscription_confirmation: return confirm(job);
      case SnsType::unsubscribe_confirmation:
        g_unsubscribed.add();
        log::warn("sns", "topic {} no longer sends to this node: it was unsubscribed (message {})",
                  job->message.topic_arn, id);
        return remembered(job, "noted");
    }
  }

  // Dealt with: 200 when a restart will still know it.
  void remembered(const JobRef& job, const char* text) {
    seen_.finish(job->message.message_id, clock_.wall(), loop_, [weak = weak_from_this(), job, text] {
      if (const auto self = weak.lock()) self->reply(job, 200, text);
    });
  }

  void confirm(const JobRef& job) {
    const auto& m = job->message;
    // Built from the listed topic; the SubscribeURL in the message is never visited.
    const std::string base =
        options_.confirm_endpoint.empty() ? "https://" + sns_host(job->topic) : options_.confirm_endpoint;
    const std::string query =
        fmt::format("Action=ConfirmSubscription&TopicArn={}&Token={}", origin::aws::percent_encode(m.topic_arn, false),
                    origin::aws::percent_encode(m.token, false));
    seen_.begin(m.message_id);
    const auto slot = confirming_.emplace(confirming_.end());
    auto started = SmallCall::get(confirm_context_, base, "/", query, tls_, kConfirmBytes,
                                  [this, job, slot](Result<SmallCall::Answer> answer) { // owned by us: dies with us
                                    loop_.defer([dead = std::shared_ptr<SmallCall>(std::move(*slot))] {});
                                    confirming_.erase(slot);
                                    confirmed(job, std::move(answer));
                                  });
    if (!started) {
      confirming_.erase(slot);
      return confirmed(job, std::unexpected(std::move(started.error())));
    }
    *slot = std::move(*started);
  }

  void confirmed(const JobRef& job, Result<SmallCall::Answer> answer) {
    if (answer && answer->status == 200) {
      g_confirmed.add();
      log::info("sns", "subscription to {} is confirmed (message {})", job->message.topic_arn, job->message.message_id);
      return remembered(job, "confirmed");
    }
    seen_.forget(job->message.message_id);
    if (!answer) return later(job, "ConfirmSubscription: " + answer.error().what);
    const auto what = fmt::format("SNS answered {} to ConfirmSubscription", answer->status);
    // A token that is not good stays so. Too many requests are a 400 as well.
    const bool throttled = answer->status == 429 || answer->body.find("Throttl") != std::string::npos;
    answer->status >= 400 && answer->status < 500 && !throttled ? refuse(job, g_by_token, what) : later(job, what);
  }

  void notification(const JobRef& job) {
    const auto& id = job->message.message_id;
    seen_.begin(id);
    EventFrom from{.door = Door::sns,
                   .who = job->message.topic_arn,
                   .id = id,
                   .other_prefix = options_.s3_prefix,
                   .limits = &limits_};
    taker_.take(job->message.message, std::move(from),
                [weak = weak_from_this(), job](EventOutcome outcome, const std::string& why) {
                  if (const auto self = weak.lock()) self->taken(job, outcome, why);
                });
  }

  void taken(const JobRef& job, EventOutcome outcome, const std::string& why) {
    switch (outcome) {
      case EventOutcome::applied:
      case EventOutcome::repeated: g_applied.add(); return remembered(job, "purged");
      case EventOutcome::nothing:
      case EventOutcome::unmatched:
        g_ignored.add();
        seen_.forget(job->message.message_id); // again would be nothing again
        return reply(job, 200, "nothing to do");
      case EventOutcome::malformed: seen_.forget(job->message.message_id); return malformed(job, why);
      case EventOutcome::refused: seen_.forget(job->message.message_id); return refuse(job, g_by_limits, why);
      case EventOutcome::later: break;
    }
    seen_.forget(job->message.message_id);
    later(job, why);
  }

  const config::Sns options_;
  const PurgeLimits limits_;
  EventTaker& taker_;
  net::EventLoop& loop_;
  const Clock& clock_;
  PublicResolver public_;
  origin::OriginContext confirm_context_;
  std::shared_ptr<net::ClientTls> tls_;
  SeenMessages seen_;
  CertificateCache certificates_;
  std::list<std::unique_ptr<SmallCall>> confirming_;
};

class Endpoint final : public SnsEndpoint {
 public:
  Endpoint(std::string path, net::EventLoop& loop, std::shared_ptr<Checks> checks)
      : path_(std::move(path)), loop_(loop), checks_(std::move(checks)) {}

  bool wants(std::string_view path) const override { return path == path_; }
  size_t body_limit() const override { return kBodyLimit; }
  void too_large(const http::RequestHead& head, std::string_view remote) override {
    g_refused.add();
    g_by_size.add();
    log::warn("sns", "refused from {}: too large (message {})", remote,
              shown(head.headers.joined("x-amz-sns-message-id")));
  }

  void handle(http::RequestHead head, std::string body, std::string remote, Executor& on, ReplyDone done) override {
    const size_t octets = body.size();
    if (waiting_->fetch_add(octets) + octets > kWaitingBytes) {
      waiting_->fetch_sub(octets);
      g_later.add();
      log::warn("sns", "not now: {} octets of messages wait already (from {})", kWaitingBytes, remote);
      return send_reply(on, std::move(done), 503, "try again");
    }
    auto job = std::make_shared<Job>(waiting_, octets);
    job->head = std::move(head);
    job->body = std::move(body);
    job->remote = std::move(remote);
    job->on = &on;
    job->done = std::move(done);
    loop_.post([weak = std::weak_ptr<Checks>(checks_), job] {
      if (const auto checks = weak.lock()) checks->check(job);
    });
  }

 private:
  const std::string path_;
  net::EventLoop& loop_;
  const Waiting waiting_ = std::make_shared<std::atomic<size_t>>(0);
  std::shared_ptr<Checks> checks_;
};

} // namespace

Result<std::unique_ptr<SnsEndpoint>> SnsEndpoint::create(const config::Sns& options, cache::Cache& cache,
                                                         EventTaker& taker, net::EventLoop& loop,
                                                         net::Resolver& resolver, const Clock& clock) {
  auto limits = PurgeLimits::create(options.allow);
  if (!limits) return std::unexpected(std::move(limits.error()));
  net::ClientTlsOptions tls_options;
  tls_options.ca = options.certificate_ca;
  auto tls = net::ClientTls::create(tls_options);
  if (!tls) return std::unexpected(std::move(tls.error()).in("certificate_ca"));
  auto checks =
      std::make_shared<Checks>(options, std::move(*limits), cache, taker, loop, resolver, clock, std::move(*tls));
  return std::unique_ptr<SnsEndpoint>(new Endpoint(options.path, loop, std::move(checks)));
}

} // namespace verge::control
