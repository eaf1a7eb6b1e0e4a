#include "cache/ram/ram_tier.h"

#include <algorithm>
#include <bit>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "cache/policy/select.h"
#include "cache/ram/ghost.h"
#include "cache/ram/queue.h"

namespace verge::cache {
namespace {

constexpr uint64_t kLeastShardBytes = 8ull << 20;
constexpr uint64_t kMostShards = 16;
constexpr size_t kLeastGhosts = 64;

// `hash`: of the head's key.
uint64_t ghost_hash_of(const Changes& changes, const StoredHead& head, uint64_t hash) {
  return hash ^ (head.vary_values.empty() ? 0 : changes.hash(head.vary_values));
}

// The hash is spread already.
struct AsIs {
  size_t operator()(uint64_t hash) const noexcept { return hash; }
};

bool same_variant(const StoredHead& a, const StoredHead& b) {
  return a.key == b.key && a.vary_fields == b.vary_fields && a.vary_values == b.vary_values;
}

} // namespace

// Evicted nodes are handed out in `gone`, so that their bodies are freed after the mutex is released.
class RamTier::Shard {
 public:
  using Gone = std::vector<std::unique_ptr<RamNode>>;

  void count_in(Changes& changes) noexcept { changes_ = &changes; }

  // `any`: see RamTier::find. `front`: a place to remember it in; null: nowhere.
  EntryRef find(uint64_t hash, std::string_view key, const http::Headers& request, bool& any, RamFront::Slot* front) {
    any = false;
    policy::Asker asker(request);
    std::lock_guard lock(mutex_);
    RamNode* best = nullptr;
    for (RamNode* n = first(hash); n != nullptr; n = n->sibling.get()) {
      if (n->head->key != key) continue;
      any = true;
      if (!asker.selects(n->head->vary_fields, n->head->vary_values, n->head->headers)) continue;
      if (best == nullptr || n->head->response_time > best->head->response_time) best = n;
    }
    if (best == nullptr) return nullptr;
    best->entry->use();
    if (front != nullptr && best->sibling == nullptr && best == first(hash) && best->head->vary_fields.empty()) {
      *front = {hash, changes_->of(hash), best->entry};
    }
    return best->entry;
  }

  void variants(uint64_t hash, std::string_view key, std::vector<EntryRef>& out) {
    std::lock_guard lock(mutex_);
    for (RamNode* n = first(hash); n != nullptr; n = n->sibling.get()) {
      if (n->head->key == key) out.push_back(n->entry);
    }
  }

  void all(std::vector<EntryRef>& out) {
    std::lock_guard lock(mutex_);
    for (const RamQueue* queue : {&small_, &main_}) {
      for (const RamNode* n = queue->oldest; n != nullptr; n = n->newer) out.push_back(n->entry);
    }
  }

  // False: that was the last of it.
  bool walk(Walk& at, std::vector<EntryRef>& out) {
    constexpr size_t kAtOnce = 512;
    std::lock_guard lock(mutex_);
    const size_t buckets = table_.bucket_count();
    if (at.buckets != buckets) at = {at.shard, 0, buckets}; // the table has grown: all lie elsewhere
    for (size_t i = 0; i < kAtOnce && at.bucket < buckets; ++i, ++at.bucket) {
      for (auto it = table_.begin(at.bucket); it != table_.end(at.bucket); ++it) {
        for (const RamNode* n = it->second.get(); n != nullptr; n = n->sibling.get()) out.push_back(n->entry);
      }
    }
    return at.bucket < buckets;
  }

  bool has_any(uint64_t hash, std::string_view key) {
    std::lock_guard lock(mutex_);
    for (RamNode* n = first(hash); n != nullptr; n = n->sibling.get()) {
      if (n->head->key == key) return true;
    }
    return false;
  }

  bool put(std::unique_ptr<RamNode> node, uint64_t capacity, size_t variants, bool replace) {
    Gone gone;
    std::lock_guard lock(mutex_);
    bool trusted = ghost_.take(node->ghost_hash);
    for (RamNode* n = first(node->hash); n != nullptr; n = n->sibling.get()) {
      if (!same_variant(*n->head, *node->head)) continue;
      if (!replace) return false;
      trusted = trusted || n->queue == &main_; // a refreshed Entry keeps its place among the wanted
      node->entry->set_uses(n->entry->uses());
      gone.push_back(take(*n));
      break;
    }
    if (!node->head->vary_fields.empty()) drop_variants(*node, variants, gone);
    (trusted ? main_ : small_).push(*node);
    ++count_;
    bodies_ += node->entry->length();
    changes_->note(node->hash);
    std::unique_ptr<RamNode>& chain = table_[node->hash];
    node->sibling = std::move(chain);
    chain = std::move(node);
    while (small_.bytes + main_.bytes > capacity) evict(capacity, gone);
    return true;
  }

