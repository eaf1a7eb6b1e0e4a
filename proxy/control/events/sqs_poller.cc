#include "proxy/control/events/sqs_poller.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>

#include "proxy/base/log.h"
#include "proxy/base/metrics.h"
#include "proxy/control/events/sqs_body.h"

namespace verge::control {
namespace {

constexpr Seconds kHurry{1};         // for a message, while it is to be known soon whether there is one
constexpr Millis kCallLimit{10'000}; // more than SQS waits for a message, so that a dead connection is noticed
constexpr size_t kMostInWork = 10 * kSqsBatch; // then no more are fetched
constexpr size_t kMostTold = 1'000;

metrics::Counter message_counter(const char* labels) {
  return {
      "verge_sqs_messages_total", labels,
      "Messages given out by queues, by what became of them: deleted (dealt with), poison (malformed or refused: left "
      "to the queue's redrive policy), later (left, to be tried again)."};
}
metrics::Counter g_deleted = message_counter("result=\"deleted\"");
metrics::Counter g_poison = message_counter("result=\"poison\"");
metrics::Counter g_later = message_counter("result=\"later\"");

metrics::Counter poll_counter(const char* labels) {
  return {"verge_sqs_polls_total", labels, "Calls for messages: ok, throttled, failed."};
}
metrics::Counter g_ok = poll_counter("result=\"ok\"");
metrics::Counter g_throttled = poll_counter("result=\"throttled\"");
metrics::Counter g_failed = poll_counter("result=\"failed\"");

// What a call came to: the answer's body, or why there is none.
struct Outcome {
  std::optional<std::string> body;
  SqsFault fault;
  bool unsure = false; // then it may have been done nevertheless
};
Outcome outcome_of(Result<SmallCall::Answer> answer) {
  if (!answer) {
    const bool sent = answer.error().retry != Retry::safe;
    return {std::nullopt, {std::move(answer.error().what)}, sent};
  }
  if (answer->status != 200) return {std::nullopt, parse_sqs_fault(answer->status, answer->body)};
  return {std::move(answer->body), {}};
}

} // namespace

SqsPoller::SqsPoller(const config::SqsQueue& options, const origin::OriginContext& context, EventTaker& taker,
                     GuardSource& source, PurgeLimits limits, std::unique_ptr<SqsClient> client)
    : options_(options),
      loop_(context.loop),
      taker_(taker),
      source_(source),
      limits_(std::move(limits)),
      client_(std::move(client)),
      pause_(context.loop, [this] { poll(); }),
      extend_(context.loop, [this] { extend(); }),
      life_(std::make_shared<SqsPoller*>(this)) {}

Result<std::unique_ptr<SqsPoller>> SqsPoller::create(const config::SqsQueue& options,
                                                     const origin::OriginContext& context, EventTaker& taker,
                                                     GuardSource& source) {
  auto limits = PurgeLimits::create(options.allow);
  if (!limits) return std::unexpected(std::move(limits.error()));
  auto client = SqsClient::create(options, context);
  if (!client) return std::unexpected(std::move(client.error()));
  return std::unique_ptr<SqsPoller>(
      new SqsPoller(options, context, taker, source, std::move(*limits), std::move(*client)));
}

void SqsPoller::start() { poll(); }

std::string SqsPoller::state(WallTime now) const {
  const int64_t last = last_poll();
  if (last == 0) return fmt::format("queue {}: not reached yet", queue());
  const auto ago = std::chrono::floor<Seconds>(now).time_since_epoch().count() - last;
  return fmt::format("queue {}: last polled {} s ago", queue(), std::max<int64_t>(ago, 0));
}

void SqsPoller::poll() {
  if (polling_ || in_work_.size() + kSqsBatch > kMostInWork) return; // goes on when some are done
  polling_ = true;
  const auto times = source_.poll_times();
  const Seconds wait = source_.open() ? kHurry : times.wait;
  client_->call("ReceiveMessage", sqs_receive(options_.queue, wait, times.visibility), wait + kCallLimit,
                [this, began = source_.now()](Result<SmallCall::Answer> answer) {
                  polled(began, std::move(answer)); // ours: dies with us
                });
}

void SqsPoller::polled(Moment began, Result<SmallCall::Answer> answer) {
  polling_ = false;
  const auto got = outcome_of(std::move(answer));
  if (!got.body) return pause(got.fault.what, got.fault.throttled, got.unsure);
  auto messages = parse_sqs_messages(*got.body);
  if (!messages) return pause(messages.error().what, false, true);
  g_ok.add();
  if (failures_ > 0 || last_poll() == 0) log::info("sqs", "queue {} answers", queue());
  failures_ = 0;
  last_poll_.store(std::chrono::floor<Seconds>(loop_.wall()).time_since_epoch().count(), std::memory_order_relaxed);
  for (auto& message : *messages) handle(std::move(message));
  source_.answered(began, messages->empty() && in_work_.empty());
  poll();
}

// Something is wrong, or too much was asked for: not so soon again, and not when all others do.
void SqsPoller::pause(std::string_view why, bool throttled, bool unsure) {
  source_.failed(unsure);
  (throttled ? g_throttled : g_failed).add();
  const auto wait = sqs_pause(++failures_, std::uniform_real_distribution<double>(0, 1)(chance_));
  log::warn("sqs", "queue {}: {}; polled again in {} ms", queue(), why, wait.count());
  pause_.start(wait);
}

void SqsPoller::handle(SqsMessage message) {
  // Given out once more while we are at it: the later receipt is the one that counts.
  if (const auto it = in_work_.find(message.id); it != in_work_.end()) {
    it->second.receipt = std::move(message.receipt);
    return;
  }
  const std::string id = message.id;
  in_work_[id] = {std::move(message.receipt)};
  if (in_work_.size() == 1) extend_.start(source_.poll_times().visibility / 3);
  auto event = parse_sqs_body(message.body, options_.topics);
  if (!event) {
    return settled(id, event.error().code == Errc::refused ? EventOutcome::refused : EventOutcome::malformed,
                   event.error().what);
  }
  EventFrom from{.door = Door::sqs,
                 .who = event->topic.empty() ? std::string(name_of_queue(options_.queue)) : event->topic,
                 .id = event->id.empty() ? "sqs:" + id : event->id,
                 .limits = &limits_};
  taker_.take(event->text, std::move(from),
              [life = std::weak_ptr<SqsPoller*>(life_), id](EventOutcome outcome, const std::string& why) {
                if (const auto alive = life.lock()) (*alive)->settled(id, outcome, why);
              });
}

void SqsPoller::settled(const std::string& id, EventOutcome outcome, const std::string& why) {
  switch (outcome) {
    case EventOutcome::malformed:
    case EventOutcome::refused:
      g_poison.add();
      // It comes again until the queue's redrive policy takes it out: told once.
      if (told_.size() >= kMostTold) told_.clear();
      if (told_.insert(id).second) {
        log::warn("sqs", "{} message {} of queue {} is left to its redrive policy: {}", to_string(outcome), id, queue(),
                  why);
      }
      return leave(id);
    case EventOutcome::later:
      g_later.add();
      log::warn("sqs", "message {} of queue {} is left to be tried again: {}", id, queue(), why);
      return leave(id);
    default: break;
  }
  const auto it = in_work_.find(id);
  if (it == in_work_.end()) return;
  it->second.done = true;
  if (!deleting_)
    loop_.defer([life = std::weak_ptr<SqsPoller*>(life_)] {
      if (const auto alive = life.lock()) (*alive)->delete_done();
    });
}

void SqsPoller::leave(const std::string& id) {
  in_work_.erase(id);
  if (failures_ == 0) poll();
}

// What was settled while a call was under way goes into the next one together.
void SqsPoller::delete_done() {
  if (deleting_) return;
  std::vector<std::string> ids, receipts;
  for (const auto& [id, message] : in_work_) {
    if (!message.done || ids.size() == kSqsBatch) continue;
    ids.push_back(id);
    receipts.push_back(message.receipt);
  }
  if (ids.empty()) return;
  deleting_ = true;
  client_->call("DeleteMessageBatch", sqs_delete(options_.queue, receipts), kCallLimit,
                [this, ids = std::move(ids)](Result<SmallCall::Answer> answer) { deleted(ids, std::move(answer)); });
}

void SqsPoller::deleted(const std::vector<std::string>& ids, Result<SmallCall::Answer> answer) {
  deleting_ = false;
  const auto got = outcome_of(std::move(answer));
  std::vector<std::string> why(ids.size()); // empty: deleted
  if (!got.body) {
    std::ranges::fill(why, got.fault.what);
  } else if (const auto failed = parse_sqs_batch(*got.body); !failed) {
    std::ranges::fill(why, failed.error().what);
  } else {
    for (const auto& failure : *failed) {
      if (failure.index < why.size()) why[failure.index] = failure.code.empty() ? "no reason given" : failure.code;
    }
  }
  for (size_t i = 0; i < ids.size(); ++i) {
    in_work_.erase(ids[i]);
    if (why[i].empty()) {
      g_deleted.add();
    } else { // given out again when its visibility ends, and known then by its id
      log::warn("sqs", "message {} of queue {} could not be deleted: {}; it comes again", ids[i], queue(), why[i]);
    }
  }
  delete_done();
  if (failures_ == 0) poll();
}

// Whoever is still in work stays hidden from others, ourselves included.
void SqsPoller::extend() {
  if (in_work_.empty()) return;
  const Seconds visibility = source_.poll_times().visibility;
  extend_.start(visibility / 3); // well before it ends
  std::vector<std::string> receipts;
  const auto send = [&] {
    if (receipts.empty()) return;
    client_->call("ChangeMessageVisibilityBatch", sqs_extend(options_.queue, receipts, visibility), kCallLimit,
                  [this](Result<SmallCall::Answer> answer) {
                    if (const auto got = outcome_of(std::move(answer)); !got.body) {
                      log::warn("sqs", "queue {}: messages may come twice: {}", queue(), got.fault.what);
                    }
                  });
    receipts.clear();
  };
  for (const auto& [id, message] : in_work_) {
    receipts.push_back(message.receipt);
    if (receipts.size() == kSqsBatch) send();
  }
  send();
}

} // namespace verge::control
