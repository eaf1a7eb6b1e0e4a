#include "proxy/control/sns_endpoint.h"

#include <fmt/core.h>

#include <algorithm>
#include <list>

#include "proxy/base/log.h"
#include "proxy/base/metrics.h"
#include "proxy/control/certificate_cache.h"
#include "proxy/control/seen_messages.h"
#include "proxy/control/sns_events.h"
#include "proxy/control/sns_message.h"
#include "proxy/control/sns_topic.h"

namespace verge::control {
namespace {

constexpr size_t kBodyLimit = 8 << 20; // 1 MiB of text can grow to more than 6 MiB when it is escaped
constexpr size_t kConfirmBytes = 64 * 1024;
// SNS retries for an hour at most; clocks may differ by five minutes.
constexpr Millis kOldest = Seconds(3'600 + 300), kNewest = Seconds(300);

metrics::Counter g_applied("verge_sns_messages_total", "result=\"applied\"", "SNS messages by what became of them.");
metrics::Counter g_confirmed("verge_sns_messages_total", "result=\"confirmed\"", "");
metrics::Counter g_unsubscribed("verge_sns_messages_total", "result=\"unsubscribed\"", "");
metrics::Counter g_duplicate("verge_sns_messages_total", "result=\"duplicate\"", "");
metrics::Counter g_ignored("verge_sns_messages_total", "result=\"ignored\"", "");
metrics::Counter g_malformed("verge_sns_messages_total", "result=\"malformed\"", "");
metrics::Counter g_refused("verge_sns_messages_total", "result=\"refused\"", "");
metrics::Counter g_later("verge_sns_messages_total", "result=\"later\"", "");

std::string percent_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '_' || c == '.' || c == '~';
    if (plain) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

// One message on its way through the checks.
struct Job {
  http::RequestHead head;
  std::string body;
  std::string remote;
  Executor* on = nullptr;
  std::move_only_function<void(http::Reply)> done;
  SnsMessage message;
  Topic topic;
};
using JobRef = std::shared_ptr<Job>;

class Endpoint final : public SnsEndpoint {
 public:
  Endpoint(const config::Sns& options, cache::Cache& cache, net::EventLoop& loop, net::Resolver& resolver,
           const Clock& clock, std::shared_ptr<net::ClientTls> tls)
      : options_(options),
        cache_(cache),
        loop_(loop),
        clock_(clock),
        context_{loop, resolver},
        tls_(tls),
        seen_(cache, kOldest + kNewest, clock.wall()),
        certificates_(context_, options.certificate_origin, tls) {}

  bool wants(std::string_view path) const override { return path == options_.path; }
  size_t body_limit() const override { return kBodyLimit; }

  void handle(http::RequestHead head, std::string body, std::string remote, Executor& on,
              std::move_only_function<void(http::Reply)> done) override {
    auto job = std::make_shared<Job>();
    job->head = std::move(head);
    job->body = std::move(body);
    job->remote = std::move(remote);
    job->on = &on;
    job->done = std::move(done);
    loop_.post([this, job] { check(job); });
  }

 private:
  void reply(const JobRef& job, int status, std::string_view text) {
    if (!job->done) return;
    job->on->post([done = std::move(job->done), status, body = std::string(text) + "\n"]() mutable {
      done({status, "text/plain; charset=utf-8", std::move(body)});
    });
    job->done = nullptr;
  }
  // Final: SNS does not try again after a 4xx. The reason stands in the log; the sender is told no more than needed.
  void refuse(const JobRef& job, std::string_view why) {
    g_refused.add();
    log::warn("sns", "refused from {}: {} (message {} topic {})", job->remote, why, job->message.message_id,
              job->message.topic_arn);
    reply(job, 403, "refused");
  }
  void malformed(const JobRef& job, std::string_view why) {
    g_malformed.add();
    log::warn("sns", "malformed from {}: {} (message {})", job->remote, why, job->message.message_id);
    reply(job, 400, why);
  }
  // Can't be decided or done now: SNS tries again.
  void later(const JobRef& job, std::string_view why) {
    g_later.add();
    log::warn("sns", "not now: {} (message {})", why, job->message.message_id);
    reply(job, 503, "try again");
  }

  void check(const JobRef& job) {
    const auto& q = job->head;
    if (!q.is("POST")) return reply(job, 405, "SNS posts here");
    if (q.headers.get("x-amz-sns-rawdelivery").value_or("") == "true") {
      return refuse(job, "raw message delivery is unsigned; turn it off on the subscription");
    }
    auto parsed = parse_sns_message(job->body);
    if (!parsed) return malformed(job, parsed.error().what);
    job->body.clear();
    job->message = std::move(*parsed);
    const auto& m = job->message;
    const auto agrees = [&q](std::string_view name, std::string_view value) {
      const auto field = q.headers.get(name);
      return !field || *field == value;
    };
    if (!agrees("x-amz-sns-message-type", m.type_text) || !agrees("x-amz-sns-topic-arn", m.topic_arn) ||
        !agrees("x-amz-sns-message-id", m.message_id)) {
      return refuse(job, "header fields and body disagree");
    }
    if (std::find(options_.topics.begin(), options_.topics.end(), m.topic_arn) == options_.topics.end()) {
      return refuse(job, "the topic is not listed in invalidation.sns.topics");
    }
    auto topic = parse_topic_arn(m.topic_arn);
    if (!topic) return refuse(job, topic.error().what);
    job->topic = std::move(*topic);
    if (m.signature_version != "2" && (m.signature_version != "1" || options_.require_version_2)) {
      return refuse(job, fmt::format("SignatureVersion {} is not accepted", m.signature_version));
    }
    const auto when = parse_timestamp(m.timestamp);
    if (!when) return malformed(job, "Timestamp is not of the form YYYY-MM-DDThh:mm:ss.mmmZ");
    const auto now = clock_.wall();
    if (*when < now - kOldest || *when > now + kNewest) {
      return refuse(job, fmt::format("Timestamp {} is outside the window of 65 minutes", m.timestamp));
    }
    auto path = signing_certificate_path(m.signing_cert_url, job->topic, options_.certificate_origin);
    if (!path) return refuse(job, path.error().what);
    certificates_.get(job->topic, *path, [this, job](Result<CertificateCache::Certificate> certificate) {
      verify(job, std::move(certificate));
    });
  }

  void verify(const JobRef& job, Result<CertificateCache::Certificate> certificate) {
    if (!certificate) {
      if (certificate.error().code == Errc::refused && certificate.error().side == Side::client) {
        return refuse(job, certificate.error().what);
      }
      return later(job, certificate.error().what);
    }
    if (!(*certificate)->valid_at(clock_.wall())) return refuse(job, "the signing certificate is not valid now");
    if (auto good = (*certificate)->verify(job->message); !good) return refuse(job, good.error().what);
    switch (job->message.type) {
      case SnsType::notification: return notification(job);
      case SnsType::subscription_confirmation: return confirm(job);
      case SnsType::unsubscribe_confirmation:
        g_unsubscribed.add();
        log::warn("sns", "topic {} no longer sends to this node: it was unsubscribed (message {})",
                  job->message.topic_arn, job->message.message_id);
        return reply(job, 200, "noted");
    }
  }

  void confirm(const JobRef& job) {
    const auto& m = job->message;
    // Built from the listed topic; the SubscribeURL in the message is never visited.
    const std::string base =
        options_.confirm_endpoint.empty() ? "https://" + sns_host(job->topic) : options_.confirm_endpoint;
    const std::string query = fmt::format("Action=ConfirmSubscription&TopicArn={}&Token={}",
                                          percent_encoded(m.topic_arn), percent_encoded(m.token));
    const auto slot = confirming_.emplace(confirming_.end());
    auto started = SmallGet::start(context_, base, "/", query, tls_, kConfirmBytes,
                                   [this, job, slot](Result<SmallGet::Answer> answer) {
                                     loop_.defer([this, slot] { confirming_.erase(slot); });
                                     confirmed(job, std::move(answer));
                                   });
    if (!started) {
      confirming_.erase(slot);
      return later(job, started.error().what);
    }
    *slot = std::move(*started);
  }

  void confirmed(const JobRef& job, Result<SmallGet::Answer> answer) {
    if (!answer) return later(job, answer.error().what);
    if (answer->status >= 400 && answer->status < 500) {
      return refuse(job, fmt::format("SNS answered {} to ConfirmSubscription", answer->status));
    }
    if (answer->status != 200) return later(job, fmt::format("SNS answered {} to ConfirmSubscription", answer->status));
    g_confirmed.add();
    log::info("sns", "subscription to {} is confirmed", job->message.topic_arn);
    reply(job, 200, "confirmed");
  }

  void notification(const JobRef& job) {
    const auto& id = job->message.message_id;
    switch (seen_.state(id)) {
      case SeenMessages::State::done: g_duplicate.add(); return reply(job, 200, "known already");
      case SeenMessages::State::in_progress: return later(job, "the same message is being applied");
      case SeenMessages::State::unknown: break;
    }
    auto meant = interpret_notification(job->message.message, options_.s3_prefix);
    if (!meant) return malformed(job, meant.error().what);
    if (!meant->command) {
      g_ignored.add();
      log::info("sns", "message {} asks for nothing: {}", id, meant->reason);
      return reply(job, 200, "nothing to do");
    }
    seen_.begin(id);
    auto& command = *meant->command;
    command.source = "sns " + job->message.topic_arn;
    command.id = id;
    const size_t targets = command.targets.size();
    const bool soft = command.soft;
    cache_.invalidate(std::move(command), loop_, [this, job, targets, soft](Result<uint64_t> seq) {
      const auto& message_id = job->message.message_id;
      if (!seq) {
        seen_.forget(message_id);
        return later(job, seq.error().what);
      }
      g_applied.add();
      log::info("sns", "purge seq={} targets={}{} topic={} message={}", *seq, targets, soft ? " soft" : "",
                job->message.topic_arn, message_id);
      seen_.finish(message_id, clock_.wall(), loop_, [this, job] { reply(job, 200, "purged"); });
    });
  }

  const config::Sns options_;
  cache::Cache& cache_;
  net::EventLoop& loop_;
  const Clock& clock_;
  origin::OriginContext context_;
  std::shared_ptr<net::ClientTls> tls_;
  SeenMessages seen_;
  CertificateCache certificates_;
  std::list<std::unique_ptr<SmallGet>> confirming_;
};

} // namespace

Result<std::unique_ptr<SnsEndpoint>> SnsEndpoint::create(const config::Sns& options, cache::Cache& cache,
                                                         net::EventLoop& loop, net::Resolver& resolver,
                                                         const Clock& clock) {
  net::ClientTlsOptions tls_options;
  tls_options.ca = options.certificate_ca;
  auto tls = net::ClientTls::create(tls_options);
  if (!tls) return std::unexpected(std::move(tls.error()).in("certificate_ca"));
  return std::unique_ptr<SnsEndpoint>(new Endpoint(options, cache, loop, resolver, clock, std::move(*tls)));
}

} // namespace verge::control
