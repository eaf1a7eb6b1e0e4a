// The face of the cache: RAM before disk, epochs before either is believed.
#include "cache/cache.h"

#include <algorithm>
#include <mutex>

#include "cache/core.h"
#include "cache/fill.h"
#include "cache/forget.h"
#include "cache/hot.h"
#include "cache/policy/freshness.h"
#include "cache/promote.h"
#include "proxy/base/pool.h"

namespace verge::cache {
namespace {

class TieredCache final : public Cache {
 public:
  TieredCache(const CacheOptions& options, const Clock& clock, std::unique_ptr<Epochs> epochs,
              std::unique_ptr<Disk> disk)
      : core_(options, clock, std::move(epochs), std::move(disk)),
        promoter_(core_.ram, core_.disk.get(), core_.largest_in_ram) {}

  Lookup lookup(std::string_view key, const http::Headers& request, Executor& on, LookupDone done,
                RamFront* front) override {
    if (core_.search.empty()) return find(key, request, on, std::move(done), front);
    auto filed = core_.search.find(key);
    if (!filed) return find(key, request, on, std::move(done), front);
    return find_filed(key, std::move(*filed), request, on, std::move(done));
  }

  Lookup held(std::string_view key, const http::Headers& request, RamFront& front) override {
    if (!core_.search.empty()) return {};
    if (front.knows_absent(core_.ram.seek(key))) return {.absent = true};
    return held_as(core_.ram.find(key, request, front));
  }

  std::optional<RamKept> keep(std::string_view key, const EntryRef& entry, RamFront& front) override {
    return core_.search.empty() ? core_.ram.keep(key, entry, front) : std::nullopt;
  }

  bool holds(const RamKept& kept) const override { return core_.search.empty() && core_.ram.still(kept); }

  bool still(const RamKept& kept) override {
    Entry& entry = *kept.entry;
    if (!holds(kept) || entry.live_at() < core_.epochs->current()) return false;
    used(entry);
    entry.use();
    return true;
  }

  EntryRef arrived(std::string_view key, const http::Headers& request, RamFront& front) override {
    if (core_.search.empty()) {
      if (front.knows_absent(core_.ram.seek(key))) return nullptr;
    } else {
      if (const auto filed = core_.search.find(key)) {
        Lookup found = held_in_ram(filed->key, request);
        as_asked(found, key, filed->since);
        if (found.entry && found.verdict == Verdict::live) return found.entry;
      }
    }
    EntryRef entry = core_.ram.find(key, request);
    return entry && core_.verdict(*entry) == Verdict::live ? entry : nullptr;
  }

  EntryRef flying(std::string_view key) override {
    const auto filed = core_.search.empty() ? std::nullopt : core_.search.find(key);
    const std::string_view flight = filed ? std::string_view(filed->key) : key;
    return core_.flights->find(flight, [&](const Entry& entry) { return joinable_as(flight, key, entry); });
  }

  std::optional<MonoTime> known_uncacheable(std::string_view key) const override {
    return core_.flights->knows_uncacheable(key);
  }

  std::vector<EntryRef> variants(std::string_view key, size_t most) override {
    const auto filed = core_.search.empty() ? std::nullopt : core_.search.find(key);
    std::vector<EntryRef> all = core_.ram.variants(filed ? std::string_view(filed->key) : key);
    std::erase_if(all, [&](const EntryRef& entry) { return core_.verdict(*entry) != Verdict::live; });
    std::ranges::sort(
        all, [](const EntryRef& a, const EntryRef& b) { return a->head()->response_time > b->head()->response_time; });
    if (all.size() > most) all.resize(most);
    return all;
  }

  Join join(std::string_view key, Executor& loop, Task resume, Task abandoned,
            std::optional<MonoTime> uncacheable) override {
    if (core_.search.empty()) {
      if (!uncacheable || core_.clock.mono() >= *uncacheable)
        return join_flight(key, key, loop, std::move(resume), std::move(abandoned));
      return {std::make_unique<CacheFill>(core_, new_entry(), key, false, loop, std::move(resume), std::move(abandoned),
                                          *uncacheable),
              nullptr};
    }
    const auto filed = core_.search.find(key);
    return join_flight(filed ? std::string_view(filed->key) : key, key, loop, std::move(resume), std::move(abandoned));
  }

  std::unique_ptr<Fill> solo(Executor& loop, Task resume, Task abandoned) override {
    return std::make_unique<CacheFill>(core_, new_entry(), std::string_view(), false, loop, std::move(resume),
                                       std::move(abandoned));
  }

