// InputBuffer: octets received and not yet consumed. They are received into a buffer that all connections of the thread
// share and handed to the user from there; only what the user leaves is copied out and kept. So a connection that
// waits for its next request, and one whose users take all they get, holds no input memory. One thread only.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <span>
#include <string_view>

namespace verge::net {

class InputBuffer {
 public:
  static constexpr size_t kScratchBytes = 65'536;

  std::string_view view() const noexcept { return {begin_, size_}; }
  size_t size() const noexcept { return size_; }

  // Where to receive to, at most `limit` octets in all with those kept already: empty when the limit is reached.
  // received() must follow, then settle() once the user has looked.
  std::span<char> room(size_t limit);
  void received(size_t n) noexcept { size_ += n; }
  void consume(size_t n) noexcept;
  // Copies what was left in the shared buffer, or frees what is not needed any more.
  void settle();
  void clear() noexcept;

 private:
  struct Free {
    void operator()(char* p) const noexcept { std::free(p); }
  };
  void grow(size_t capacity);

  char* begin_ = nullptr; // in own_, or in the shared buffer until settle()
  size_t size_ = 0;
  std::unique_ptr<char, Free> own_;
  size_t own_capacity_ = 0;
};

} // namespace verge::net
