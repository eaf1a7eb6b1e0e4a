// Guard: keeps a node that may have missed invalidations from using what they may have named. Watches the sources they
// come from (SourceGap says what to make of it), tells the cache, and keeps until when all was read across restarts.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cache/cache.h"
#include "config/config.h"
#include "proxy/base/clock.h"
#include "proxy/base/metrics.h"
#include "proxy/control/events/sqs_protocol.h"
#include "proxy/control/guard/source_gap.h"
#include "proxy/control/purge_engine.h"
#include "proxy/net/event_loop.h"

namespace verge::control {

class Guard;

// One source, for whoever reads it. Control loop only.
class GuardSource {
 public:
  GuardSource(Guard& guard, std::string name, SourceGap gap, Millis bound, bool posted);
  GuardSource(const GuardSource&) = delete;
  GuardSource& operator=(const GuardSource&) = delete;

  Moment now() const;
  // A call that began then was answered. `nothing`: there was nothing left, and nothing that came before is under way.
  void answered(Moment began, bool nothing);
  // A call was not answered. `unsure`: what it was answered may have got lost.
  void failed(bool unsure);
  // It matters how soon all is read.
  bool open() const noexcept { return gap_.open(); }
  PollTimes poll_times() const noexcept { return control::poll_times(bound_); }

 private:
  friend class Guard;
  Guard& guard_;
  const std::string name_;
  SourceGap gap_;
  const Millis bound_;
  const bool posted_;
  cache::Reception told_ = cache::Reception::current; // what the cache was told, and the log
  WallTime changed_{};                                // since when
  bool closing_ = false;                              // everything is being marked stale first
  MonoTime noted_{};                                  // when the note was written
  std::optional<std::string> note_;                   // as it was written last; empty: that nobody knows
  std::vector<std::unique_ptr<metrics::Gauge>> gauges_;
};

class Guard {
 public:
  // Before anything is served: a node that has been down for too long is guarded when this returns. All outlive the
  // Guard, and the Guard whatever runs on `loop`. Sources: the queues of `options` in their order, and posted events,
  // if either is configured.
  Guard(const config::Invalidation& options, cache::Cache& cache, PurgeEngine& engine, net::EventLoop& loop,
        const Clock& clock);
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;

  GuardSource& queue(size_t index) { return *sources_[index]; }

  // --- control loop only ---
  void start();
  void stop(); // the last word for the next run; nothing is watched any more
  // For each source of which not all was read a line for people: since when, why, what is waited for. Empty: none.
  std::string state() const;

 private:
  friend class GuardSource;
  void add(std::string name, const SourceGap::Limits& limits, const config::Guard& options, bool empty);
  Moment now() const;
  void look();
  void finish(GuardSource& source, Moment began);
  void close(GuardSource& source, Moment began);
  void tell(GuardSource& source, Moment now);
  void keep(GuardSource& source, Moment now, bool at_once);

  cache::Cache& cache_;
  PurgeEngine& engine_;
  net::EventLoop& loop_;
  const Clock& clock_;
  const std::string boot_;
  std::vector<std::unique_ptr<GuardSource>> sources_;
  std::unique_ptr<net::Timer> tick_;
};

} // namespace verge::control