  EntryRef refresh(const EntryRef& entry, HeadRef head) override {
    if (entry->state() != EntryState::complete) return entry;
    EntryRef fresh = with_head(entry, head);
    head = fresh->head();
    fresh->count_hit(entry->hits());
    if (core_.verdict(*head) == Verdict::dead) return fresh; // for the one who asked
    core_.learn_search(*head);
    if (head->key != entry->head()->key) core_.ram.erase(*entry);
    core_.ram.put(fresh); // refused if it is not wholly here
    if (core_.disk != nullptr) core_.disk->update_head(entry, std::move(head));
    return fresh;
  }

  EntryRef with_head(const EntryRef& entry, HeadRef head) override {
    return same_body(entry, std::move(head), entry->body_id());
  }

  EntryRef adopt(const EntryRef& entry, HeadRef head) override {
    if (entry->state() != EntryState::complete || !entry->in_ram()) return with_head(entry, std::move(head));
    EntryRef fresh = same_body(entry, std::move(head), 0); // a body of its own on disk: each is evicted for itself
    if (core_.verdict(*fresh->head()) == Verdict::dead) return fresh;
    core_.ram.put(fresh);
    if (core_.disk == nullptr || !core_.disk->store(fresh)) fresh->not_on_disk();
    return fresh;
  }

  void erase(const EntryRef& entry) override {
    const HeadRef head = entry->head();
    if (head == nullptr) return;
    core_.ram.erase(head->key, head->vary_values);
    if (core_.disk != nullptr) core_.disk->erase(head->key, head->vary_values);
  }

  void invalidate(Invalidation command, Executor& on, std::move_only_function<void(Result<uint64_t>)> done,
                  NoteOf note) override {
    command = settled(std::move(command));
    std::vector<EpochRow> rows;
    const uint64_t seq = core_.epochs->apply(command, rows);
    for (const Target& target : command.targets) {
      if (target.kind == Target::Kind::tag) note_tag(seq);
    }
    auto text = note ? std::optional(note(seq)) : std::nullopt;
    if (core_.disk == nullptr) {
      on.post([done = std::move(done), seq]() mutable { done(seq); });
      return;
    }
    core_.disk->persist_epochs(
        std::move(rows), seq, on,
        [done = std::move(done), seq](Result<> written) mutable {
          if (!written) return done(std::unexpected(std::move(written.error())));
          done(seq);
        },
        std::move(text));
  }

  Invalidation settled(Invalidation command) override {
    if (const auto settle = this->settle()) (*settle)(command);
    core_.search.cover(command.targets);
    return command;
  }

  void settle_with(Settle settle) override {
    auto fresh = std::make_shared<const Settle>(std::move(settle));
    const std::lock_guard lock(settle_mutex_);
    settle_.swap(fresh);
  }

  void forget(Executor& on, std::move_only_function<void(size_t)> done) override {
    forget_old(core_, on, std::move(done));
  }

  void hot(Invalidation command, size_t most, Executor& on,
           std::move_only_function<void(std::vector<Hot>)> done) override {
    find_hot(core_, settled(std::move(command)), most, on, std::move(done));
  }

  void list(uint64_t after, size_t most, Wanted wanted, Executor& on,
            std::move_only_function<void(Listing)> done) override {
    auto finish = [this, most, wanted](Listing page) {
      for (Listed& row : page.entries) {
        for (const EntryRef& entry : core_.ram.variants(row.head->key)) {
          if (entry->body_id() == row.body_id) add_memory(row, *entry);
        }
        add_verdict(row);
      }
      if (page.next != 0) return page;
      core_.ram.each([&](const EntryRef& entry) {
        if (entry->body_id() != 0 || page.entries.size() >= most || !wanted(*entry->head())) return;
        page.entries.push_back(listed(*entry));
      });
      return page;
    };
    if (core_.disk == nullptr) {
      on.post([done = std::move(done), page = finish({})]() mutable { done(std::move(page)); });
      return;
    }
    core_.disk->list(
        after, most, std::move(wanted), on,
        [finish = std::move(finish), done = std::move(done)](Listing page) mutable { done(finish(std::move(page))); });
  }

  void inspect(std::string_view key, Executor& on, std::move_only_function<void(std::vector<Listed>)> done) override {
    auto finish = [this, key = std::string(key), done = std::move(done)](Listing on_disk) mutable {
      std::vector<Listed> rows;
      for (const EntryRef& entry : core_.ram.variants(key)) rows.push_back(listed(*entry));
      for (Listed& row : on_disk.entries) {
        if (std::ranges::any_of(rows, [&](const Listed& r) { return r.body_id == row.body_id; })) continue;
        add_verdict(row);
        rows.push_back(std::move(row));
      }
      done(std::move(rows));
    };
    if (core_.disk == nullptr) return on.post([finish = std::move(finish)]() mutable { finish({}); });
    core_.disk->list_key(std::string(key), on, std::move(finish));
  }

