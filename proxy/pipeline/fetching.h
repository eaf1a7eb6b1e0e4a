// Fetching: one Fetch and the Fill it drives. It does not belong to the client who caused it: that one may leave while
// the body is still worth storing, and a refresh behind a stale answer has no client at all.
//
// Lifetime: owned by Services::fetchings, removed by itself through the loop when it is done. Its Leader, if any, must
// detach() before it dies. Loop thread only.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cache/cache.h"
#include "cache/policy/storing.h"
#include "origin/origin.h"
#include "proxy/base/pool.h"
#include "proxy/pipeline/admit.h"
#include "proxy/pipeline/ranged.h"
#include "proxy/pipeline/services.h"
#include "proxy/pipeline/splice.h"
#include "proxy/pipeline/trial.h"

namespace verge::pipeline {

// What is to be fetched, and why.
struct Plan {
  const Route* route = nullptr;
  std::shared_ptr<LoopSnapshot> snapshot;
  std::unique_ptr<http::RequestHead> client_head; // as the client asked, normal form: decides storing and Vary
  http::Headers origin_headers;                   // as they go to the origin when unconditional (forward.h)
  origin::ClientInfo client;
  std::string key_text;  // what a failure is remembered under; empty: nowhere
  bool store = false;    // it may be stored, under the same text
  cache::EntryRef stale; // fits the request: validated by this Fetch, and shown in place of an error; null: none
  std::vector<cache::EntryRef> offered;    // stored for other variants: a 304 may select one of them
  std::shared_ptr<const std::string> body; // sent before what send_body() brings; null: nothing
  bool body_whole = false;                 // nothing comes after it
  bool never_shown = false;                // `stale` is not shown: too old a guard (stale.h)
  bool behind = false;                     // no client waits: an error of the origin changes nothing
  std::unique_ptr<RangePlan> ranged;       // null: the whole

  const std::string& key() const noexcept { // to store under; empty: can't be stored
    static const std::string none;
    return store ? key_text : none;
  }
};

struct Outcome {
  enum class Kind : uint8_t {
    opened,    // `entry` has a head: read it
    refreshed, // a 304: `entry` is the freshened stored response
    failed,    // `error`; nothing from the origin can be shown
    origin_5xx // the origin answered `status` and the stale entry may be shown instead
  };
  Kind kind = Kind::failed;
  cache::EntryRef entry;
  policy::StoreVerdict verdict = policy::StoreVerdict::store;
  int status = 0;                          // the origin's
  std::optional<uint64_t> declared_length; // of a response without body octets (HEAD, 304)
  std::string note;                        // what the verdict is about: "reflects x-forwarded-host"
  http::Headers first_only;                // opened: fields beside the Entry's, for the leader's client alone
  Error error;
};

class Fetching final : public origin::FetchSink, public pool::Pooled {
 public:
  class Leader {
   public:
    virtual ~Leader() = default;
    virtual void on_interim_head(const http::ResponseHead& head) = 0;
    virtual void on_outcome(Outcome&& outcome) = 0; // once
    virtual void on_request_body_writable() = 0;
    virtual void on_fetching_done() = 0; // the last call: the Fetching is not to be touched again
  };

  Fetching(Services& services, Plan&& plan, Leader* leader);
  ~Fetching() override;
  Fetching(const Fetching&) = delete;
  Fetching& operator=(const Fetching&) = delete;

  // To be handed to Cache::join / solo.
  Task resume_task();
  Task abandoned_task();
  // Sends the Fetch. Takes `self` into Services::fetchings.
  static Fetching& start(std::unique_ptr<Fetching> self, std::unique_ptr<cache::Fill> fill);

  // The leader leaves. A Fetch that nobody else can use is cancelled.
  void detach();
  bool send_body(std::string_view octets); // false: wait for on_request_body_writable
  void end_body();

  void on_interim(http::ResponseHead&& head) override;
  void on_head(http::ResponseHead&& head) override;
  void on_data(std::string_view octets) override;
  void on_end() override;
  void on_error(Error error) override;
  void on_request_writable() override;

 private:
  struct Life {
    Fetching* self;
  };
  void send(bool conditional);
  void on_not_modified(http::ResponseHead&& head);
  void ask_again();                     // without conditions, at the next turn of the loop
  void on_fault(std::string_view what); // an answer that can't be one
  bool keep_stale(const http::ResponseHead& head);
  // fetching_ranged.cc
  void set_range(http::Headers& headers) const;
  bool range_came(const http::ResponseHead& head); // false: the origin is asked again
  void join_part(const http::ResponseHead& head, const policy::ContentRange& content);
  bool slice_came(const http::ResponseHead& head);
  void slice_lost(const http::ResponseHead& head);
  void ask_unsliced();
  void ask_whole();
  void pump();
  void end_of_body();
  // fetching_trial.cc
  bool on_trial(const http::ResponseHead& head, Outcome& outcome, Admission& admitted); // true: held back
  void look_at(std::string_view octets, bool end);
  void judged(Trial::Finding finding);
  void open(Outcome&& outcome, Admission&& admitted, bool trial = false);
  void tell(Outcome&& outcome);
  void tell_opened();
  void finish(); // drops the Fetch and removes this from Services, from the top of the loop

  Services& services_;
  Plan plan_;
  Leader* leader_;
  std::shared_ptr<Life> life_;
  std::unique_ptr<cache::Fill> fill_;
  std::unique_ptr<origin::Fetch> fetch_;
  WallTime request_time_{};
  std::optional<policy::ContentRange> holds_; // of a 206 that may be kept: what the Entry will hold
  std::unique_ptr<Splice> splice_;
  std::unique_ptr<Trial> trial_;  // while its octets are looked at
  std::optional<Outcome> untold_; // opened; the leader hears of it at the end of the turn
  bool opened_ = false;
  bool storing_ = false;
  bool finished_ = false;
  bool conditional_ = false; // by our own conditions
  bool may_be_304_ = false;  // by any
};

} // namespace verge::pipeline
