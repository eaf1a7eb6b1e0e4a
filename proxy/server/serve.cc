#include "proxy/server/serve.h"

#include <fmt/core.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <ctime>
#include <deque>
#include <mutex>

#include "config/loader.h"
#include "proxy/base/log.h"
#include "proxy/net/tls_memory.h"
#include "proxy/server/cli.h"
#include "proxy/server/node.h"

namespace verge::server {
namespace {

// What the admin API asks of the main thread; a SIGHUP to ourselves wakes it.
class ReloadQueue {
 public:
  void push(Node::ReloadDone done) {
    {
      const std::lock_guard lock(mutex_);
      waiting_.push_back(std::move(done));
    }
    ::kill(::getpid(), SIGHUP);
  }
  std::deque<Node::ReloadDone> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(waiting_, {});
  }

 private:
  std::mutex mutex_;
  std::deque<Node::ReloadDone> waiting_;
};

void print_faults(const std::vector<config::Fault>& faults) {
  for (const auto& fault : faults) fmt::print(stderr, "{}\n", fault.text());
}

Result<> reload(Node& node, const std::string& path) {
  auto loaded = config::load_file(path);
  if (!loaded.faults.empty()) {
    std::string all;
    for (const auto& fault : loaded.faults) all += (all.empty() ? "" : "\n") + fault.text();
    return fail(Errc::config, all);
  }
  return node.reload(std::move(loaded.config));
}

// As many descriptors as the system lets us have: each client and origin connection takes one.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

// What bodies under way take rises and falls by megabytes many times a second. Given back to the kernel each time, it
// would be mapped and zeroed anew: four page faults for each 100 KB that pass through, a fifth of its CPU.
void keep_freed_memory() {
  constexpr int kKept = 16 << 20, kAtOnce = 256 << 10, kOnItsOwn = 1 << 20; // octets
  ::mallopt(M_TRIM_THRESHOLD, kKept);
  ::mallopt(M_TOP_PAD, kAtOnce);
  ::mallopt(M_MMAP_THRESHOLD, kOnItsOwn);
}

// Waits for one of `set`; with a time limit when `millis` is not negative. 0: time is up.
int wait_signal(const sigset_t& set, int millis) {
  timespec limit{millis / 1000, (millis % 1000) * 1'000'000L};
  while (true) {
    const int got = millis < 0 ? ::sigwaitinfo(&set, nullptr) : ::sigtimedwait(&set, nullptr, &limit);
    if (got > 0) return got;
    if (errno != EINTR) return 0;
  }
}

int drain(Node& node, const sigset_t& signals) {
  const auto limit = node.config().limits.drain_timeout;
  log::info("main", "draining: no new connections; running requests have {} s", limit.count() / 1000);
  node.drain();
  for (Millis waited{0}; waited < limit; waited += Millis(20)) {
    if (node.idle()) {
      log::info("main", "drained; bye");
      return kOk;
    }
    const int got = wait_signal(signals, 20);
    if (got == SIGTERM || got == SIGINT) {
      log::warn("main", "second signal: ending at once");
      return kFailed;
    }
  }
  log::warn("main", "some requests did not end within {} s; cut", limit.count() / 1000);
  return kOk;
}

} // namespace

bool report_faults(const std::string& config_path) {
  const auto loaded = config::load_file(config_path);
  print_faults(loaded.faults);
  return loaded.faults.empty();
}

int serve(const std::string& config_path, const char* version) {
  // All threads inherit the blocked signals: only this one takes them.
  sigset_t signals;
  sigemptyset(&signals);
  for (const int s : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, s);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  net::pool_tls_memory(); // before anything asks OpenSSL for something
  raise_descriptor_limit();
  keep_freed_memory();

  auto loaded = config::load_file(config_path);
  if (!loaded.faults.empty()) {
    print_faults(loaded.faults);
    return kUsage;
  }
  const auto& error_log = loaded.config.error_log;
  if (auto opened = log::open(error_log.path, log::level_from(error_log.level)); !opened) {
    fmt::print(stderr, "verge: {}\n", opened.error().what);
    return kFailed;
  }
  SystemClock clock;
  ReloadQueue reloads;
  auto node = Node::start(std::move(loaded.config), clock,
                          [&reloads](Node::ReloadDone done) { reloads.push(std::move(done)); });
  if (!node) {
    log::error("main", "{}", node.error().what);
    return node.error().code == Errc::config ? kUsage : kFailed;
  }
  for (const auto& address : (*node)->bound()) log::info("main", "listening on {}", address);
  if (!(*node)->admin_bound().empty()) log::info("main", "admin on {}", (*node)->admin_bound());
  if (!(*node)->purge_bound().empty()) log::info("main", "purge APIs on {}", (*node)->purge_bound());
  log::info("main", "verge {} serves {} with {} workers", version, config_path, (*node)->config().workers);

  while (true) {
    const int got = wait_signal(signals, -1);
    if (got != SIGHUP) return drain(**node, signals);
    (*node)->reopen_logs();
    const auto reloaded = reload(**node, config_path);
    if (reloaded) {
      log::info("main", "reloaded {}", config_path);
    } else {
      log::error("main", "reload refused, the old configuration stays: {}", reloaded.error().what);
    }
    for (auto& done : reloads.take()) done(reloaded);
  }
}

} // namespace verge::server