  void guard(WallTime proved) override { core_.epochs->guard(proved); }
  void tell(Reception reception, WallTime proved) override { core_.epochs->tell(reception, proved); }

  const Epochs& epochs() const noexcept override { return *core_.epochs; }
  Disk* disk() noexcept override { return core_.disk.get(); }
  Stats stats() const override {
    const RamTier::Use ram = core_.ram.use();
    Stats out;
    out.ram_entries = ram.entries;
    out.ram_heads = ram.heads;
    out.ram_bodies = ram.bodies;
    out.ram_index = ram.index;
    out.ram_bytes = ram.heads + ram.bodies + ram.index;
    out.flights = core_.flights->size();
    if (core_.disk != nullptr) out.disk = core_.disk->stats();
    return out;
  }
  void set_quotas(std::unordered_map<uint64_t, uint64_t> by_site) override {
    if (core_.disk != nullptr) core_.disk->set_quotas(std::move(by_site));
  }
  void flush() override {
    if (core_.disk != nullptr) core_.disk->flush();
  }

 private:
  static void add_memory(Listed& row, const Entry& entry) {
    row.in_ram = true;
    row.hits = entry.hits();
  }
  void add_verdict(Listed& row) const {
    row.age = policy::current_age(row.head->freshness, row.head->response_time, core_.clock.wall());
    row.verdict = core_.verdict(*row.head);
    if (row.verdict == Verdict::stale || row.verdict == Verdict::dead)
      row.blame = core_.epochs->blame(row.head->key, row.head->tags, row.head->seq);
  }
  Listed listed(const Entry& entry) const {
    Listed row{.head = entry.head(), .length = entry.length(), .body_id = entry.body_id()};
    add_memory(row, entry);
    add_verdict(row);
    return row;
  }

  Lookup held_in_ram(std::string_view key, const http::Headers& request) {
    return held_as(core_.ram.find(key, request));
  }
  Lookup held_as(EntryRef entry) {
    if (!entry) return {};
    const Verdict verdict = core_.verdict(*entry);
    if (verdict == Verdict::dead) {
      core_.ram.erase(*entry);
      return {};
    }
    used(*entry);
    return {.entry = std::move(entry), .tier = Tier::ram, .verdict = verdict};
  }
  void used(const Entry& entry) {
    if (const uint64_t id = entry.body_id(); id != 0 && core_.disk != nullptr) core_.disk->touch(id);
  }

  // What is stored under this very key.
  Lookup find(std::string_view key, const http::Headers& request, Executor& on, LookupDone done,
              RamFront* front = nullptr) {
    const Sought sought = core_.ram.seek(key); // before anything is looked at
    if (front != nullptr && front->knows_absent(sought)) return {.absent = true};
    bool other_variants = false;
    if (EntryRef entry = core_.ram.find(key, request, other_variants)) {
      if (Lookup held = held_as(std::move(entry)); held.entry) return held;
      other_variants = core_.ram.has_any(key); // that one was dead
    }
    Lookup found = find_on_disk(key, request, on, std::move(done), other_variants);
    if (found.absent && front != nullptr) front->remember_absent(sought);
    return found;
  }

  // `other_variants`: what RAM says.
  Lookup find_on_disk(std::string_view key, const http::Headers& request, Executor& on, LookupDone done,
                      bool other_variants) {
    if (core_.disk == nullptr) return {.other_variants = other_variants, .absent = !other_variants};
    if (auto now = core_.disk->find_now(key, request)) return judge(std::move(*now), other_variants, on);
    Disk::Lookup found = core_.disk->find(
        key, request, on, [this, &on, other_variants, done = std::move(done)](Disk::Lookup later) mutable {
          done(judge(std::move(later), other_variants, on));
        });
    if (found.pending) return {.other_variants = other_variants, .pending = true};
    return judge(std::move(found), other_variants, on);
  }

  // An answer that is filed for several URLs, for one of them: an invalidation of that one counts as well.
  void as_asked(Lookup& found, std::string_view key, uint64_t since) const {
    if (!found.entry) return;
    const uint64_t seq = found.entry->head()->seq;
    found.verdict = std::max(found.verdict, core_.epochs->check(key, {}, seq));
    if (seq < since || found.verdict == Verdict::dead) found.entry = nullptr;
  }

