#include "proxy/net/system_roots.h"

#include <openssl/x509.h>
#include <sys/stat.h>

#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <string>

namespace verge::net {
namespace {

// What tells one state of the file from another.
struct FileState {
  std::string path;
  uint64_t inode = 0, size = 0;
  int64_t changed_s = 0, changed_ns = 0;
  bool operator==(const FileState&) const = default;
};

FileState file_now() {
  const char* set = std::getenv(X509_get_default_cert_file_env());
  FileState now{.path = set != nullptr ? set : X509_get_default_cert_file()};
  struct stat file{};
  if (::stat(now.path.c_str(), &file) != 0) return now;
  now.inode = file.st_ino;
  now.size = static_cast<uint64_t>(file.st_size);
  now.changed_s = file.st_mtim.tv_sec;
  now.changed_ns = file.st_mtim.tv_nsec;
  return now;
}

std::shared_ptr<X509_STORE> read_roots() {
  std::shared_ptr<X509_STORE> store(X509_STORE_new(), X509_STORE_free);
  if (store && X509_STORE_set_default_paths(store.get()) != 1) store.reset();
  return store;
}

struct Kept {
  std::mutex mutex;
  FileState file;
  SystemRoots roots;
};

} // namespace

SystemRoots system_roots() {
  static Kept kept; // its end waits for a thread that still reads
  const std::lock_guard lock(kept.mutex);
  FileState now = file_now();
  if (!kept.roots.valid() || now != kept.file) {
    kept.file = std::move(now);
    // Where no thread can be had, the first connection that needs them reads them.
    kept.roots = std::async(std::launch::async | std::launch::deferred, read_roots).share();
  }
  return kept.roots;
}

} // namespace verge::net
