#include "cache/entry/entry_impl.h"

namespace verge::cache {

// Readers of one loop are woken by one task: a hop between threads costs more than the wakes themselves.
Wakes::~Wakes() {
  for (auto& [on, task] : tasks_) on->post(std::move(task));
  if (readers_.size() == 1) {
    Executor& loop = readers_.front()->loop;
    loop.post([reader = std::move(readers_.front())] { run_wake(*reader); });
    return;
  }
  std::sort(readers_.begin(), readers_.end(),
            [](const auto& a, const auto& b) { return std::less<>{}(&a->loop, &b->loop); });
  for (auto first = readers_.begin(); first != readers_.end();) {
    Executor& loop = (*first)->loop;
    const auto last = std::find_if(first, readers_.end(), [&](const auto& r) { return &r->loop != &loop; });
    loop.post([batch = std::vector(std::make_move_iterator(first), std::make_move_iterator(last))] {
      for (const auto& reader : batch) run_wake(*reader);
    });
    first = last;
  }
}

void Entry::Impl::swap_slots(size_t a, size_t b) {
  std::swap(readers[a], readers[b]);
  readers[a]->slot = a;
  readers[b]->slot = b;
}

void Entry::Impl::attach(std::shared_ptr<ReaderState> reader) {
  reader->slot = readers.size();
  readers.push_back(std::move(reader));
}

void Entry::Impl::detach(ReaderState& reader, bool complete, Wakes& wakes) {
  if (reader.slot == ReaderState::kDetached) return;
  if (reader.slot < waiting) swap_slots(reader.slot, --waiting);
  swap_slots(reader.slot, readers.size() - 1);
  reader.slot = ReaderState::kDetached;
  readers.pop_back();
  if (readers.empty() && !complete) abandoned.fire(wakes);
  if (keep != Keep::until_read) return;
  drop_read();
  check_backlog(wakes);
}

void Entry::Impl::wait(ReaderState& reader) {
  if (reader.slot >= waiting) swap_slots(reader.slot, waiting++);
}

void Entry::Impl::moved(ReaderState& reader, uint64_t to, Wakes& wakes) {
  if (to == reader.at) return;
  reader.at = to;
  if (keep != Keep::until_read) return;
  drop_read();
  check_backlog(wakes);
}

void Entry::Impl::wake_readers(Wakes& wakes) {
  for (size_t i = 0; i < waiting; ++i) wakes.add(readers[i]);
  waiting = 0;
}

void Entry::Impl::drop_below(uint64_t chunks) {
  for (const uint64_t end = std::min<uint64_t>(chunks, blocks.size()); dropped < end; ++dropped) blocks[dropped] = {};
}

void Entry::Impl::drop_read() {
  if (frozen.load(std::memory_order_relaxed) || readers.empty()) return; // the first Reader may be yet to come
  drop_below(std::min(slowest(), length.load(std::memory_order_relaxed)) / kBlockBytes);
}

uint64_t Entry::Impl::slowest() const {
  if (readers.empty()) return uint64_t{dropped} * kBlockBytes;
  uint64_t least = UINT64_MAX;
  for (const auto& reader : readers) least = std::min(least, reader->at);
  return least;
}

uint64_t Entry::Impl::backlog() const {
  if (keep == Keep::all) return 0;
  const uint64_t end = length.load(std::memory_order_relaxed);
  const uint64_t done = keep == Keep::until_on_disk ? uint64_t{disk_chunks} * kBlockBytes : slowest();
  return end - std::min(end, done);
}

void Entry::Impl::check_backlog(Wakes& wakes) {
  if (resume.on != nullptr && backlog() < resume_below) resume.fire(wakes);
}

void Entry::Impl::check_settled(bool complete, Wakes& wakes) {
  if (settled.on != nullptr && (refused || (complete && all_on_disk()))) settled.fire(wakes);
}

void Entry::Impl::pin(uint64_t body_id) {
  uint64_t none = 0;
  if (store != nullptr && body_id != 0 && pinned.compare_exchange_strong(none, body_id)) store->pin(body_id);
}

} // namespace verge::cache