  // First under the key that the path's rule makes; then under its own, for what was stored without that rule.
  Lookup find_filed(std::string_view key, SearchRules::Filed filed, const http::Headers& request, Executor& on,
                    LookupDone done) {
    Lookup found = held_in_ram(filed.key, request);
    as_asked(found, key, filed.since);
    if (found.entry) return found;
    auto then = std::make_shared<LookupDone>(std::move(done));
    const auto finish = [then](Lookup later) { (*then)(std::move(later)); };
    found = find(filed.key, request, on,
                 [this, key = std::string(key), since = filed.since, request, &on, finish](Lookup later) {
                   as_asked(later, key, since);
                   if (later.entry) return finish(std::move(later));
                   later = find(key, request, on, finish);
                   if (!later.pending) finish(std::move(later));
                 });
    if (found.pending) return found;
    as_asked(found, key, filed.since);
    if (found.entry) return found;
    return find(key, request, on, finish);
  }

  bool joinable_as(std::string_view flight, std::string_view key, const Entry& entry) const {
    return joinable(flight, entry) && (flight == key || core_.epochs->check(key, {}, entry.seq()) == Verdict::live);
  }

  // `flight`: what it is filed under; `key`: the URL that is asked for.
  Join join_flight(std::string_view flight, std::string_view key, Executor& loop, Task resume, Task abandoned) {
    auto joined = core_.flights->join(
        flight, [&](const Entry& entry) { return joinable_as(flight, key, entry); }, [&] { return new_entry(); });
    if (joined.role == Flights::Role::follow) return {nullptr, std::move(joined.entry)};
    return {std::make_unique<CacheFill>(core_, std::move(joined.entry), flight, joined.role == Flights::Role::lead,
                                        loop, std::move(resume), std::move(abandoned), joined.uncacheable_until),
            nullptr};
  }

  Lookup judge(Disk::Lookup found, bool other_variants, Executor& on) {
    other_variants = other_variants || found.other_variants;
    if (!found.entry) return {.other_variants = other_variants, .absent = found.absent && !other_variants};
    const Verdict verdict = core_.verdict(*found.entry->head());
    if (verdict == Verdict::dead) return {.other_variants = other_variants};
    return {.entry = promoter_.promote(found.entry, on),
            .tier = Tier::disk,
            .verdict = verdict,
            .other_variants = other_variants};
  }

  EntryRef same_body(const EntryRef& entry, HeadRef head, uint64_t body_id) {
    if (entry->state() != EntryState::complete) return entry;
    if (head->content_length != entry->length() && !head->no_body) {
      auto with_length = std::make_shared<StoredHead>(*head);
      with_length->content_length = entry->length();
      head = std::move(with_length);
    }
    return Entry::complete_from(std::move(head), entry->blocks(), entry->length(), body_id, core_.disk.get());
  }

  EntryRef new_entry() { return pool::make_shared<Entry>(core_.epochs->current(), core_.disk.get()); }

  // May one who asks now be given what this flight brings?
  bool joinable(std::string_view key, const Entry& entry) const {
    const EntryState state = entry.state();
    if (state == EntryState::failed) return false;
    if (state == EntryState::waiting_head) {
      return entry.seq() >= core_.last_tag_seq.load(std::memory_order_acquire) &&
             core_.epochs->check(key, {}, entry.seq()) == Verdict::live;
    }
    if (entry.keep() == Entry::Keep::until_read) return false;
    const HeadRef head = entry.head();
    if (core_.verdict(*head) != Verdict::live || head->freshness.always_validate) return false;
    return policy::current_age(head->freshness, head->response_time, core_.clock.wall()) < head->freshness.lifetime;
  }

  std::shared_ptr<const Settle> settle() {
    const std::lock_guard lock(settle_mutex_);
    return settle_;
  }

  void note_tag(uint64_t seq) {
    uint64_t last = core_.last_tag_seq.load(std::memory_order_relaxed);
    while (last < seq && !core_.last_tag_seq.compare_exchange_weak(last, seq, std::memory_order_release)) {
    }
  }

  Core core_;
  Promoter promoter_;
  std::mutex settle_mutex_;
  std::shared_ptr<const Settle> settle_; // null: targets are taken as they are
};

} // namespace

std::unique_ptr<Cache> make_cache(const CacheOptions& options, const Clock& clock, std::unique_ptr<Epochs> epochs,
                                  std::unique_ptr<Disk> disk) {
  return std::make_unique<TieredCache>(options, clock, std::move(epochs), std::move(disk));
}

} // namespace verge::cache
