// ReadyAnswers: answers that this loop gives often, kept as they go out, so that a plain GET or HEAD for one of them,
// or one that asks whether what it has is still good, needs no Exchange and passes no room: what the rooms decided for
// the URL they would decide again.
//
// It holds only what depends on the URL alone (no field of the request in the key, no Vary), lies whole and small in
// memory, and went out unchanged. Whether it still is the answer is asked each time: fresh, not replaced, evicted or
// invalidated, the same configuration. A request that says anything about caching or ranges goes through the rooms, as
// do conditions other than If-None-Match and If-Modified-Since. One table per loop, which shares nothing that is
// written with other loops. Loop thread only.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "proxy/http/message.h"
#include "proxy/http/stream.h"

namespace verge::pipeline {

class Exchange;
struct Connected;
struct LoopSnapshot;
struct Services;

class ReadyAnswers {
 public:
  ReadyAnswers();
  ~ReadyAnswers();
  ReadyAnswers(const ReadyAnswers&) = delete;
  ReadyAnswers& operator=(const ReadyAnswers&) = delete;

  // Answers are those of `snapshot` from now on; null: none are kept. Forgets all.
  void use(const LoopSnapshot* snapshot);
  // True: `out` is the answer to `request`, which is counted and logged as given: it must be sent.
  bool find(Services& services, const Connected& client, const http::RequestHead& request, http::ReadyResponse& out);
  // An Exchange whose response is made: kept if the URL was the last one here that was not ready, as one that is asked
  // for often soon is. So what is asked for once costs nothing.
  void offer(Exchange& ex);

 private:
  // How many answers a loop keeps. One that lost its place in memory stays until another takes its slot: at most
  // http::kReadyBytes each.
  static constexpr size_t kSlots = 1'024;
  struct Answer;
  struct Slot {
    uint64_t hash = 0; // of the URL in `answer`
    uint64_t last = 0; // of the last one that came here and was not ready
    std::unique_ptr<Answer> answer;
  };
  void drop_one_gone(Services& services);

  const LoopSnapshot* snapshot_ = nullptr;
  std::array<Slot, kSlots> slots_;
  size_t next_look_ = 0;
};

} // namespace verge::pipeline
