// One FIFO queue of S3-FIFO: nodes linked through themselves, the newest at the front, with the octets they cost.
#pragma once

#include <cstdint>

#include "cache/entry/entry.h"

namespace verge::cache {

struct RamQueue;

// A stored variant in its shard. Owned by the shard's table.
struct RamNode {
  uint64_t hash;       // of the key
  uint64_t ghost_hash; // of key and variant
  EntryRef entry;
  const StoredHead* head; // the entry's
  uint64_t cost;
  RamQueue* queue = nullptr;
  RamNode* newer = nullptr;
  RamNode* older = nullptr;
  std::unique_ptr<RamNode> sibling; // the next of the same key hash
};

struct RamQueue {
  RamNode* newest = nullptr;
  RamNode* oldest = nullptr;
  uint64_t bytes = 0;

  void push(RamNode& node) {
    node.queue = this;
    node.newer = nullptr;
    node.older = newest;
    (newest != nullptr ? newest->newer : oldest) = &node;
    newest = &node;
    bytes += node.cost;
  }
  void remove(RamNode& node) {
    (node.newer != nullptr ? node.newer->older : newest) = node.older;
    (node.older != nullptr ? node.older->newer : oldest) = node.newer;
    node.queue = nullptr;
    bytes -= node.cost;
  }
};

} // namespace verge::cache
