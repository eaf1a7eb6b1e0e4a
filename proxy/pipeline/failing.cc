#include "proxy/pipeline/failing.h"

namespace verge::pipeline {
namespace {

// Nothing came from it: the next request will fare no better, whatever it asks for.
bool gave_no_answer(const Error& error) { return error.code == Errc::timeout || error.code == Errc::refused; }

} // namespace

void Failing::origin_failed(std::string_view origin, Millis memory) {
  if (memory <= Millis{0}) return;
  const MonoTime now = clock_.mono();
  std::lock_guard lock(mutex_);
  any_.store(true, std::memory_order_relaxed);
  OriginState& state = origins_[std::string(origin)];
  if (state.until <= now) state.probed = now; // the one that failed was the first probe
  state.until = now + memory;
}

void Failing::key_failed(std::string_view key, Millis memory) {
  if (memory <= Millis{0} || key.empty()) return;
  const MonoTime now = clock_.mono();
  const size_t hash = Hash{}(key);
  std::lock_guard lock(mutex_);
  any_.store(true, std::memory_order_relaxed);
  keys_[hash] = now + memory;
  keys_by_age_.emplace_back(hash, now + memory);
  while (keys_by_age_.size() > kMostKeys || keys_by_age_.front().second <= now) {
    const auto [oldest, until] = keys_by_age_.front();
    keys_by_age_.pop_front();
    const auto it = keys_.find(oldest);
    if (it != keys_.end() && it->second == until) keys_.erase(it);
    if (keys_by_age_.empty()) return;
  }
}

void Failing::failed(std::string_view origin, std::string_view key, const Error& error, Millis memory) {
  if (error.side != Side::origin) return; // our own limits, or the client
  if (gave_no_answer(error)) origin_failed(origin, memory);
  key_failed(key, memory);
}

void Failing::answered(std::string_view origin, std::string_view key) {
  if (!any_.load(std::memory_order_relaxed)) return;
  std::lock_guard lock(mutex_);
  if (const auto it = origins_.find(origin); it != origins_.end()) origins_.erase(it);
  if (!keys_.empty()) keys_.erase(Hash{}(key));
  any_.store(!origins_.empty() || !keys_.empty(), std::memory_order_relaxed);
}

bool Failing::is_failing(std::string_view origin, std::string_view key) const {
  const MonoTime now = clock_.mono();
  std::lock_guard lock(mutex_);
  if (const auto it = origins_.find(origin); it != origins_.end() && now < it->second.until) return true;
  const auto it = keys_.find(Hash{}(key));
  return it != keys_.end() && now < it->second;
}

bool Failing::may_probe(std::string_view origin) {
  const MonoTime now = clock_.mono();
  std::lock_guard lock(mutex_);
  const auto it = origins_.find(origin);
  if (it == origins_.end() || now >= it->second.until) return true;
  if (now < it->second.probed + kProbeEvery) return false;
  it->second.probed = now;
  return true;
}

} // namespace verge::pipeline