  bool admits(uint64_t ghost_hash, uint64_t cost, uint64_t capacity) {
    std::lock_guard lock(mutex_);
    if (small_.bytes + main_.bytes + cost <= capacity || ghost_.remembers(ghost_hash)) return true;
    ghost_.add(ghost_hash, std::max(count_, kLeastGhosts));
    return false;
  }

  template <class Which>
  void erase(uint64_t hash, const Which& which) {
    Gone gone;
    std::lock_guard lock(mutex_);
    for (RamNode* n = first(hash); n != nullptr;) {
      RamNode* next = n->sibling.get();
      if (which(*n)) gone.push_back(take(*n));
      n = next;
    }
  }

  uint64_t bytes() {
    std::lock_guard lock(mutex_);
    return small_.bytes + main_.bytes;
  }
  uint64_t count() {
    std::lock_guard lock(mutex_);
    return count_;
  }
  void add_use(Use& use) {
    std::lock_guard lock(mutex_);
    use.entries += count_;
    use.bodies += bodies_;
    use.index += count_ * sizeof(RamNode);
    use.heads += small_.bytes + main_.bytes - bodies_ - count_ * sizeof(RamNode);
  }

 private:
  RamNode* first(uint64_t hash) {
    const auto it = table_.find(hash);
    return it == table_.end() ? nullptr : it->second.get();
  }

  std::unique_ptr<RamNode> take(RamNode& node) {
    changes_->note(node.hash);
    node.queue->remove(node);
    --count_;
    bodies_ -= node.entry->length();
    const auto it = table_.find(node.hash);
    std::unique_ptr<RamNode>* link = &it->second;
    while (link->get() != &node) link = &(*link)->sibling;
    std::unique_ptr<RamNode> taken = std::move(*link);
    *link = std::move(taken->sibling);
    if (!it->second) table_.erase(it);
    return taken;
  }

  // Makes place for `node` among the variants of its key: those least asked for go, of these the oldest.
  void drop_variants(const RamNode& node, size_t most, Gone& gone) {
    for (;;) {
      size_t count = 0;
      RamNode* least = nullptr;
      for (RamNode* n = first(node.hash); n != nullptr; n = n->sibling.get()) {
        if (n->head->key != node.head->key) continue;
        ++count;
        if (least == nullptr || n->entry->uses() <= least->entry->uses()) least = n; // the newest come first
      }
      if (count < most || least == nullptr) return;
      gone.push_back(take(*least));
    }
  }

  // One step: the oldest of the queue whose turn it is goes, or moves on because it was asked for.
  void evict(uint64_t capacity, Gone& gone) {
    const bool from_small = small_.oldest != nullptr && (small_.bytes > capacity / 10 || main_.oldest == nullptr);
    RamQueue& queue = from_small ? small_ : main_;
    RamNode& node = *queue.oldest;
    if (const uint8_t uses = node.entry->uses(); uses > 0) {
      node.entry->set_uses(from_small ? uint8_t{0} : static_cast<uint8_t>(uses - 1));
      queue.remove(node);
      main_.push(node);
      return;
    }
    if (from_small) ghost_.add(node.ghost_hash, std::max(count_, kLeastGhosts));
    gone.push_back(take(node));
  }

