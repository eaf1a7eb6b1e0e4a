// SqsPoller: the way in for nodes that SNS can't reach. Takes the messages of one queue, which is this node's alone,
// and deletes each only when what it asks for is on disk. Control loop only.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "config/config.h"
#include "origin/origin.h"
#include "proxy/control/events/event_taker.h"
#include "proxy/control/events/sqs_client.h"
#include "proxy/control/events/sqs_protocol.h"
#include "proxy/control/guard/guard.h"
#include "proxy/control/purge_limits.h"

namespace verge::control {

class SqsPoller {
 public:
  // Polls from start() on until it is destroyed; a message that was taken and not deleted by then is given out again
  // once its visibility ends, so none is lost. The context and the taker outlive the poller; it is destroyed on the
  // loop's thread, or when the loop runs no more. Error config: see SqsClient, and `allow`.
  // `source`: hears what is known of the queue, and outlives the poller.
  static Result<std::unique_ptr<SqsPoller>> create(const config::SqsQueue& options,
                                                   const origin::OriginContext& context, EventTaker& taker,
                                                   GuardSource& source);
  void start();

  // "queue https://...: last polled 3 s ago", for people; thread-safe, as is last_poll(): seconds since 1970, 0 for
  // never.
  std::string state(WallTime now) const;
  int64_t last_poll() const noexcept { return last_poll_.load(std::memory_order_relaxed); }
  const std::string& queue() const noexcept { return client_->queue(); }

 private:
  // A message that was given out to us and is neither deleted nor left.
  struct InWork {
    std::string receipt;
    bool done = false; // dealt with: to be deleted
  };
  SqsPoller(const config::SqsQueue& options, const origin::OriginContext& context, EventTaker& taker,
            GuardSource& source, PurgeLimits limits, std::unique_ptr<SqsClient> client);
  void poll();
  void polled(Moment began, Result<SmallCall::Answer> answer);
  void pause(std::string_view why, bool throttled, bool unsure);
  void handle(SqsMessage message);
  void settled(const std::string& id, EventOutcome outcome, const std::string& why);
  void leave(const std::string& id);
  void delete_done();
  void deleted(const std::vector<std::string>& ids, Result<SmallCall::Answer> answer);
  void extend();

  const config::SqsQueue options_;
  net::EventLoop& loop_;
  EventTaker& taker_;
  GuardSource& source_;
  const PurgeLimits limits_;
  std::unique_ptr<SqsClient> client_;
  std::map<std::string, InWork> in_work_; // by SQS's MessageId
  std::set<std::string> told_;            // poison messages that were logged
  bool polling_ = false, deleting_ = false;
  unsigned failures_ = 0; // of polls, in a row
  std::atomic<int64_t> last_poll_{0};
  std::minstd_rand chance_{std::random_device{}()};
  net::Timer pause_, extend_;
  std::shared_ptr<SqsPoller*> life_; // what the taker calls back through
};

} // namespace verge::control
