// Owners for C handles: a library's free function as deleter. No state, still one pointer wide.
#pragma once

#include <memory>

namespace verge {

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* p) const noexcept {
    Free(p);
  }
};

template <class T, auto Free>
using Handle = std::unique_ptr<T, Freed<Free>>;

} // namespace verge
