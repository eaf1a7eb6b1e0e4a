// A disk tier in memory whose writer works only when the test says so.
#pragma once

#include <vector>

#include "cache/lmdb/disk.h"
#include "cache/policy/select.h"
#include "tests/cache/support.h"

namespace verge::cache::testing {

class FakeDisk final : public Disk {
 public:
  Lookup find(std::string_view key, const http::Headers& request, Executor& on, LookupDone done) override {
    ++finds;
    Lookup found = look(key, request);
    if (!cold) return found;
    on.post([found = std::move(found), done = std::move(done)]() mutable { done(std::move(found)); });
    return {.pending = true};
  }
  void list(uint64_t, size_t, Wanted wanted, Executor& on, std::move_only_function<void(Listing)> done) override {
    Listing page;
    for (const Record& r : records_) {
      if (wanted(*r.head)) page.entries.push_back({.head = r.head, .length = r.length, .body_id = r.id});
    }
    on.post([page = std::move(page), done = std::move(done)]() mutable { done(std::move(page)); });
  }
  void list_key(std::string key, Executor& on, std::move_only_function<void(Listing)> done) override {
    list(0, SIZE_MAX, [key = std::move(key)](const StoredHead& head) { return head.key == key; }, on, std::move(done));
  }
  bool store(const EntryRef& entry) override {
    if (refuse) return false;
    writing_.push_back({entry, ++last_id_, 0});
    return true;
  }
  void poke(const EntryRef&) override { ++pokes; }
  void count_in(std::shared_ptr<Changes> changes) override { changes_ = std::move(changes); }
  void update_head(const EntryRef& entry, HeadRef head) override {
    for (Record& r : records_) {
      if (r.id == entry->body_id()) r.head = head;
    }
    changes_->note(changes_->hash(head->key));
  }
  void erase(std::string_view key, std::string_view vary_values) override {
    std::erase_if(records_, [&](const Record& r) { return r.head->key == key && r.head->vary_values == vary_values; });
  }
  void touch(uint64_t) override { ++touches; }
  void persist_epochs(std::vector<EpochRow> rows, uint64_t, Executor& on, std::move_only_function<void(Result<>)> done,
                      std::optional<Note>) override {
    persisted += rows.size();
    on.post([done = std::move(done), broken = broken]() mutable {
      done(broken ? Result<>(fail(Errc::storage, "disk broken")) : Result<>());
    });
  }
  void forget_epochs(std::vector<Target> targets, uint64_t oldest, Executor& on,
                     std::move_only_function<void(Result<>)> done) override {
    forgotten += targets.size();
    oldest_kept = oldest;
    on.post([done = std::move(done)]() mutable { done({}); });
  }
  void put_note(std::string, std::string, Executor& on, std::move_only_function<void(Result<>)> done) override {
    on.post([done = std::move(done)]() mutable { done({}); });
  }
  std::vector<std::pair<std::string, std::string>> notes(std::string_view) const override { return {}; }
  void erase_notes(std::vector<std::string>) override {}
  DiskStats stats() const override { return {}; }
  void flush() override { write(); }

  Result<BlockRef> read_chunk(uint64_t body_id, uint32_t n, Executor& on, Done done) override {
    return bodies.read_chunk(body_id, n, on, std::move(done));
  }
  void pin(uint64_t body_id) override { bodies.pin(body_id); }
  void unpin(uint64_t body_id) override { bodies.unpin(body_id); }

  // The writer's turn: commits all that can be.
  void write() {
    for (Job& job : writing_) {
      const EntryState state = job.entry->state();
      const uint64_t length = job.entry->length();
      for (const BlockRef& block : job.entry->full_blocks(job.chunks)) {
        const uint64_t size = std::min<uint64_t>(kBlockBytes, length - uint64_t{job.chunks} * kBlockBytes);
        bodies.put(job.id, job.chunks++, std::string(block->data(), size));
      }
      if (state == EntryState::complete) {
        erase(job.entry->head()->key, job.entry->head()->vary_values);
        records_.push_back({job.entry->head(), job.id, length});
        changes_->note(changes_->hash(job.entry->head()->key));
      }
      if (state != EntryState::failed) job.entry->on_disk(job.id, job.chunks);
      job.done = state != EntryState::open;
    }
    std::erase_if(writing_, [](const Job& job) { return job.done; });
  }
  void give_up() {
    for (Job& job : writing_) job.entry->not_on_disk();
    writing_.clear();
  }
  // As if it had been stored before.
  void add(HeadRef head, std::string_view body) {
    bodies.put_body(++last_id_, body);
    records_.push_back({std::move(head), last_id_, body.size()});
  }
  size_t records() const { return records_.size(); }

  FakeBodyStore bodies;
  bool cold = false, refuse = false, broken = false;
  int finds = 0, pokes = 0, touches = 0;
  size_t persisted = 0, forgotten = 0;
  uint64_t oldest_kept = 0;

 private:
  struct Record {
    HeadRef head;
    uint64_t id;
    uint64_t length;
  };
  struct Job {
    EntryRef entry;
    uint64_t id;
    uint32_t chunks;
    bool done = false;
  };
  Lookup look(std::string_view key, const http::Headers& request) {
    Lookup found{.absent = true};
    for (const Record& r : records_) {
      if (r.head->key != key) continue;
      found.absent = false;
      if (!policy::selects(r.head->vary_fields, r.head->vary_values, r.head->headers, request)) {
        found.other_variants = true;
        continue;
      }
      found.entry = Entry::complete_from(r.head, {}, r.length, r.id, this);
    }
    return found;
  }
  std::shared_ptr<Changes> changes_;
  std::vector<Record> records_;
  std::vector<Job> writing_;
  uint64_t last_id_ = 0;
};

} // namespace verge::cache::testing
