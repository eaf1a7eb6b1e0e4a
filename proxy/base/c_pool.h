// malloc() for C libraries that take and free the same small pieces all the time and don't say how much they free: each
// thread keeps what it freed, by size, and takes it again at once, where the C library keeps seven of a size before it
// becomes slow. Bounded. The pieces are malloc()'s own, with nothing added: what was taken elsewhere may be given back
// here, by any thread, and the other way round.
//
// Builds with AddressSanitizer go to the heap each time, so that a use after the end is still seen.
#pragma once

#include <cstddef>

namespace verge::c_pool {

inline constexpr size_t kKeptBytes = 32'768; // of one size, by one thread
inline constexpr size_t kKeptLeast = 4;      // of one size, however large
// Larger pieces are the heap's alone. OpenSSL's largest in use are its message buffer of 21,848 and its records.
inline constexpr size_t kLargest = 22'536;

void* take(size_t n) noexcept;           // as malloc(): null when memory is gone
void* again(void* p, size_t n) noexcept; // as realloc()
void give(void* p) noexcept;             // as free()

} // namespace verge::c_pool
