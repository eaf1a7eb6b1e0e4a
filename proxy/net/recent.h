// Recent: a bounded memory of what 32 octets (a SHA-256, a session's id) stand for. When it is full, what was not asked
// for the longest goes. Thread-safe; a value is copied out, so it should be small or a shared pointer.
#pragma once

#include <array>
#include <cstring>
#include <iterator>
#include <list>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>

namespace verge::net {

using Octets32 = std::array<unsigned char, 32>;

template <class Value>
class Recent {
 public:
  // most == 0: remembers nothing.
  explicit Recent(size_t most) : most_(most) {}

  std::optional<Value> find(const Octets32& key) {
    const std::scoped_lock hold(lock_);
    const auto it = index_.find(key);
    if (it == index_.end()) return {};
    order_.splice(order_.begin(), order_, it->second);
    return it->second->second;
  }

  void put(const Octets32& key, Value value) {
    if (most_ == 0) return;
    Order dropped; // destroyed without the lock
    const std::scoped_lock hold(lock_);
    if (const auto it = index_.find(key); it != index_.end()) {
      it->second->second = std::move(value);
      order_.splice(order_.begin(), order_, it->second);
      return;
    }
    if (index_.size() >= most_) {
      index_.erase(order_.back().first);
      dropped.splice(dropped.begin(), order_, std::prev(order_.end()));
    }
    order_.emplace_front(key, std::move(value));
    index_.emplace(key, order_.begin());
  }

  void erase(const Octets32& key) {
    const std::scoped_lock hold(lock_);
    const auto it = index_.find(key);
    if (it == index_.end()) return;
    order_.erase(it->second);
    index_.erase(it);
  }

  size_t most() const noexcept { return most_; }
  size_t size() const {
    const std::scoped_lock hold(lock_);
    return index_.size();
  }

 private:
  // The keys are random or digests, and the peer can't choose them freely.
  struct Hash {
    size_t operator()(const Octets32& key) const noexcept {
      size_t hash = 0;
      std::memcpy(&hash, key.data(), sizeof hash);
      return hash;
    }
  };
  using Order = std::list<std::pair<Octets32, Value>>; // last asked for first

  const size_t most_;
  mutable std::mutex lock_;
  Order order_;
  std::unordered_map<Octets32, typename Order::iterator, Hash> index_;
};

} // namespace verge::net
