#include "cache/promote.h"

namespace verge::cache {

struct Promoter::Shared {
  RamTier* ram;
  BodyStore* store;
  uint64_t largest;
  std::mutex mutex;
  std::unordered_set<uint64_t> running; // body ids that somebody is reading in
};

// One body on its way: its Blocks, filled from the front.
struct Promoter::Job : std::enable_shared_from_this<Job> {
  Job(std::shared_ptr<Shared> s, const EntryRef& e, Executor& executor)
      : shared(std::move(s)),
        head(e->head()),
        length(e->length()),
        body_id(e->body_id()),
        blocks(e->blocks()),
        on(executor) {
    blocks.resize((length + kBlockBytes - 1) / kBlockBytes);
  }
  ~Job() {
    std::lock_guard lock(shared->mutex);
    shared->running.erase(body_id);
  }

  // Reads what is missing. Returns the Entry when all is here; null if it waits, or if a chunk can't be read: then the
  // job ends with its last reference, and who reads the body will hear of it.
  EntryRef step() {
    for (; next < blocks.size(); ++next) {
      if (blocks[next]) continue;
      const uint64_t size = std::min<uint64_t>(kBlockBytes, length - uint64_t{next} * kBlockBytes);
      auto block = shared->store->read_chunk(body_id, next, on, [self = shared_from_this(), size](auto read) {
        if (self->take(std::move(read), size)) self->step();
      });
      if (block && !*block) return nullptr;
      if (!take(std::move(block), size)) return nullptr;
      --next; // take() moved on
    }
    EntryRef entry = Entry::complete_from(head, std::move(blocks), length, body_id, shared->store);
    shared->ram->put_if_absent(entry);
    return entry;
  }
  bool take(Result<BlockRef> read, uint64_t size) {
    if (!read || (*read)->capacity() != size) return false;
    blocks[next++] = std::move(*read);
    return true;
  }

  std::shared_ptr<Shared> shared;
  HeadRef head;
  uint64_t length;
  uint64_t body_id;
  std::vector<BlockRef> blocks;
  Executor& on;
  uint32_t next = 0;
};

Promoter::Promoter(RamTier& ram, BodyStore* store, uint64_t largest)
    : shared_(std::make_shared<Shared>(&ram, store, largest)) {}

EntryRef Promoter::promote(const EntryRef& entry, Executor& on) {
  if (entry->length() > shared_->largest || !shared_->ram->admits(*entry)) return entry;
  if (entry->in_ram()) {
    shared_->ram->put_if_absent(entry);
    return entry;
  }
  {
    std::lock_guard lock(shared_->mutex);
    if (!shared_->running.insert(entry->body_id()).second) return entry;
  }
  EntryRef whole = std::make_shared<Job>(shared_, entry, on)->step();
  return whole ? whole : entry;
}

} // namespace verge::cache