  Changes* changes_ = nullptr;
  std::mutex mutex_;
  std::unordered_map<uint64_t, std::unique_ptr<RamNode>, AsIs> table_; // key hash -> variants
  RamQueue small_, main_;
  Ghost ghost_;
  size_t count_ = 0;
  uint64_t bodies_ = 0; // octets
};

RamTier::RamTier(uint64_t capacity_bytes, size_t variants, uint64_t seed)
    : shard_count_(std::bit_floor(std::clamp<uint64_t>(capacity_bytes / kLeastShardBytes, 1, kMostShards))),
      shard_bytes_(capacity_bytes / shard_count_),
      variants_(variants),
      changes_(std::make_shared<Changes>(seed)),
      shards_(std::make_unique<Shard[]>(shard_count_)) {
  for (size_t i = 0; i < shard_count_; ++i) shards_[i].count_in(*changes_);
}

RamTier::~RamTier() = default;

RamTier::Shard& RamTier::shard(uint64_t hash) const noexcept {
  return shards_[(hash >> 32) & (shard_count_ - 1)]; // the table uses the low bits
}

EntryRef RamTier::find(std::string_view key, const http::Headers& request) {
  bool any = false;
  return find(key, request, any);
}

EntryRef RamTier::find(std::string_view key, const http::Headers& request, bool& any) {
  const uint64_t hash = changes_->hash(key);
  return shard(hash).find(hash, key, request, any, nullptr);
}

EntryRef RamTier::find(std::string_view key, const http::Headers& request, RamFront& front) {
  const uint64_t hash = changes_->hash(key);
  RamFront::Slot& slot = front.at(hash);
  // Nothing was changed since it was found: it still is what the key has, and is in the tier.
  if (slot.hash == hash && slot.changes == changes_->of(hash)) {
    if (EntryRef entry = slot.entry.lock(); entry && entry->settled_head().key == key) {
      entry->use();
      return entry;
    }
  }
  bool any = false;
  return shard(hash).find(hash, key, request, any, &slot);
}

std::optional<RamKept> RamTier::keep(std::string_view key, const EntryRef& entry, RamFront& front) const {
  const uint64_t hash = changes_->hash(key);
  const RamFront::Slot& slot = front.at(hash);
  RamKept kept{hash, slot.changes, slot.entry.lock()};
  if (slot.hash != hash || kept.entry != entry || !still(kept) || entry->settled_head().key != key) return std::nullopt;
  return kept;
}

bool RamTier::has_any(std::string_view key) const {
  const uint64_t hash = changes_->hash(key);
  return shard(hash).has_any(hash, key);
}

std::vector<EntryRef> RamTier::variants(std::string_view key) const {
  std::vector<EntryRef> out;
  const uint64_t hash = changes_->hash(key);
  shard(hash).variants(hash, key, out);
  return out;
}

void RamTier::each(const std::function<void(const EntryRef&)>& f) const {
  for (size_t i = 0; i < shard_count_; ++i) {
    std::vector<EntryRef> entries;
    shards_[i].all(entries);
    for (const auto& entry : entries) f(entry);
  }
}

bool RamTier::walk(Walk& at, std::vector<EntryRef>& out) const {
  if (at.shard == shard_count_) return false;
  if (!shards_[at.shard].walk(at, out)) at = {at.shard + 1, 0, 0};
  return true;
}

bool RamTier::admits(const Entry& entry) {
  const StoredHead& head = entry.settled_head();
  const uint64_t hash = changes_->hash(head.key);
  return shard(hash).admits(ghost_hash_of(*changes_, head, hash), entry.length() + sizeof(RamNode), shard_bytes_);
}

bool RamTier::put(const EntryRef& entry) { return put(entry, true); }
bool RamTier::put_if_absent(const EntryRef& entry) { return put(entry, false); }

bool RamTier::put(const EntryRef& entry, bool replace) {
  if (!entry->in_ram()) return false;
  auto node = std::make_unique<RamNode>();
  node->cost = entry->ram_bytes() + sizeof(RamNode);
  if (node->cost > largest()) return false;
  const HeadRef head = entry->head(); // lives as long as the Entry does
  node->hash = changes_->hash(head->key);
  node->ghost_hash = ghost_hash_of(*changes_, *head, node->hash);
  node->entry = entry;
  node->head = head.get();
  Shard& to = shard(node->hash);
  return to.put(std::move(node), shard_bytes_, variants_, replace);
}

void RamTier::erase(std::string_view key, std::string_view vary_values) {
  const uint64_t hash = changes_->hash(key);
  shard(hash).erase(hash, [&](const RamNode& n) { return n.head->key == key && n.head->vary_values == vary_values; });
}

void RamTier::erase(const Entry& entry) {
  const uint64_t hash = changes_->hash(entry.head()->key);
  shard(hash).erase(hash, [&](const RamNode& n) { return n.entry.get() == &entry; });
}

uint64_t RamTier::bytes() const noexcept {
  uint64_t n = 0;
  for (size_t i = 0; i < shard_count_; ++i) n += shards_[i].bytes();
  return n;
}

RamTier::Use RamTier::use() const noexcept {
  Use use;
  for (size_t i = 0; i < shard_count_; ++i) shards_[i].add_use(use);
  return use;
}

uint64_t RamTier::entries() const noexcept {
  uint64_t n = 0;
  for (size_t i = 0; i < shard_count_; ++i) n += shards_[i].count();
  return n;
}

uint64_t RamTier::largest() const noexcept { return shard_bytes_ / 8; }

} // namespace verge::cache
