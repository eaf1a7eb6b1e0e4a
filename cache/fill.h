// CacheFill: brings one response from its Fetch into an Entry, and from there into RAM and onto disk.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "cache/core.h"
#include "proxy/base/pool.h"

namespace verge::cache {

class CacheFill final : public Fill, public pool::Pooled {
 public:
  // `key`: of the flight, and what is remembered if it proves uncacheable; empty for a solo Fill. `in_flight`: `entry`
  // is in the table of flights and to be taken out of it. `uncacheable_until`: what the flights know of `key`.
  CacheFill(Core& core, EntryRef entry, std::string_view key, bool in_flight, Executor& loop, Task resume,
            Task abandoned, MonoTime uncacheable_until = {});
  ~CacheFill() override;
  CacheFill(const CacheFill&) = delete;
  CacheFill& operator=(const CacheFill&) = delete;

  const EntryRef& entry() const noexcept override { return entry_; }
  void open_storing(HeadRef head) override;
  void open_on_trial(HeadRef head) override;
  void settle(bool keep) override;
  void open_passing(HeadRef head) override;
  bool append(std::string_view octets) override;
  void complete() override;
  void fail(Error error) override;
  void abandon() override;

 private:
  struct Producer; // what posted tasks hold in our place
  void open_alone(HeadRef head);
  void run_ahead();
  HeadRef with_seq(HeadRef head) const;
  void end_trial(const Error& error);
  void open(HeadRef head, Entry::Keep keep);
  bool below_window();
  void watch_readers();
  void check_abandoned();
  void failed();
  void land();
  void end_flight();

  Core& core_;
  EntryRef entry_;
  std::string key_;
  const MonoTime uncacheable_until_;
  bool in_flight_;
  bool storing_ = false; // goes into RAM or onto disk when complete
  EntryRef awaited_;     // on trial: what others wait for in place of entry_
  bool trial_ = false;
  bool on_disk_ = false; // the disk has it in hand
  uint64_t ahead_ = 0;   // octets taken of RamAhead: the whole body may be here before the disk has any of it
  bool growing_ = false; // held wholly in RAM until it has outgrown that
  std::shared_ptr<Producer> producer_;
};

} // namespace verge::cache
