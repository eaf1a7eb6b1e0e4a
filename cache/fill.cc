#include "cache/fill.h"

#include <algorithm>

#include "proxy/base/metrics.h"

namespace verge::cache {
namespace {

metrics::Counter g_discarded("verge_stores_discarded_total", "",
                             "Responses delivered and not kept because they were invalidated on their way.");

using Keep = Entry::Keep;

constexpr size_t kMostKey = 1'024; // octets: a longer key is not the usual request's
thread_local pool::Spares<std::string> spare_keys;

} // namespace

// Loop thread only.
struct CacheFill::Producer {
  CacheFill* fill; // null: gone
  Executor& loop;
  Task resume;
  Task abandoned;
  bool paused = false;

  // The task is moved out meanwhile: it may destroy the Fill.
  void run(Task Producer::* task) {
    if (fill == nullptr || !(this->*task)) return;
    Task running = std::move(this->*task);
    running();
    if (fill != nullptr) this->*task = std::move(running);
  }
};

CacheFill::CacheFill(Core& core, EntryRef entry, std::string_view key, bool in_flight, Executor& loop, Task resume,
                     Task abandoned, MonoTime uncacheable_until)
    : core_(core),
      entry_(std::move(entry)),
      key_(spare_keys.take()),
      uncacheable_until_(uncacheable_until),
      in_flight_(in_flight),
      producer_(pool::make_shared<Producer>(Producer{this, loop, std::move(resume), std::move(abandoned)})) {
  key_ = key;
}

CacheFill::~CacheFill() {
  producer_->fill = nullptr;
  producer_->resume = nullptr;
  producer_->abandoned = nullptr;
  core_.ahead.give(ahead_);
  const EntryState state = entry_->state();
  if (state != EntryState::complete && state != EntryState::failed) {
    fail({Errc::closed, Side::self, Retry::safe, "the fetch ended before its response was complete"});
  }
  if (key_.capacity() > kMostKey) return;
  key_.clear();
  spare_keys.keep(std::move(key_));
}

void CacheFill::open_storing(HeadRef head) {
  if (entry_->state() != EntryState::waiting_head) return;
  head = with_seq(std::move(head));
  const bool dead = core_.verdict(*head) == Verdict::dead;
  const bool fits_ram = head->no_body || head->content_length.value_or(0) <= core_.largest_in_ram;
  if (dead) g_discarded.add();
  if (!fits_ram && (dead || core_.disk == nullptr)) {
    if (!dead && !key_.empty()) core_.flights->remember_uncacheable(key_);
    return open_alone(std::move(head));
  }
  if (!dead && !key_.empty()) core_.flights->forget_uncacheable(key_);
  if (!dead) core_.learn_search(*head);
  storing_ = !dead;
  growing_ = fits_ram;
  open(std::move(head), fits_ram ? Keep::all : Keep::until_on_disk);
  on_disk_ = storing_ && core_.disk != nullptr && core_.disk->store(entry_);
  if (!on_disk_) entry_->not_on_disk();
  run_ahead();
  // The beginning of what is not kept is there for those who wait already, not for those who come later.
  if (!storing_ || (!growing_ && !on_disk_)) end_flight();
}

// A body that is too large for the RAM tier and not for the memory that such bodies share while they come.
void CacheFill::run_ahead() {
  const uint64_t length = entry_->head()->content_length.value_or(0);
  if (on_disk_ && !growing_ && length > 0 && core_.ahead.take(length)) ahead_ = length;
}

HeadRef CacheFill::with_seq(HeadRef head) const {
  if (head->seq == entry_->seq()) return head;
  auto changed = std::make_shared<StoredHead>(*head);
  changed->seq = entry_->seq();
  return changed;
}

void CacheFill::open_on_trial(HeadRef head) {
  if (entry_->state() != EntryState::waiting_head) return;
  head = with_seq(std::move(head));
  trial_ = true;
  growing_ = true;
  if (in_flight_) { // those who wait for the Entry in the table see nothing of this one yet
    awaited_ = std::move(entry_);
    entry_ = pool::make_shared<Entry>(awaited_->seq(), core_.disk.get());
  }
  open(std::move(head), Keep::all);
}

void CacheFill::settle(bool keep) {
  if (!std::exchange(trial_, false) || entry_->state() != EntryState::open) return;
  const HeadRef head = entry_->head();
  const bool dead = core_.verdict(*head) == Verdict::dead;
  growing_ = head->no_body || std::max(head->content_length.value_or(0), entry_->length()) <= core_.largest_in_ram;
  if (keep && dead) g_discarded.add();
  if (keep && !dead && (growing_ || core_.disk != nullptr)) {
    if (!key_.empty()) core_.flights->forget_uncacheable(key_);
    core_.learn_search(*head);
    storing_ = true;
    on_disk_ = core_.disk != nullptr && core_.disk->store(entry_);
    if (!on_disk_) entry_->not_on_disk();
    if (!growing_) entry_->keep_less(Keep::until_on_disk);
    run_ahead();
    if (in_flight_ && (growing_ || on_disk_)) {
      in_flight_ = core_.flights->replace(key_, awaited_.get(), entry_);
      return end_trial({Errc::closed, Side::self, Retry::safe, "what it was is known now: it is in the table"});
    }
  } else {
    growing_ = false;
    if (!dead && !key_.empty()) core_.flights->remember_uncacheable(key_);
    entry_->not_on_disk();
  }
  end_trial({Errc::refused, Side::self, Retry::safe, "the response is not to be shared"});
  if (!storing_) entry_->keep_less(Keep::until_read);
}

// Those who wait go on: to the Entry that has taken its place in the table, or each for himself.
void CacheFill::end_trial(const Error& error) {
  trial_ = false;
  const EntryRef awaited = std::exchange(awaited_, nullptr);
  if (awaited == nullptr) return;
  if (in_flight_ && error.code != Errc::closed) {
    in_flight_ = false;
    core_.flights->end(key_, awaited.get());
  }
  awaited->fail(error);
}

void CacheFill::open_passing(HeadRef head) {
  if (entry_->state() != EntryState::waiting_head) return;
  if (!key_.empty()) core_.flights->remember_uncacheable(key_, uncacheable_until_);
  open_alone(std::move(head));
}

void CacheFill::open_alone(HeadRef head) {
  if (in_flight_) {
    end_flight();
    entry_->fail({Errc::refused, Side::self, Retry::safe, "the response is not to be shared"});
    entry_ = pool::make_shared<Entry>(entry_->seq(), nullptr);
  }
  open(std::move(head), Keep::until_read);
}

void CacheFill::open(HeadRef head, Keep keep) {
  entry_->open(std::move(head), keep);
  watch_readers();
}

bool CacheFill::append(std::string_view octets) {
  const uint64_t before = entry_->length() / kBlockBytes;
  entry_->append(octets);
  if (entry_->state() == EntryState::failed) {
    failed();
    return true;
  }
  if (trial_) return true;
  if (growing_ && entry_->length() > core_.largest_in_ram) {
    growing_ = false;
    entry_->keep_less(on_disk_ ? Keep::until_on_disk : Keep::until_read);
    if (!on_disk_) {
      if (storing_ && !key_.empty()) core_.flights->remember_uncacheable(key_);
      storing_ = false;
      end_flight();
    }
  }
  // The disk takes what is wholly here when it is, and leaves the processor to those who fetch and read it until then.
  if (on_disk_ && ahead_ == 0 && entry_->length() / kBlockBytes != before) core_.disk->poke(entry_);
  return growing_ || below_window();
}

bool CacheFill::below_window() {
  if (producer_->paused) return false;
  const auto& options = core_.options;
  if (entry_->length() <= std::min(options.pass_window_bytes, options.fill_window_bytes)) return true; // all of it
  const bool until_read = entry_->keep() == Keep::until_read;
  const uint64_t window = until_read ? options.pass_window_bytes : std::max(options.fill_window_bytes, ahead_);
  if (entry_->backlog() <= window) return true;
  producer_->paused = true;
  entry_->when_backlog_below(window / 2, producer_->loop, [p = producer_] {
    p->paused = false;
    p->run(&Producer::resume);
  });
  // A Reader that was to come has been posted before this is; if there is none then, there will be none.
  if (until_read && entry_->readers() == 0) {
    producer_->loop.post([p = producer_] {
      if (p->fill != nullptr) p->fill->check_abandoned();
    });
  }
  return false;
}

void CacheFill::watch_readers() {
  entry_->when_abandoned(producer_->loop, [p = producer_] {
    if (p->fill == nullptr) return;
    p->fill->watch_readers();
    p->fill->check_abandoned();
  });
}

// While it is stored nobody needs to read it. Else, with the last Reader gone, there is no use in going on.
void CacheFill::check_abandoned() {
  if (entry_->state() != EntryState::open || entry_->readers() != 0 || trial_) return;
  if (!storing_ || entry_->keep() == Keep::until_read) producer_->run(&Producer::abandoned);
}

void CacheFill::complete() {
  settle(false); // nobody has said that it may be kept
  entry_->complete();
  if (entry_->state() != EntryState::complete) return failed();
  bool in_ram = false;
  if (storing_) {
    if (core_.verdict(*entry_->head()) == Verdict::dead) {
      storing_ = false; // on disk it is found dead as well
      g_discarded.add();
    } else {
      in_ram = growing_ && core_.ram.put(entry_);
    }
  }
  if (on_disk_) core_.disk->poke(entry_);
  if (storing_ && on_disk_ && !in_ram) return land();
  end_flight();
}

// Until the disk has it, the table of flights is the only place where it can be found.
void CacheFill::land() {
  if (!std::exchange(in_flight_, false)) return;
  entry_->when_settled(producer_->loop, [flights = core_.flights, key = key_, entry = entry_.get()] {
    flights->end(key, entry); // compared, not followed
  });
}

void CacheFill::fail(Error error) {
  entry_->fail(std::move(error));
  failed();
}

void CacheFill::failed() {
  if (awaited_) { // on trial still
    in_flight_ = false;
    core_.flights->end(key_, awaited_.get());
    end_trial(entry_->error());
  }
  if (std::exchange(on_disk_, false)) core_.disk->poke(entry_);
  end_flight();
}

void CacheFill::abandon() { fail({Errc::closed, Side::self, Retry::safe, "a stored response was freshened"}); }

void CacheFill::end_flight() {
  if (std::exchange(in_flight_, false)) core_.flights->end(key_, entry_.get());
}

} // namespace verge::cache
