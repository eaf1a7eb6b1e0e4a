#include "proxy/control/refetcher.h"

#include <algorithm>
#include <array>

#include "proxy/base/log.h"
#include "proxy/base/metrics.h"

namespace verge::control {
namespace {

constexpr Millis kTick{100};

metrics::Counter counter(const char* labels) {
  return {"verge_refetches_total", labels,
          "Responses to be fetched again after an invalidation, by what became of them: fetched (whatever the origin "
          "said), fresh (a client was faster), skipped (their request can't be made again, or the origin is failing), "
          "ended (by a later invalidation of the same)."};
}
metrics::Counter g_fetched = counter("result=\"fetched\"");
metrics::Counter g_fresh = counter("result=\"fresh\"");
metrics::Counter g_skipped = counter("result=\"skipped\"");
metrics::Counter g_ended = counter("result=\"ended\"");

} // namespace

Refetcher::Refetcher(const config::Refetch& options, cache::Cache& cache, net::EventLoop& loop, Fetch fetch)
    : options_(options), cache_(cache), loop_(loop), fetch_(std::move(fetch)), tick_(loop, [this] { turn(); }) {}

void Refetcher::count(Result result) {
  switch (result) {
    case Result::fetched: return g_fetched.add();
    case Result::fresh: return g_fresh.add();
    case Result::skipped: return g_skipped.add();
    case Result::ended: return g_ended.add();
  }
}

void Refetcher::begin(cache::Invalidation command, uint64_t seq) {
  cache_.hot(std::move(command), options_.most, loop_, [this, seq](std::vector<cache::Cache::Hot> found) {
    if (found.empty() || stopped_) return;
    for (auto& hot : found) {
      if (!known_.insert(name_of(*hot.head)).second) { // it waits for an earlier one
        const auto same = std::ranges::find_if(waiting_, [&](const Item& item) {
          return item.head->key == hot.head->key && item.head->vary_values == hot.head->vary_values;
        });
        if (same != waiting_.end()) same->seq = std::max(same->seq, seq);
        continue;
      }
      waiting_.push_back({std::move(hot.head), seq});
    }
    log::info("purge", "seq={}: {} responses in memory are fetched again", seq, found.size());
    if (!tick_.running()) turn();
  });
}

void Refetcher::turn() {
  if (stopped_) return;
  const MonoTime now = loop_.mono();
  const double second = options_.per_second;
  const auto passed = std::chrono::duration<double>(now - last_).count();
  last_ = now;
  allowance_ = std::min(allowance_ + passed * second, std::max(1.0, second * 0.1)); // no bursts
  while (!waiting_.empty() && running_ < options_.at_once && allowance_ >= 1) {
    const Item item = std::move(waiting_.front());
    waiting_.pop_front();
    known_.erase(name_of(*item.head));
    if (cache_.epochs().check(item.head->key, item.head->tags, item.seq) != cache::Verdict::live) {
      count(Result::ended);
      continue;
    }
    allowance_ -= 1;
    ++running_;
    fetch_(item.head, [this](Result result) {
      loop_.post([this, result] {
        --running_;
        count(result);
        if (!waiting_.empty() && !tick_.running() && !stopped_) turn();
      });
    });
  }
  if (!waiting_.empty()) tick_.start(kTick);
}

void Refetcher::stop() {
  stopped_ = true;
  tick_.stop();
  waiting_.clear();
}

} // namespace verge::control
