#include "origin/folder/file.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace verge::origin {

namespace {

int64_t nanoseconds(const timespec& t) { return static_cast<int64_t>(t.tv_sec) * 1'000'000'000 + t.tv_nsec; }

int open_beneath(int root, const char* relative) {
  open_how how{};
  // Not blocking: a FIFO must not hold the loop until it is known for what it is.
  how.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  // EAGAIN: somebody renamed while the kernel followed a link with "..", so that it can't vouch for the way.
  int fd = -1;
  for (int tries = 0; tries < 8 && fd < 0 && (tries == 0 || errno == EAGAIN || errno == EINTR); ++tries) {
    fd = static_cast<int>(::syscall(SYS_openat2, root, relative, &how, sizeof how));
  }
  return fd;
}

std::unexpected<Error> failed(const std::string& root, const std::string& relative, int error) {
  const std::string what = fmt::format("{}/{}: {}", root, relative, std::strerror(error));
  switch (error) {
    case ENOENT:
    case ENOTDIR:
    case EXDEV: // leads out of the root
    case ELOOP:
    case ENAMETOOLONG: return fail(Errc::not_found, what);
    default: return fail(Errc::storage, what);
  }
}

} // namespace

Fd& Fd::operator=(Fd&& o) noexcept {
  std::swap(fd_, o.fd_);
  return *this;
}

Fd::~Fd() {
  if (fd_ >= 0) ::close(fd_);
}

Result<File> File::open(const std::string& root, const std::string& relative) {
  const Fd folder(::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() < 0) {
    return fail(Errc::storage, fmt::format("folder {}: {}", root, std::strerror(errno)));
  }
  Fd fd(open_beneath(folder.get(), relative.c_str()));
  if (fd.get() < 0) return failed(root, relative, errno);
  struct stat s{};
  if (::fstat(fd.get(), &s) != 0) return failed(root, relative, errno);
  if (S_ISDIR(s.st_mode)) return fail(Errc::bad_input, fmt::format("{}/{}: is a folder", root, relative));
  if (!S_ISREG(s.st_mode)) return failed(root, relative, ENOENT);
  return File(std::move(fd), static_cast<uint64_t>(s.st_size), s.st_ino, nanoseconds(s.st_mtim));
}

std::chrono::sys_seconds File::modified() const noexcept {
  return std::chrono::floor<std::chrono::seconds>(
      std::chrono::sys_time<std::chrono::nanoseconds>(std::chrono::nanoseconds(modified_ns_)));
}

std::string File::etag() const {
  return fmt::format("\"{:x}-{:x}-{:x}\"", static_cast<uint64_t>(modified_ns_), size_, inode_);
}

Result<size_t> File::read(uint64_t offset, std::span<char> into) const {
  size_t got = 0;
  while (got < into.size()) {
    const ssize_t n = ::pread(fd_.get(), into.data() + got, into.size() - got, static_cast<off_t>(offset + got));
    if (n == 0) break;
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail(Errc::storage, fmt::format("read: {}", std::strerror(errno)));
    got += static_cast<size_t>(n);
  }
  return got;
}

bool File::unchanged() const noexcept {
  struct stat s{};
  return ::fstat(fd_.get(), &s) == 0 && static_cast<uint64_t>(s.st_size) == size_ &&
         nanoseconds(s.st_mtim) == modified_ns_;
}

} // namespace verge::origin
