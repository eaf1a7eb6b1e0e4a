// ListLink: a place in a doubly linked ring, to derive from. A ring's head is a ListLink of its own. No allocation,
// leaves its ring in constant time and by itself when destroyed. One thread only.
#pragma once

namespace verge::net {

class ListLink {
 public:
  ListLink() noexcept = default;
  ListLink(const ListLink&) = delete;
  ListLink& operator=(const ListLink&) = delete;
  ~ListLink() { unlink(); }

  // True while in a ring with others. For a head: the ring is not empty.
  bool linked() const noexcept { return next_ != this; }
  ListLink* next() noexcept { return next_; }
  ListLink* prev() noexcept { return prev_; }

  void unlink() noexcept {
    prev_->next_ = next_;
    next_->prev_ = prev_;
    prev_ = next_ = this;
  }
  // Leaves its ring, if any, and goes before `at`: before a head means last.
  void link_before(ListLink& at) noexcept {
    unlink();
    prev_ = at.prev_;
    next_ = &at;
    prev_->next_ = this;
    at.prev_ = this;
  }
  // Moves all that is in `from`'s ring to the end of this head's ring.
  void take_all(ListLink& from) noexcept {
    if (!from.linked()) return;
    from.next_->prev_ = prev_;
    prev_->next_ = from.next_;
    from.prev_->next_ = this;
    prev_ = from.prev_;
    from.prev_ = from.next_ = &from;
  }

 private:
  ListLink* prev_ = this;
  ListLink* next_ = this;
};

} // namespace verge::net
