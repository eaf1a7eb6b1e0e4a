// Exchange: one request and its response, walking through the rooms in rooms.h. Lives on one loop thread, owned by its
// connection's adapter; see http::StreamHandler for its lifetime.
//
// Each room reads what the rooms before it wrote and writes only the field named after it.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cache/cache.h"
#include "cache/policy/cache_status.h"
#include "cache/policy/storing.h"
#include "proxy/base/pool.h"
#include "proxy/base/request_id.h"
#include "proxy/http/stream.h"
#include "proxy/pipeline/body_plan.h"
#include "proxy/pipeline/counters.h"
#include "proxy/pipeline/fetching.h"
#include "proxy/pipeline/keyed_body.h"
#include "proxy/pipeline/ranged.h"
#include "proxy/pipeline/services.h"
#include "proxy/pipeline/slices.h"

namespace verge::pipeline {

enum class Room : uint8_t { intake, route, gate, key, lookup, join, shape, send, log, gone };
std::string_view to_string(Room room) noexcept;

// What a room decides: go on, answer this status from here, or wait to be woken at the same room.
struct Step {
  enum class Kind : uint8_t { next, answer, wait };
  Kind kind = Kind::next;
  int status = 0;               // answer
  std::string_view detail = {}; // answer: a word for the log and Cache-Status

  static Step next() { return {}; }
  static Step answer(int status, std::string_view detail) { return {Kind::answer, status, detail}; }
  static Step wait() { return {Kind::wait, 0, {}}; }
};

// What `key` decides: may the cache be asked, may the answer be kept.
struct KeyDecision {
  std::string text;
  bool look = false;
  bool store = false;
  policy::Forward why_not = policy::Forward::none; // when look is false
};

// What `lookup` found.
struct Found {
  cache::EntryRef entry; // null: nothing usable
  cache::Tier tier = cache::Tier::none;
  policy::Use use = policy::Use::must_validate;
  Millis age{0};
  bool refresh_due = false; // fresh, but to be asked for again before it expires
  bool soft = false;        // marked stale by a soft invalidation
  bool guarded = false;     // an invalidation may cover it that this node has not read
  Millis unproved{0};       // then: for how long it has not read all
  bool other_variants = false;
  std::optional<MonoTime> uncacheable; // Cache::known_uncacheable, where that was asked
  // How old it counts where staleness is allowed: a soft invalidation ends the lifetime now, one that was not read may
  // have ended it when the node could not read any more.
  Millis stale_age() const {
    if (!soft && !guarded) return age;
    return std::max(age, entry->head()->freshness.lifetime + std::min(unproved, age));
  }
  policy::Forward forward = policy::Forward::none; // why the origin is asked, if it is
};

// What `join` ended with: the Entry that answers.
struct Answer {
  cache::EntryRef entry;
  bool stored = true; // an Entry of the cache: conditions and ranges are answered here
  CacheResult result = CacheResult::none;
  policy::StoreVerdict verdict = policy::StoreVerdict::store;
  std::optional<int> origin_status;
  std::optional<uint64_t> declared_length;
  http::Headers first_only; // fields beside the Entry's, for this client alone
  bool collapsed = false;
  std::string note;
  std::string_view detail = {}; // into `note`, or static
};

// What `shape` made: the response as it goes out.
struct Shaped {
  http::ResponseOut out;
  http::Headers own_fields;              // when the response's fields are not the Entry's
  cache::HeadRef head;                   // keeps what `out` points into alive
  uint64_t first = 0, last = UINT64_MAX; // what is sent next, in octets of the complete body
  uint64_t offset = 0;                   // where in it the Entry begins
  BodyPlan plan;                         // several ranges; empty: first to last is all
  bool body = false;
};

class Exchange final : public http::StreamHandler, public Fetching::Leader, public pool::Pooled {
 public:
  // `client` and `connection` outlive the Exchange.
  Exchange(Services& services, std::shared_ptr<LoopSnapshot> snapshot, http::ClientStream& client,
           const Connected& connection, http::RequestHead&& head);
  ~Exchange() override;
  void begin() override;

