// File: one open regular file below a root, and what it was when it was opened.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>

#include "proxy/base/result.h"

namespace verge::origin {

// A file descriptor that closes itself.
class Fd {
 public:
  Fd() noexcept = default;
  explicit Fd(int fd) noexcept : fd_(fd) {}
  Fd(Fd&& o) noexcept : fd_(o.fd_) { o.fd_ = -1; }
  Fd& operator=(Fd&& o) noexcept;
  ~Fd();
  int get() const noexcept { return fd_; }

 private:
  int fd_ = -1;
};

class File {
 public:
  // Opens `relative` below `root`. The kernel itself refuses every way out (openat2 with RESOLVE_BENEATH, Linux 5.6):
  // "..", absolute symbolic links and those that leave the root; a link that stays inside is followed. The root is
  // opened by name each time, so it may be a link that a deploy turns to the next release. Errors: not_found (missing,
  // or on the other side of the wall), bad_input (a folder), storage (no permission, out of descriptors, I/O).
  static Result<File> open(const std::string& root, const std::string& relative);

  uint64_t size() const noexcept { return size_; }
  std::chrono::sys_seconds modified() const noexcept;
  // Strong: time in nanoseconds, size and inode, in quotes. Another file under this name never has the same.
  std::string etag() const;
  // Reads at `offset` until `into` is full or the file ends. Error storage: the disk failed.
  Result<size_t> read(uint64_t offset, std::span<char> into) const;
  // Whether what is open now is still what was opened: written to in place, or cut.
  bool unchanged() const noexcept;

 private:
  File(Fd fd, uint64_t size, uint64_t inode, int64_t modified_ns) noexcept
      : fd_(std::move(fd)), size_(size), inode_(inode), modified_ns_(modified_ns) {}
  Fd fd_;
  uint64_t size_;
  uint64_t inode_;
  int64_t modified_ns_;
};

} // namespace verge::origin
