#include "proxy/base/block.h"

namespace verge {

Block* Block::lend(Block& of) {
  Block* block = create(sizeof(Block*));
  Block* const lender = &of;
  std::memcpy(static_cast<void*>(block + 1), &lender, sizeof lender);
  block->capacity_ = of.capacity_ | kLent;
  of.retain();
  return block;
}

Block& Block::lender() const noexcept {
  Block* lender = nullptr;
  std::memcpy(&lender, this + 1, sizeof lender);
  return *lender;
}

void Block::end() noexcept {
  size_t octets = capacity();
  if (lent()) {
    lender().release();
    octets = sizeof(Block*);
  }
  this->~Block();
  pool::give(this, sizeof(Block) + octets);
}

} // namespace verge
