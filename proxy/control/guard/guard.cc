#include "proxy/control/guard/guard.h"

#include <fmt/chrono.h>
#include <fmt/core.h>

#include <algorithm>
#include <fstream>

#include "proxy/base/log.h"

namespace verge::control {
namespace {

using cache::Reception;

constexpr Millis kTick{500};
constexpr std::string_view kPrefix = "guard:";
constexpr std::string_view kPosted = "posted events";

metrics::Counter g_guards(
    "verge_guards_total", "",
    "How often a guard was put up, or renewed: what was stored before is validated before it is used.");

// How often the last proof is written while nothing is amiss: what is lost of it counts as a longer gap.
Millis note_every(Millis bound) { return std::clamp(bound / 6, Millis(1'000), Millis(10'000)); }

// Tells one boot of the machine from another; empty where the kernel does not say.
std::string boot_of_machine() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  std::getline(file, id);
  return id;
}

std::string note_key(std::string_view name) { return fmt::format("{}{}", kPrefix, name.substr(0, 400)); }

std::string time_text(WallTime time) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}Z", fmt::gmtime(std::chrono::floor<Seconds>(time)));
}

} // namespace

GuardSource::GuardSource(Guard& guard, std::string name, SourceGap gap, Millis bound, bool posted)
    : guard_(guard), name_(std::move(name)), gap_(std::move(gap)), bound_(bound), posted_(posted) {
  const auto labels = fmt::format("source=\"{}\"", name_);
  gauges_.push_back(
      std::make_unique<metrics::Gauge>("verge_guard_state", labels,
                                       "Of a source of invalidations: 0 all were read, 1 some may not have been, for "
                                       "less than invalidation.guard.after, "
                                       "2 guarded: what was stored before is validated before it is used.",
                                       [this] { return static_cast<double>(told_); }));
  gauges_.push_back(std::make_unique<metrics::Gauge>(
      "verge_guard_proved_timestamp_seconds", labels,
      "Until when all invalidations of a source are known to have been read, in seconds since 1970; 0: not known.",
      [this] {
        return static_cast<double>(std::chrono::floor<Seconds>(gap_.proved().wall).time_since_epoch().count());
      }));
}

Moment GuardSource::now() const { return guard_.now(); }

void GuardSource::answered(Moment began, bool nothing) {
  gap_.heard(began);
  if (nothing && gap_.proves(began)) guard_.finish(*this, began);
}

void GuardSource::failed(bool unsure) {
  gap_.lost(now(), unsure);
  guard_.look();
}

Guard::Guard(const config::Invalidation& options, cache::Cache& cache, PurgeEngine& engine, net::EventLoop& loop,
             const Clock& clock)
    : cache_(cache), engine_(engine), loop_(loop), clock_(clock), boot_(boot_of_machine()) {
  const auto& guard = options.guard;
  const bool empty = cache_.disk() == nullptr || cache_.disk()->stats().entries == 0;
  for (const auto& queue : options.sqs) {
    add(queue.queue, {guard.after, guard.retention, poll_times(guard.after).hidden(), false}, guard, empty);
  }
  if (options.sns || options.push) {
    add(std::string(kPosted), {guard.after, guard.retry_window, guard.retry_delay, true}, guard, empty);
  }
  look();
}

void Guard::add(std::string name, const SourceGap::Limits& limits, const config::Guard& options, bool empty) {
  std::optional<Proof> last;
  if (cache_.disk() != nullptr) {
    const auto key = note_key(name);
    for (const auto& [found, value] : cache_.disk()->notes(key)) {
      if (found == key) last = proof_from_note(value);
    }
  }
  auto gap = empty ? SourceGap(limits, now()) : SourceGap(limits, last, boot_, now());
  sources_.push_back(
      std::make_unique<GuardSource>(*this, std::move(name), std::move(gap), options.after, limits.posted));
}

// The clock itself: a loop's time is as old as its turn.
Moment Guard::now() const { return {clock_.wall(), clock_.mono()}; }

void Guard::start() {
  if (sources_.empty()) return;
  tick_ = std::make_unique<net::Timer>(loop_, [this] {
    look();
    const Moment at = now();
    for (auto& source : sources_) keep(*source, at, false);
    tick_->start(kTick);
  });
  tick_->start(kTick);
  const Moment at = now();
  for (auto& source : sources_) keep(*source, at, true);
}

