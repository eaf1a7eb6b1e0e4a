// A Reader's walk: without a lock through a body in RAM, with the Entry's mutex behind one that grows, by the BodyStore
// through what is on disk only.
#include <fmt/core.h>

#include <cassert>

#include "cache/entry/entry.h"
#include "cache/entry/entry_impl.h"
#include "proxy/base/log.h"

namespace verge::cache {
namespace {

void log_unread(uint64_t body_id, uint32_t chunk, const Error& error) {
  log::warn("cache", "response cut: body {} chunk {}: {}", body_id, chunk, error.what);
}

} // namespace

Reader::Reader(EntryRef entry, Executor& loop, Task wake, uint64_t first, uint64_t last)
    : entry_(std::move(entry)),
      loop_(loop),
      wake_(std::move(wake)),
      position_(first),
      last_(std::min(last, UINT64_MAX - 1)) { // so that last + 1 exists
  Entry::Impl& m = *entry_->impl_;
  if (m.frozen.load(std::memory_order_acquire)) {
    if (!m.all_here) m.pin(entry_->body_id());
    return;
  }
  state();
  std::lock_guard lock(m.mutex);
  m.attach(state_);
}

Reader::~Reader() {
  if (!state_) return;
  state_->alive = false;
  state_->wake = nullptr;
  Wakes wakes;
  std::lock_guard lock(entry_->impl_->mutex);
  entry_->impl_->detach(*state_, entry_->state() == EntryState::complete, wakes);
}

ReaderState& Reader::state() {
  if (!state_) state_ = pool::make_shared<ReaderState>(loop_, std::move(wake_), position_);
  return *state_;
}

Reader::Next Reader::next(Slice& out, size_t max) {
  assert(max > 0);
  const Entry::Impl& m = *entry_->impl_;
  if (!m.frozen.load(std::memory_order_acquire)) return next_growing(out, max);
  const uint64_t length = m.length.load(std::memory_order_relaxed);
  if (position_ > last_ || position_ >= length) return Next::end;
  const size_t n = position_ / kBlockBytes;
  if (m.has_block(n)) return give(m.blocks[n], length, out, max);
  return from_disk(static_cast<uint32_t>(n), length, out, max);
}

Reader::Next Reader::next_growing(Slice& out, size_t max) {
  Entry::Impl& m = *entry_->impl_;
  Wakes wakes;
  std::unique_lock lock(m.mutex);
  if (state_->failure) return Next::failed;
  const EntryState now = entry_->state();
  if (now == EntryState::failed) return Next::failed;
  m.moved(*state_, position_, wakes);
  const uint64_t length = m.length.load(std::memory_order_relaxed);
  if (position_ > last_ || (position_ >= length && now == EntryState::complete)) {
    m.detach(*state_, now == EntryState::complete, wakes); // it needs no Block any more
    return Next::end;
  }
  if (position_ >= length) {
    m.wait(*state_);
    return Next::wait;
  }
  const size_t n = position_ / kBlockBytes;
  if (m.has_block(n)) {
    const Next result = give(m.blocks[n], length, out, max);
    m.moved(*state_, position_, wakes);
    return result;
  }
  const bool on_disk = n < m.disk_chunks;
  lock.unlock();
  if (on_disk) return from_disk(static_cast<uint32_t>(n), length, out, max);
  return failed({Errc::closed, Side::self, Retry::safe, "the beginning of this body is not held any more"});
}

Reader::Next Reader::give(const BlockRef& block, uint64_t length, Slice& out, size_t max) {
  const size_t offset = position_ % kBlockBytes;
  const uint64_t left = std::min({length, last_ + 1, position_ - offset + kBlockBytes}) - position_;
  const auto size = static_cast<uint32_t>(std::min<uint64_t>(left, max));
  out = Slice{block, static_cast<uint32_t>(offset), size};
  position_ += size;
  return Next::slice;
}

Reader::Next Reader::from_disk(uint32_t chunk, uint64_t length, Slice& out, size_t max) {
  ReaderState& s = state();
  if (s.failure) return Next::failed;
  if (s.loading) return Next::wait;
  const uint64_t body_id = entry_->body_id();
  if (!s.chunk || s.chunk_number != chunk) {
    BodyStore* store = entry_->impl_->store;
    if (store == nullptr) return failed({Errc::not_found, Side::self, Retry::never, "no disk tier"});
    s.chunk_number = chunk;
    s.loading = true;
    Result<BlockRef> block =
        store->read_chunk(body_id, chunk, loop_, [self = state_, body_id, chunk](Result<BlockRef> read) {
          self->loading = false;
          if (!self->alive) return;
          if (read) {
            self->chunk = std::move(*read);
          } else {
            log_unread(body_id, chunk, read.error());
            self->failure = std::move(read.error());
          }
          run_wake(*self);
        });
    if (block && !*block) return Next::wait;
    s.loading = false;
    if (!block) return failed(std::move(block.error()));
    s.chunk = std::move(*block);
  }
  const uint64_t size = std::min<uint64_t>(kBlockBytes, length - uint64_t{chunk} * kBlockBytes);
  if (s.chunk->capacity() < size) {
    return failed({Errc::storage, Side::self, Retry::never,
                   fmt::format("{} octets where {} were stored", s.chunk->capacity(), size)});
  }
  const Next result = give(s.chunk, length, out, max);
  if (position_ / kBlockBytes != chunk || position_ >= length) s.chunk = {};
  return result;
}

Reader::Next Reader::failed(Error error) {
  if (error.code != Errc::closed) {
    log_unread(entry_->body_id(), static_cast<uint32_t>(position_ / kBlockBytes), error);
  }
  state().failure = std::move(error);
  return Next::failed;
}

Error Reader::error() const { return state_ && state_->failure ? *state_->failure : entry_->error(); }

} // namespace verge::cache
