// Loaded before a program (LD_PRELOAD), counts what it asks of the heap, of locks and of the kernel: one counter for
// each name below, in that order, in the file that COUNT_CALLS names. For hot_path_test.py.
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>

namespace {

enum Call : unsigned { kHeap, kLock, kRead, kWrite, kWait, kControl, kCalls };
constinit std::atomic<uint64_t> g_here[kCalls] = {};
constinit std::atomic<uint64_t>* g_counts = g_here;

void count(Call call) noexcept { g_counts[call].fetch_add(1, std::memory_order_relaxed); }

__attribute__((constructor)) void begin() {
  const char* path = std::getenv("COUNT_CALLS");
  if (path == nullptr) return;
  const int fd = ::open(path, O_RDWR);
  if (fd < 0) return;
  void* shared = ::mmap(nullptr, sizeof g_here, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  ::close(fd);
  if (shared != MAP_FAILED) g_counts = static_cast<std::atomic<uint64_t>*>(shared);
}

template <class F>
F* real(F*& kept, const char* name) noexcept {
  if (kept == nullptr) kept = reinterpret_cast<F*>(::dlsym(RTLD_NEXT, name));
  return kept;
}

} // namespace

extern "C" {

void* __libc_malloc(size_t n);
void* __libc_calloc(size_t count, size_t size);
void* __libc_realloc(void* p, size_t n);

void* malloc(size_t n) {
  count(kHeap);
  return __libc_malloc(n);
}
void* calloc(size_t number, size_t size) {
  count(kHeap);
  return __libc_calloc(number, size);
}
void* realloc(void* p, size_t n) {
  count(kHeap);
  return __libc_realloc(p, n);
}

#define VERGE_COUNTED(call, result, name, parameters, arguments) \
  result name parameters {                                       \
    static result(*kept) parameters = nullptr;                   \
    count(call);                                                 \
    return real(kept, #name) arguments;                          \
  }
VERGE_COUNTED(kLock, int, pthread_mutex_lock, (pthread_mutex_t * m) noexcept, (m))
VERGE_COUNTED(kLock, int, pthread_rwlock_rdlock, (pthread_rwlock_t * l) noexcept, (l))
VERGE_COUNTED(kLock, int, pthread_rwlock_wrlock, (pthread_rwlock_t * l) noexcept, (l))
VERGE_COUNTED(kRead, ssize_t, recv, (int fd, void* to, size_t n, int flags), (fd, to, n, flags))
VERGE_COUNTED(kRead, ssize_t, read, (int fd, void* to, size_t n), (fd, to, n))
VERGE_COUNTED(kWrite, ssize_t, send, (int fd, const void* from, size_t n, int flags), (fd, from, n, flags))
VERGE_COUNTED(kWrite, ssize_t, sendmsg, (int fd, const msghdr* m, int flags), (fd, m, flags))
VERGE_COUNTED(kWrite, ssize_t, write, (int fd, const void* from, size_t n), (fd, from, n))
VERGE_COUNTED(kWrite, ssize_t, writev, (int fd, const iovec* v, int n), (fd, v, n))
VERGE_COUNTED(kWait, int, epoll_wait, (int fd, epoll_event* e, int n, int timeout), (fd, e, n, timeout))
VERGE_COUNTED(kControl, int, epoll_ctl, (int fd, int op, int at, epoll_event* e) noexcept, (fd, op, at, e))
}