  void on_body(std::string_view octets) override;
  void on_body_end() override;
  void on_writable() override;
  void on_finished() override;
  void on_cut() override;

  // Fetching::Leader
  void on_interim_head(const http::ResponseHead& head) override;
  void on_outcome(Outcome&& outcome) override;
  void on_request_body_writable() override;
  void on_fetching_done() override;

  // --- for the rooms ---
  Services& services;
  std::shared_ptr<LoopSnapshot> snapshot; // pinned
  http::ClientStream& client;
  const Connected& connection;
  std::string request_id() const { return request_id_text(id_); }
  uint64_t id() const noexcept { return id_; }

  http::RequestHead request; // intake, and key (cookies); const from then on
  const Route* route = nullptr;
  KeyDecision key;
  Found found;
  std::optional<cache::Cache::Lookup> looked_up; // lookup's answer when it had to wait
  Answer answer;
  Shaped response;

  // Wakes this Exchange at its room, if it still lives: for callbacks from elsewhere.
  Task wake_task();
  // The same for a value: runs `f(exchange)` and nothing when it is gone.
  template <class F>
  auto alive(F f) {
    return WhileAlive<F>{life(), std::move(f)};
  }

  std::unique_ptr<Slices> slices; // null: not sent in slices
  std::unique_ptr<Ranged> ranged; // null: the whole is asked for, or stored

  // join's state.
  Fetching* fetching = nullptr;   // led by us and not yet detached
  cache::EntryRef following;      // somebody else's flight we wait for
  std::optional<Outcome> outcome; // of the Fetching we lead
  bool follow_expired = false;
  bool alone = false; // fetch without sharing: what we followed was not for us
  int join_tries = 0;
  std::string flight;           // the one to join: plan.h
  bool flight_had_head = false; // its head was here before us
  std::unique_ptr<Alarm> follow_alarm;
  std::unique_ptr<Alarm> patience; // stale.h
  bool impatient = false;
  std::vector<std::string> hinted; // links that the client has from us: early.h

  // send's state.
  std::optional<cache::Reader> reader;
  std::vector<Slice> held; // of the body, read before the head was sent: hold.h
  bool head_sent = false;
  uint64_t sent_turn = 0; // this_turn (base/turn.h) when it was last here

  // key's state.
  std::unique_ptr<KeyedBody> keyed; // a body that is part of the key

  // The node's own answers (intercept).
  std::string collected_body;
  void release_collected();
  bool collecting = false;
  bool body_ended = false;
  std::optional<http::Reply> reply;

  // log's state.
  uint64_t started_us = 0;
  int status = 0;
  uint64_t bytes_sent = 0;
  uint64_t bytes_received = 0;
  bool logged = false;
  // Goes back to an earlier room at the next turn of the walk.
  void back_to(Room room) noexcept { room_ = room; }
  void wake() { run(); }
  // For explain.h: the walk ends before `room`, and `stopped` runs there.
  void stop_before(Room room, Task stopped) {
    end_ = room;
    stopped_ = std::move(stopped);
  }

 private:
  struct Life {
    Exchange* self;
  };
  // No larger than its weak_ptr where `f` holds nothing: a Task keeps that without asking for memory.
  template <class F>
  struct WhileAlive {
    std::weak_ptr<Life> weak;
    [[no_unique_address]] F f;
    template <class... Args>
    void operator()(Args&&... args) {
      if (const auto life = weak.lock()) f(*life->self, std::forward<Args>(args)...);
    }
  };
  std::shared_ptr<Life>& life();
  void run();
  void send_answer(int code, std::string_view detail);
  void write_log();
  void keep_buffers();
  void collect(std::string_view octets);

  const uint64_t id_;
  Room room_ = Room::intake;
  Room end_ = Room::log;
  Task stopped_;
  bool running_ = false;
  bool again_ = false;
  size_t unconsumed_ = 0;      // request body octets the origin has not taken yet
  std::shared_ptr<Life> life_; // made when first needed
};

} // namespace verge::pipeline
