#include "proxy/control/purge_engine.h"

#include <fmt/core.h>

#include <array>
#include <memory>

#include "proxy/base/log.h"
#include "proxy/base/metrics.h"

namespace verge::control {
namespace {

constexpr std::array kDoors = {Door::admin,      Door::sns,    Door::sqs,        Door::push,
                               Door::cloudfront, Door::fastly, Door::cloudflare, Door::purge_method};
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
  }
  return "";
}

PurgeEngine::PurgeEngine(cache::Cache& cache, Executor& loop, const Clock& clock)
    : cache_(cache), loop_(loop), clock_(clock), log_(cache, loop) {}

void PurgeEngine::apply(PurgeCommand command, Done done) {
  const Door door = command.door;
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
  if (const auto* known = what.id.empty() ? nullptr : log_.find(what.id)) {
    count(door, Outcome::repeated);
    return done(Purged{known->seq, known->time, true});
  }
  auto row = row_of(command);
  cache_.invalidate(
      std::move(what), loop_, [this, door, row = std::move(row), done = std::move(done)](Result<uint64_t> seq) mutable {
        if (!seq) {
          count(door, Outcome::not_durable);
          log::error("purge", "{}: {} targets are not on disk: {}", row.source, row.targets, seq.error().what);
          return done(std::unexpected(std::move(seq.error())));
        }
        count(door, Outcome::applied);
        row.seq = *seq;
        row.time = clock_.wall();
        log::info("purge", "seq={} targets={}{} source={}{}{}{}{}", row.seq, row.targets, row.soft ? " soft" : "",
                  row.source, row.event.empty() ? "" : " event=", row.event, row.id.empty() ? "" : " id=", row.id);
        const Purged purged{row.seq, row.time, false};
        log_.add(std::move(row));
        done(purged);
      });
}

} // namespace verge::control
