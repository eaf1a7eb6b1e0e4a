#include "proxy/control/events/seen_messages.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

#include "proxy/base/log.h"

namespace verge::control {
namespace {

constexpr std::string_view kPrefix = "sns:";

std::string note_key(const std::string& id) { return std::string(kPrefix) + id; }

} // namespace

SeenMessages::SeenMessages(cache::Cache& cache, Millis window, WallTime now) : cache_(cache), window_(window) {
  if (cache_.disk() == nullptr) return;
  for (const auto& [key, value] : cache_.disk()->notes(kPrefix)) {
    int64_t millis = 0;
    std::from_chars(value.data(), value.data() + value.size(), millis);
    const std::string id = key.substr(kPrefix.size());
    known_[id] = State::done;
    by_age_.emplace_back(WallTime(Millis(millis)), id);
  }
  std::sort(by_age_.begin(), by_age_.end());
  prune(now);
}

SeenMessages::State SeenMessages::state(const std::string& id) const {
  const auto it = known_.find(id);
  return it == known_.end() ? State::unknown : it->second;
}

void SeenMessages::finish(const std::string& id, WallTime now, Executor& loop, std::function<void()> then) {
  known_[id] = State::done;
  by_age_.emplace_back(now, id);
  prune(now);
  if (cache_.disk() == nullptr) return then();
  cache_.disk()->put_note(note_key(id), fmt::format("{}", now.time_since_epoch().count()), loop,
                          [then = std::move(then)](Result<> kept) {
                            if (!kept) log::warn("sns", "a MessageId could not be kept: {}", kept.error().what);
                            then();
                          });
}

void SeenMessages::prune(WallTime now) {
  std::vector<std::string> gone;
  while (!by_age_.empty() && by_age_.front().first + window_ < now) {
    known_.erase(by_age_.front().second);
    gone.push_back(note_key(by_age_.front().second));
    by_age_.pop_front();
  }
  if (!gone.empty() && cache_.disk() != nullptr) cache_.disk()->erase_notes(std::move(gone));
}

} // namespace verge::control
