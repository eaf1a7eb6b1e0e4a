#include "proxy/control/fleet/fleet_tracker.h"

#include <algorithm>

namespace verge::control {

std::string_view to_string(FleetTracker::State state) noexcept {
  switch (state) {
    case FleetTracker::State::applied: return "applied";
    case FleetTracker::State::waiting: return "waiting";
    case FleetTracker::State::down: return "down";
    case FleetTracker::State::unsent: break;
  }
  return "unsent";
}

// ---- who belongs to the fleet

void FleetTracker::set_nodes(const std::vector<std::string>& addresses, MonoTime now) {
  std::erase_if(nodes_, [&](const auto& node) { return std::ranges::find(addresses, node.first) == addresses.end(); });
  for (const auto& address : addresses) {
    const auto [node, fresh] = nodes_.try_emplace(address);
    if (fresh) node->second.since = now;
  }
}

void FleetTracker::answered(const std::string& address, std::string name, std::string instance, MonoTime now) {
  const auto it = nodes_.find(address);
  if (it == nodes_.end()) return;
  it->second.answered = now;
  it->second.ever = true;
  it->second.name = std::move(name);
  it->second.instance = std::move(instance);
  it->second.why.clear();
}

void FleetTracker::failed(const std::string& address, std::string why) {
  if (const auto it = nodes_.find(address); it != nodes_.end()) it->second.why = std::move(why);
}

FleetTracker::Life FleetTracker::life(const std::string& address, MonoTime now) const {
  const auto it = nodes_.find(address);
  if (it == nodes_.end()) return Life::unknown;
  const auto& node = it->second;
  if (now - std::max(node.since, node.answered) >= times_.down_after) return Life::down;
  return node.ever ? Life::live : Life::unknown;
}

// Not this node itself, nor a second address of another.
bool FleetTracker::counts_for(const std::string& address, const Node& node) const {
  if (!node.ever) return true;
  if (node.instance == instance_) return false;
  return std::ranges::none_of(nodes_, [&](const auto& other) {
    return other.first < address && other.second.ever && other.second.instance == node.instance;
  });
}

FleetTracker::Count FleetTracker::count(MonoTime now) const {
  Count out;
  for (const auto& [address, node] : nodes_) {
    if (!counts_for(address, node)) continue;
    switch (life(address, now)) {
      case Life::live: ++out.live; break;
      case Life::down: ++out.down; break;
      case Life::unknown: ++out.unknown; break;
    }
  }
  return out;
}

// ---- a purge on its way

void FleetTracker::begin(const std::string& id, MonoTime taken, AppliedPurge here) {
  const auto [it, fresh] = purges_.try_emplace(id);
  if (!fresh) return;
  it->second.taken = taken;
  it->second.here = std::move(here);
  for (const auto& [address, node] : nodes_) it->second.fleet.insert(address);
  order_.push_back(id);
  while (order_.size() > times_.remembered) {
    purges_.erase(order_.front());
    order_.pop_front();
  }
}

void FleetTracker::unsent(const std::string& id, std::string why) {
  const auto it = purges_.find(id);
  if (it == purges_.end()) return;
  it->second.unsent = std::move(why);
}

void FleetTracker::want_counts(const std::string& id) {
  if (const auto it = purges_.find(id); it != purges_.end()) it->second.counted = true;
}

void FleetTracker::count_here(const std::string& id, uint64_t entries) {
  if (const auto it = purges_.find(id); it != purges_.end()) it->second.here.entries = entries;
}

FleetTracker::Question FleetTracker::question(const std::string& address, const std::set<std::string>& asked,
                                              size_t most, MonoTime now) const {
  Question out;
  const auto node = nodes_.find(address);
  if (node == nodes_.end() || !counts_for(address, node->second)) return out;
  for (auto id = order_.rbegin(); id != order_.rend(); ++id) { // the newest first: who gave it waits
    const auto& purge = purges_.at(*id);
    if (purge.everywhere && !purge.counted) continue;
    if (!purge.fleet.contains(address) || asked.contains(*id)) continue;
    const auto said = purge.applied.find(address);
    if (said == purge.applied.end()) {
      if (out.ids.size() == most) continue;
      out.ids.push_back(*id);
      out.soon |= !purge.unsent.empty() && !purge.asked.contains(address);
    } else if (purge.counted && !said->second.entries && out.counts.size() < most && !counted_out(purge, now)) {
      out.counts.push_back(*id);
    }
  }
  return out;
}

bool FleetTracker::applied(const std::string& address, const std::string& id, AppliedPurge what, MonoTime now) {
  const auto it = purges_.find(id);
  if (it == purges_.end() || !it->second.fleet.contains(address)) return false;
  if (!it->second.here.content.empty() && it->second.here.content != what.content) return false;
  what.after_us = static_cast<uint64_t>(std::max<int64_t>((now - it->second.taken).count(), 0)) * 1'000;
  const auto [said, fresh] = it->second.applied.try_emplace(address, what);
  if (fresh) return true;
  if (said->second.entries || !what.entries) return false;
  said->second.entries = what.entries;
  return true;
}

void FleetTracker::asked(const std::string& address, const std::vector<std::string>& ids) {
  for (const auto& id : ids) {
    if (const auto it = purges_.find(id); it != purges_.end()) it->second.asked.insert(address);
  }
}

// Counts are not waited for any more.
bool FleetTracker::counted_out(const Purge& purge, MonoTime now) const {
  return purge.complete_since && now - *purge.complete_since >= times_.count_timeout;
}

// ---- what to tell

FleetTracker::State FleetTracker::state_of(const Purge& purge, MonoTime now) const {
  if (purge.everywhere) return State::applied;
  bool waiting = false, down = false;
  for (const auto& address : purge.fleet) {
    const auto node = nodes_.find(address);
    if (node == nodes_.end() || !counts_for(address, node->second)) continue; // has left, or is counted elsewhere
    if (purge.applied.contains(address)) continue;
    (life(address, now) == Life::down ? down : waiting) = true;
  }
  if (waiting) return purge.unsent.empty() ? State::waiting : State::unsent;
  return down ? State::down : State::applied;
}

// Of what was not carried each node is asked once all the same: it may have got it another way.
bool FleetTracker::waits_for_answers(const Purge& purge, MonoTime now) const {
  return std::ranges::any_of(purge.fleet, [&](const std::string& address) {
    const auto node = nodes_.find(address);
    return node != nodes_.end() && counts_for(address, node->second) && !purge.applied.contains(address) &&
           !purge.asked.contains(address) && life(address, now) != Life::down;
  });
}

bool FleetTracker::completed(const std::string& id, MonoTime now) {
  const auto it = purges_.find(id);
  if (it == purges_.end()) return false;
  auto& purge = it->second;
  const auto state = state_of(purge, now);
  purge.everywhere = state == State::applied;
  if (state != State::applied && state != State::down) return purge.completed;
  purge.completed = true;
  if (!purge.complete_since) purge.complete_since = now;
  return true;
}

std::optional<FleetTracker::Status> FleetTracker::status(const std::string& id, MonoTime now) const {
  const auto it = purges_.find(id);
  if (it == purges_.end()) return std::nullopt;
  const auto& purge = it->second;
  Status out;
  out.state = state_of(purge, now);
  out.unsent = purge.unsent;
  bool uncounted = purge.counted && !purge.here.entries;
  out.rows.push_back({self_, "", State::applied, purge.here, ""});
  for (const auto& address : purge.fleet) {
    const auto node = nodes_.find(address);
    if (node == nodes_.end() || !counts_for(address, node->second)) continue;
    Row row{node->second.name.empty() ? address : node->second.name, address, State::waiting, std::nullopt, ""};
    if (const auto said = purge.applied.find(address); said != purge.applied.end()) {
      row.state = State::applied;
      row.applied = said->second;
      uncounted |= purge.counted && !said->second.entries && life(address, now) != Life::down;
    } else if (life(address, now) == Life::down) {
      row.state = State::down;
      row.why = node->second.why.empty() ? "no answer" : node->second.why;
    } else if (!purge.unsent.empty()) {
      row.state = State::unsent;
    }
    out.rows.push_back(std::move(row));
  }
  std::ranges::sort(out.rows.begin() + 1, out.rows.end(), {}, &Row::node);
  switch (out.state) {
    case State::waiting: break;
    case State::unsent: out.settled = !waits_for_answers(purge, now); break;
    case State::applied:
    case State::down: out.settled = !uncounted || counted_out(purge, now); break;
  }
  return out;
}

std::vector<std::string> FleetTracker::late(MonoTime taken, MonoTime now) {
  std::vector<std::string> out;
  for (const auto& id : order_) {
    auto& purge = purges_.at(id);
    if (purge.taken > taken) break;
    if (purge.told_late || purge.everywhere) continue;
    const auto state = state_of(purge, now);
    purge.everywhere = state == State::applied;
    purge.told_late = state == State::waiting;
    if (purge.told_late) out.push_back(id);
  }
  return out;
}

} // namespace verge::control
