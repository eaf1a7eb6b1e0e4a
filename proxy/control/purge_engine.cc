#include "proxy/control/purge_engine.h"

#include <fmt/core.h>

#include <array>
#include <memory>

#include "proxy/base/log.h"
#include "proxy/base/metrics.h"
#include "proxy/control/purge_id.h"

namespace verge::control {
namespace {

constexpr std::array kDoors = {Door::admin,  Door::sns,        Door::sqs,          Door::push, Door::cloudfront,
                               Door::fastly, Door::cloudflare, Door::purge_method, Door::guard};
enum class Outcome : uint8_t { applied, repeated, not_durable, refused_host, refused_path, refused_tag, refused_soft };
constexpr std::array<std::string_view, 7> kOutcomes = {"applied",      "repeated",    "not_durable", "refused_host",
                                                       "refused_path", "refused_tag", "refused_soft"};

// One family, a row for each way in and outcome.
struct Counters {
  std::array<std::array<std::unique_ptr<metrics::Counter>, kOutcomes.size()>, kDoors.size()> rows;
  Counters() {
    for (const Door door : kDoors) {
      for (size_t i = 0; i < kOutcomes.size(); ++i) {
        rows[static_cast<size_t>(door)][i] = std::make_unique<metrics::Counter>(
            "verge_purges_total", fmt::format("source=\"{}\",result=\"{}\"", to_string(door), kOutcomes[i]),
            "Invalidations by the way they came and what became of them: applied, repeated (known by its id), "
            "not_durable (not acknowledged), or refused by a limit of the source: host, path, tag, soft.");
      }
    }
  }
};
const Counters g_counters;

void count(Door door, Outcome outcome) {
  g_counters.rows[static_cast<size_t>(door)][static_cast<size_t>(outcome)]->add();
}

Outcome refused_by(PurgeLimits::Limit limit) {
  switch (limit) {
    case PurgeLimits::Limit::host: return Outcome::refused_host;
    case PurgeLimits::Limit::path: return Outcome::refused_path;
    case PurgeLimits::Limit::tag: return Outcome::refused_tag;
    case PurgeLimits::Limit::soft: break;
  }
  return Outcome::refused_soft;
}

PurgeRow row_of(const PurgeCommand& command) {
  PurgeRow row;
  row.source = command.what.source;
  row.event = command.event;
  row.id = command.what.id;
  row.targets = command.what.targets.size();
  row.soft = command.what.soft;
  row.content = purge_digest(command.what);
  for (const auto& target : command.what.targets) {
    if (row.names.size() == PurgeLog::kNames) break;
    row.names.push_back(cache::to_text(target).substr(0, PurgeLog::kNameOctets));
  }
  return row;
}

} // namespace

std::string_view to_string(Door door) noexcept {
  switch (door) {
    case Door::admin: return "admin";
    case Door::sns: return "sns";
    case Door::sqs: return "sqs";
    case Door::push: return "push";
    case Door::cloudfront: return "cloudfront";
    case Door::fastly: return "fastly";
    case Door::cloudflare: return "cloudflare";
    case Door::purge_method: return "purge-method";
    case Door::guard: return "guard";
  }
  return "";
}

// What a guard marks stale is this node's own affair.
bool is_api(Door door) noexcept {
  return door != Door::sns && door != Door::sqs && door != Door::push && door != Door::guard;
}

PurgeEngine::PurgeEngine(cache::Cache& cache, Executor& loop, const Clock& clock)
    : cache_(cache), loop_(loop), clock_(clock), log_(cache) {}

void PurgeEngine::apply(PurgeCommand command, Done done) {
  const uint64_t begun = clock_.micros();
  const Door door = command.door;
  const bool api = is_api(door);
  auto& what = command.what;
  what.source = fmt::format("{}{}{}", to_string(door), command.who.empty() ? "" : " ", command.who);
  if (command.limits != nullptr) {
    if (const auto refusal = command.limits->refuses(what)) {
      count(door, refused_by(refusal->limit));
      auto why = fmt::format("{} may not do that: {}", what.source, refusal->why);
      log::warn("purge", "refused: {}{}{}", why, what.id.empty() ? "" : " id=", what.id);
      return done(fail(Errc::refused, std::move(why), Side::client));
    }
  }
  if (api && what.id.empty()) what.id = new_purge_id();
  if (api && carrier_ != nullptr) {
    if (auto fits = carrier_->can_carry(what); !fits) return done(std::unexpected(std::move(fits.error())));
  }
  auto row = row_of(command);
  const auto* known = what.id.empty() ? nullptr : log_.find(what.id);
  const bool repeated = known != nullptr && known->content == row.content;
  if (known != nullptr && !repeated && api) {
    return done(fail(
        Errc::bad_input,
        fmt::format("id {} is that of another purge, with other targets; nothing was purged: give another id", what.id),
        Side::client));
  }
  // A message with a known id and other targets is another purge: to leave it out would lose one, to apply it can't.
  const auto key = what.id.empty() ? fmt::format("#{}", ++unnamed_) : fmt::format("{} {}", what.id, row.content);
  const auto [waiting, first] = under_way_.try_emplace(key);
  waiting->second.push_back(std::move(done));
  if (repeated || !first) count(door, Outcome::repeated);
  if (!first) return;
  const auto shared = std::make_shared<const cache::Invalidation>(std::move(what));
  if (repeated) return carry(*known, *shared, api, true, key);
  // Its row is on disk with it: the id must be known after a crash before a sender may forget it.
  const auto made = std::make_shared<PurgeRow>(std::move(row));
  cache_.invalidate(
      *shared, loop_,
      [this, door, api, key, shared, begun, made](Result<uint64_t> seq) mutable {
        if (!seq) {
          count(door, Outcome::not_durable);
          log::error("purge", "{}: {} targets are not on disk: {}", made->source, made->targets, seq.error().what);
          seq.error().what = "applied on this node, but it could not be written to disk; try again";
          return settle(key, std::unexpected(std::move(seq.error())));
        }
        count(door, Outcome::applied);
        made->took_us = clock_.micros() - begun;
        if (refetch_ && shared->refetch.value_or(refetch_by_default_)) refetch_(*shared, made->seq);
        durable(std::move(*made), shared, api, key);
      },
      [this, begun, made](uint64_t seq) {
        made->seq = seq;
        made->time = clock_.wall();
        made->took_us = made->applied_us = clock_.micros() - begun;
        return PurgeLog::note_of(*made);
      });
}

void PurgeEngine::durable(PurgeRow row, const Command& what, bool api, const std::string& key) {
  log::info("purge", "seq={} targets={}{} source={}{}{}{}{}", row.seq, row.targets, row.soft ? " soft" : "", row.source,
            row.event.empty() ? "" : " event=", row.event, row.id.empty() ? "" : " id=", row.id);
  log_.add(row);
  if (carrier_ != nullptr) carrier_->applied(row, what);
  carry(row, *what, api, false, key);
}

void PurgeEngine::carry(const PurgeRow& row, const cache::Invalidation& what, bool api, bool repeated,
                        const std::string& key) {
  Purged purged{row.seq, row.time, repeated, row.id, row.applied_us};
  if (!api || carrier_ == nullptr) return settle(key, std::move(purged));
  carrier_->carry(row, what, [this, key, purged = std::move(purged)](Result<> carried) {
    if (carried) return settle(key, purged);
    log::error("purge", "seq={} id={}: {}", purged.seq, purged.id, carried.error().what);
    settle(key, std::unexpected(std::move(carried.error())));
  });
}

// Tells all who gave the same command.
void PurgeEngine::settle(const std::string& key, Result<Purged> done) {
  auto waiting = under_way_.extract(key);
  for (auto& one : waiting.mapped()) {
    one(done);
    if (done) done->repeated = true; // for those that came after the first
  }
}

} // namespace verge::control
