// The producer's side of an Entry, and its states.
#include "cache/entry/entry.h"

#include <fmt/core.h>

#include <cassert>

#include "cache/entry/entry_impl.h"
#include "proxy/base/pool.h"
#include "proxy/http/message.h"

namespace verge::cache {
namespace {

constexpr size_t kFirstBytes = 4'096; // of a body whose length nobody told

bool has_no_body(const StoredHead& head) { return head.no_body || http::status_without_body(head.status); }

Error broken(std::string what) { return {Errc::bad_input, Side::origin, Retry::never, std::move(what)}; }

size_t head_bytes(const StoredHead& head) {
  size_t n = sizeof(StoredHead) + head.key.size() + head.url.size() + head.vary_values.size() + head.h1_text.size() +
             head.headers.bytes() + head.headers.size() * 16 + head.control.bytes() + head.control.size() * 16;
  for (const auto& field : head.vary_fields) n += sizeof(field) + field.size();
  for (const auto& tag : head.tags) n += sizeof(tag) + tag.size();
  return n;
}

} // namespace

Entry::Entry(uint64_t seq, BodyStore* body_store) : seq_(seq), impl_(std::make_unique<Impl>(body_store)) {}

Entry::~Entry() {
  if (const uint64_t id = impl_->pinned.load(); id != 0) impl_->store->unpin(id);
}

std::shared_ptr<Entry> Entry::complete_from(HeadRef head, std::vector<BlockRef> blocks, uint64_t length,
                                            uint64_t body_id, BodyStore* body_store) {
  auto entry = pool::make_shared<Entry>(head->seq, body_store);
  Impl& m = *entry->impl_;
  m.head = std::move(head);
  const uint64_t count = (length + kBlockBytes - 1) / kBlockBytes;
  assert(blocks.size() <= count);
  m.blocks = std::move(blocks); // no place for each Block on disk: a body of 1 GiB would have 16,384 of them
  m.all_here = m.blocks.size() == count && std::ranges::all_of(m.blocks, [](const BlockRef& b) { return bool(b); });
  m.disk_chunks = body_id == 0 ? 0 : static_cast<uint32_t>(count);
  m.length.store(length, std::memory_order_relaxed);
  entry->body_id_.store(body_id, std::memory_order_relaxed);
  m.frozen.store(true, std::memory_order_release);
  entry->state_.store(EntryState::complete, std::memory_order_release);
  return entry;
}

HeadRef Entry::head() const {
  if (state() == EntryState::complete) return impl_->head;
  std::lock_guard lock(impl_->mutex);
  return impl_->head;
}

const StoredHead& Entry::settled_head() const noexcept {
  assert(state() == EntryState::complete);
  return *impl_->head;
}

uint64_t Entry::length() const noexcept { return impl_->length.load(std::memory_order_acquire); }

Error Entry::error() const {
  std::lock_guard lock(impl_->mutex);
  return impl_->error;
}

bool Entry::in_ram() const noexcept { return impl_->frozen.load(std::memory_order_acquire) && impl_->all_here; }

size_t Entry::ram_bytes() const noexcept {
  std::unique_lock lock(impl_->mutex, std::defer_lock);
  if (!impl_->frozen.load(std::memory_order_acquire)) lock.lock();
  size_t n = sizeof(Entry) + sizeof(Impl) + (impl_->head ? head_bytes(*impl_->head) : 0);
  for (const BlockRef& block : impl_->blocks) n += sizeof(block) + (block ? sizeof(Block) + block->capacity() : 0);
  return n;
}

void Entry::open(HeadRef head, Keep keep) {
  if (state() != EntryState::waiting_head) return;
  Impl& m = *impl_;
  m.declared = has_no_body(*head) ? uint64_t{0} : head->content_length;
  Wakes wakes;
  std::lock_guard lock(m.mutex);
  m.head = std::move(head);
  m.keep = keep == Keep::until_on_disk && m.refused ? Keep::until_read : keep;
  state_.store(EntryState::open, std::memory_order_release);
  for (Hook& opener : std::exchange(m.openers, {})) opener.fire(wakes);
  m.wake_readers(wakes);
}

void Entry::append(std::string_view octets) {
  if (state() != EntryState::open || octets.empty()) return;
  Impl& m = *impl_;
  uint64_t length = m.length.load(std::memory_order_relaxed);
  if (m.declared && octets.size() > *m.declared - length) {
    return fail(broken(fmt::format("body runs beyond its declared length of {} octets", *m.declared)));
  }
  // Octets beyond the published length are nobody else's: they are written without the mutex.
  thread_local std::vector<BlockRef> fresh; // empty but for this call
  BlockRef grown;                           // takes the last Block's place: same octets, more room
  while (!octets.empty()) {
    const size_t used = length % kBlockBytes;
    if (used == 0) {
      const size_t room = m.declared   ? static_cast<size_t>(std::min<uint64_t>(*m.declared - length, kBlockBytes))
                          : length > 0 ? kBlockBytes
                                       : std::clamp(octets.size(), kFirstBytes, kBlockBytes);
      m.tail = BlockRef::make(room);
      fresh.push_back(m.tail);
    } else if (used == m.tail->capacity()) {
      BlockRef larger = BlockRef::make(std::min(kBlockBytes, std::max(2 * used, used + octets.size())));
      std::memcpy(larger->data(), m.tail->data(), used);
      m.tail = std::move(larger);
      (fresh.empty() ? grown : fresh.back()) = m.tail;
    }
    const size_t n = std::min(octets.size(), m.tail->capacity() - used);
    std::memcpy(m.tail->data() + used, octets.data(), n);
    octets.remove_prefix(n);
    length += n;
  }
  if (length % kBlockBytes == 0) m.tail = {};

  Wakes wakes;
  std::lock_guard lock(m.mutex);
  if (grown) m.blocks.back() = std::move(grown);
  std::move(fresh.begin(), fresh.end(), std::back_inserter(m.blocks));
  fresh.clear();
  m.length.store(length, std::memory_order_release);
  m.wake_readers(wakes);
}

void Entry::complete() {
  if (state() != EntryState::open) return;
  Impl& m = *impl_;
  const uint64_t length = m.length.load(std::memory_order_relaxed);
  if (m.declared && length != *m.declared) {
    return fail(broken(fmt::format("body ended after {} of {} declared octets", length, *m.declared)));
  }
  const size_t used = length % kBlockBytes;
  BlockRef exact;
  if (m.tail && m.tail->capacity() != used) exact = BlockRef::copy_of({m.tail->data(), used});
  m.tail = {};
  HeadRef with_length;                // null: it has one
  const StoredHead& opened = *m.head; // nobody but us writes it
  if (!opened.content_length && !has_no_body(opened)) {
    auto changed = std::make_shared<StoredHead>(opened);
    changed->content_length = length;
    with_length = std::move(changed);
  }

  Hook resume, abandoned; // not needed any more; destroyed without the lock
  Wakes wakes;
  std::lock_guard lock(m.mutex);
  if (exact) m.blocks.back() = std::move(exact);
  if (with_length) m.head.swap(with_length);
  resume = std::move(m.resume);
  abandoned = std::move(m.abandoned);
  m.resume.on = m.abandoned.on = nullptr;
  // What was to be kept until it is read, and nobody has begun to read, is no more than a window.
  if (m.dropped == 0 && (m.keep == Keep::all || (m.keep == Keep::until_read && m.readers.empty()))) {
    m.all_here = true;
    m.frozen.store(true, std::memory_order_release);
  }
  state_.store(EntryState::complete, std::memory_order_release);
  m.check_settled(true, wakes);
  m.wake_readers(wakes);
}

void Entry::fail(Error error) {
  Impl& m = *impl_;
  std::vector<BlockRef> blocks; // freed without the lock
  Hook resume, abandoned;
  Wakes wakes;
  std::lock_guard lock(m.mutex);
  if (const EntryState now = state(); now == EntryState::complete || now == EntryState::failed) return;
  m.error = std::move(error);
  blocks = std::exchange(m.blocks, {});
  resume = std::move(m.resume);
  abandoned = std::move(m.abandoned);
  m.resume.on = m.abandoned.on = nullptr;
  state_.store(EntryState::failed, std::memory_order_release);
  m.settled.fire(wakes);
  for (Hook& opener : std::exchange(m.openers, {})) opener.fire(wakes);
  m.wake_readers(wakes);
}

void Entry::keep_less(Keep keep) {
  Impl& m = *impl_;
  if (keep == Keep::until_on_disk) m.pin(body_id());
  Wakes wakes;
  std::lock_guard lock(m.mutex);
  if (m.keep != Keep::all || keep == Keep::all || state() != EntryState::open) return;
  m.keep = m.refused ? Keep::until_read : keep;
  if (m.keep == Keep::until_on_disk) { // unless on_disk() came between the pin and here: then its next call drops
    if (m.pinned.load() != 0) m.drop_below(m.disk_chunks);
    return;
  }
  m.drop_read();
  if (m.readers.empty()) m.abandoned.fire(wakes);
}

Entry::Keep Entry::keep() const {
  std::lock_guard lock(impl_->mutex);
  return impl_->keep;
}

void Entry::on_disk(uint64_t body_id, uint32_t chunks) {
  Impl& m = *impl_;
  body_id_.store(body_id, std::memory_order_release);
  if (keep() == Keep::until_on_disk) m.pin(body_id); // before the first Block goes
  Wakes wakes;
  std::lock_guard lock(m.mutex);
  m.disk_chunks = std::max(m.disk_chunks, chunks);
  const bool complete = state() == EntryState::complete;
  if (m.keep == Keep::until_on_disk && m.pinned.load() != 0) {
    m.drop_below(m.disk_chunks);
    if (complete && m.dropped == m.blocks.size()) m.frozen.store(true, std::memory_order_release);
    m.check_backlog(wakes);
  }
  m.check_settled(complete, wakes);
}

void Entry::not_on_disk() {
  Impl& m = *impl_;
  Wakes wakes;
  std::lock_guard lock(m.mutex);
  m.refused = true;
  if (m.keep == Keep::until_on_disk) {
    m.keep = Keep::until_read;
    m.drop_read();
    m.check_backlog(wakes);
    if (m.readers.empty() && state() == EntryState::open) m.abandoned.fire(wakes);
  }
  m.check_settled(state() == EntryState::complete, wakes);
}

std::vector<BlockRef> Entry::full_blocks(uint32_t from) const {
  const Impl& m = *impl_;
  std::vector<BlockRef> out;
  std::lock_guard lock(m.mutex);
  const size_t end = state() == EntryState::complete
                         ? m.blocks.size()
                         : std::min<size_t>(m.blocks.size(), m.length.load(std::memory_order_relaxed) / kBlockBytes);
  for (size_t n = from; n < end && m.blocks[n]; ++n) out.push_back(m.blocks[n]);
  return out;
}

std::vector<BlockRef> Entry::blocks() const {
  std::lock_guard lock(impl_->mutex);
  return impl_->blocks;
}

uint64_t Entry::backlog() const {
  std::lock_guard lock(impl_->mutex);
  return state() == EntryState::open ? impl_->backlog() : 0;
}

void Entry::when_backlog_below(uint64_t below, Executor& on, Task resume) {
  Impl& m = *impl_;
  Hook old;
  Wakes wakes;
  std::lock_guard lock(m.mutex);
  if (state() != EntryState::open) return;
  old = std::exchange(m.resume, Hook{&on, std::move(resume)});
  m.resume_below = below;
  m.check_backlog(wakes);
}

size_t Entry::readers() const {
  std::lock_guard lock(impl_->mutex);
  return impl_->readers.size();
}

void Entry::when_abandoned(Executor& on, Task abandoned) {
  Hook old;
  std::lock_guard lock(impl_->mutex);
  if (const EntryState now = state(); now == EntryState::complete || now == EntryState::failed) return;
  old = std::exchange(impl_->abandoned, Hook{&on, std::move(abandoned)});
}

void Entry::when_settled(Executor& on, Task settled) {
  Impl& m = *impl_;
  Hook old;
  Wakes wakes;
  std::lock_guard lock(m.mutex);
  old = std::exchange(m.settled, Hook{&on, std::move(settled)});
  if (state() == EntryState::failed) return m.settled.fire(wakes);
  m.check_settled(state() == EntryState::complete, wakes);
}

void Entry::when_opened(Executor& on, Task opened) {
  Wakes wakes;
  std::lock_guard lock(impl_->mutex);
  if (state() != EntryState::waiting_head) return wakes.add(on, std::move(opened));
  impl_->openers.push_back(Hook{&on, std::move(opened)});
}

} // namespace verge::cache
