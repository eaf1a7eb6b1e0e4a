// FleetTracker: which node of the fleet has applied which purge. Values and times go in, what to ask and what to tell
// comes out; asking is Peer's, telling Fleet's. Pure; one loop's.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/clock.h"

namespace verge::control {

// One node's word on one purge.
struct AppliedPurge {
  std::string content; // which one, beside its id: purge_digest()
  uint64_t seq = 0;
  WallTime at{};                   // by the node's own clock
  uint64_t after_us = 0;           // from when the purge was taken until we knew: no two clocks are compared
  std::optional<uint64_t> entries; // stored responses that it hit; none: not counted (yet)
};

struct FleetTimes {
  Millis down_after{5'000};    // a node silent for so long is down
  Millis count_timeout{2'000}; // how long counts are waited for once all have applied it
  size_t remembered = 1'000;   // purges; the oldest goes
};

class FleetTracker {
 public:
  // `self`: this node's name; `instance`: what tells it from all others, whatever they call themselves.
  FleetTracker(std::string self, std::string instance, FleetTimes times)
      : self_(std::move(self)), instance_(std::move(instance)), times_(times) {}

  // --- who belongs to the fleet

  // These addresses and no others from now on.
  void set_nodes(const std::vector<std::string>& addresses, MonoTime now);
  // The node at `address` answered. Two addresses with one instance are one node; one with ours is this node.
  void answered(const std::string& address, std::string name, std::string instance, MonoTime now);
  void failed(const std::string& address, std::string why);
  enum class Life : uint8_t { unknown, live, down };
  Life life(const std::string& address, MonoTime now) const;
  struct Count {
    size_t live = 0, down = 0, unknown = 0; // other nodes
  };
  Count count(MonoTime now) const;

  // --- a purge on its way

  // Applied here; `here.content` empty: whatever is applied elsewhere by that id is it. Again for the same id: what is
  // known of it stays.
  void begin(const std::string& id, MonoTime taken, AppliedPurge here);
  // It was not, or is not going to be, carried to the other nodes: why. Empty: it was carried after all.
  void unsent(const std::string& id, std::string why);
  bool knows(const std::string& id) const { return purges_.contains(id); }
  void want_counts(const std::string& id);
  void count_here(const std::string& id, uint64_t entries);

  // What the node at `address` is to be asked about, at most `most` ids of either kind, without those in `asked`.
  struct Question {
    std::vector<std::string> ids;    // has it applied them?
    std::vector<std::string> counts; // how many responses did these hit?
    bool soon = false;               // the answer is wanted at once, even if it is no
    bool empty() const { return ids.empty() && counts.empty(); }
  };
  Question question(const std::string& address, const std::set<std::string>& asked, size_t most, MonoTime now) const;
  // What it said; false: nothing new, or it means another purge by that id.
  bool applied(const std::string& address, const std::string& id, AppliedPurge what, MonoTime now);
  // It was asked about these, and answered (what it did not name is not applied there yet).
  void asked(const std::string& address, const std::vector<std::string>& ids);

  // --- what to tell

  enum class State : uint8_t {
    applied, // by every node
    waiting, // for a node that lives
    down,    // every node that lives has applied it, others are down
    unsent,  // nodes that live don't get it
  };
  struct Row {
    std::string node;    // its name; of one that never answered its address
    std::string address; // empty: this node
    State state = State::waiting;
    std::optional<AppliedPurge> applied;
    std::string why; // down: what happened last
  };
  struct Status {
    State state = State::waiting;
    bool settled = false;  // nothing is waited for any more, counts included
    std::string unsent;    // why it was not carried
    std::vector<Row> rows; // this node first, then by name
  };
  std::optional<Status> status(const std::string& id, MonoTime now) const; // none: not tracked
  // Has it once been applied by all nodes that lived then? Stays so. False too for what is not tracked.
  bool completed(const std::string& id, MonoTime now);
  // Those still waiting for live nodes, taken at or before `taken`, each told once.
  std::vector<std::string> late(MonoTime taken, MonoTime now);

 private:
  struct Node {
    MonoTime since{};    // belongs to the fleet
    MonoTime answered{}; // last
    bool ever = false;   // answered
    std::string name, instance, why;
  };
  struct Purge {
    MonoTime taken{};
    AppliedPurge here;
    std::string unsent;
    std::set<std::string> fleet;                 // the addresses when it was taken
    std::map<std::string, AppliedPurge> applied; // by address
    std::set<std::string> asked;                 // addresses that were asked about it
    bool counted = false;                        // counts are wanted
    bool everywhere = false;                     // applied by all: stays so
    bool completed = false, told_late = false;
    std::optional<MonoTime> complete_since;
  };
  bool counts_for(const std::string& address, const Node& node) const;
  State state_of(const Purge& purge, MonoTime now) const;
  bool counted_out(const Purge& purge, MonoTime now) const;
  bool waits_for_answers(const Purge& purge, MonoTime now) const;

  const std::string self_, instance_;
  const FleetTimes times_;
  std::map<std::string, Node> nodes_; // by address
  std::map<std::string, Purge> purges_;
  std::deque<std::string> order_; // of purges_, oldest first
};

std::string_view to_string(FleetTracker::State state) noexcept;

} // namespace verge::control