void Guard::stop() {
  tick_.reset();
  const Moment at = now();
  for (auto& source : sources_) {
    if (source->posted_ && !source->gap_.open()) source->gap_.heard(at);
    keep(*source, at, true);
    source->gauges_.clear();
  }
}

void Guard::look() {
  const Moment at = now();
  Reception worst = Reception::current;
  WallTime proved = at.wall;
  bool due = false;
  for (auto& source : sources_) {
    auto& gap = source->gap_;
    gap.look(at);
    if (source->posted_ && tick_) { // somebody listens; nothing else can be known
      gap.heard(at);
      if (gap.proves(at)) finish(*source, at);
    }
    worst = std::max(worst, gap.state(at));
    if (gap.open()) proved = std::min(proved, gap.proved().wall);
    due |= gap.guard_due(at);
  }
  if (due) {
    cache_.guard(proved);
    g_guards.add();
    for (auto& source : sources_) {
      if (source->gap_.state(at) == Reception::guarded) source->gap_.guard(at);
    }
  }
  cache_.tell(worst, proved);
  for (auto& source : sources_) tell(*source, at);
}

// All that can still be read has been. What the source has let go of may have named anything.
void Guard::finish(GuardSource& source, Moment began) {
  if (source.closing_) return;
  if (!source.gap_.lost_some(now())) return close(source, began);
  source.closing_ = true;
  PurgeCommand command{.door = Door::guard, .who = source.name_};
  command.what.targets.push_back({cache::Target::Kind::all, "", ""});
  command.what.soft = true;
  engine_.apply(std::move(command), [this, &source, began](const Result<Purged>& purged) {
    source.closing_ = false;
    if (purged) close(source, began); // else the next proof tries again; the engine has said why
  });
}

void Guard::close(GuardSource& source, Moment began) {
  source.gap_.close(began);
  keep(source, now(), true);
  if (!source.posted_) look();
}

void Guard::tell(GuardSource& source, Moment at) {
  const auto state = source.gap_.state(at);
  if (state == source.told_) return;
  source.told_ = state;
  source.changed_ = at.wall;
  const auto why = to_string(source.gap_.why());
  switch (state) {
    case Reception::current: log::info("guard", "{}: every invalidation is read again", source.name_); break;
    case Reception::behind:
      log::warn("guard", "{}: invalidations may be missing ({}); serving as usual until {}", source.name_, why,
                time_text(source.gap_.proved().wall + source.bound_));
      break;
    case Reception::guarded:
      log::warn("guard",
                "{}: guarded: invalidations may be missing ({}); what is stored is validated before it is used",
                source.name_, why);
      break;
  }
}

void Guard::keep(GuardSource& source, Moment at, bool at_once) {
  cache::Disk* disk = cache_.disk();
  if (disk == nullptr || (!at_once && at.mono - source.noted_ < note_every(source.bound_))) return;
  const auto proof = source.gap_.proof(boot_);
  std::string note = proof ? to_note(*proof) : std::string();
  if (note == source.note_) return;
  source.noted_ = at.mono;
  if (note.empty()) {
    disk->erase_notes({note_key(source.name_)});
  } else {
    disk->put_note(note_key(source.name_), note, loop_, [](const Result<>& kept) {
      if (!kept) log::warn("guard", "the last proof could not be kept: {}", kept.error().what);
    });
  }
  source.note_ = std::move(note);
}

std::string Guard::state() const {
  std::string lines;
  const Moment at = now();
  for (const auto& source : sources_) {
    const auto& gap = source->gap_;
    const auto state = gap.state(at);
    if (state == Reception::current) continue;
    lines += fmt::format(
        "{}: {} since {}: {}; {}; waiting until {}\n", source->name_,
        state == Reception::guarded ? "guarded" : "cut-off", time_text(source->changed_), to_string(gap.why()),
        gap.unknown() ? "not known until when every invalidation was read"
                      : fmt::format("every invalidation was read until {}", time_text(gap.proved().wall)),
        source->posted_ ? "what could not be posted was posted again" : "the queue is found empty");
  }
  return lines;
}

} // namespace verge::control
