// Fills a cache directory through the cache's own interface, and asks it: how much disk and memory a stored response
// takes, what storing and finding one costs, how soon after a start the first one is found.
//
//   fill_store fill  <directory> <responses> <octets of body> [options]
//   fill_store hits  <directory> <responses> <octets of body> [options]    uniformly at random over what was filled
//   fill_store start <directory> <responses> <octets of body> [options]    opens it, finds one, waits for the warming
//
// Options: --disk <MiB> (size of the map), --memory <MiB> (RAM tier), --count <lookups>, --host <host of the URLs>.
#include <fmt/core.h>
#include <sys/resource.h>

#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <random>
#include <string>

#include "cache/cache.h"
#include "cache/policy/key.h"
#include "cache/policy/site.h"
#include "proxy/http/h1_writer.h"

namespace {

using namespace verge;
using cache::Cache;

struct Arguments {
  std::string mode, directory, host = "www.example.com";
  uint64_t responses = 0, octets = 0, disk_mib = 16'384, memory_mib = 8, count = 100'000;
};

// Runs what is posted when run() is called; run_until() sleeps in between.
class Queue final : public Executor {
 public:
  void post(Task task) override {
    {
      const std::lock_guard lock(mutex_);
      tasks_.push_back(std::move(task));
    }
    woken_.notify_one();
  }
  template <class Done>
  void run_until(const Done& done) {
    while (!done()) {
      std::unique_lock lock(mutex_);
      woken_.wait(lock, [this] { return !tasks_.empty(); });
      Task task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      task();
    }
  }
  void run() {
    std::unique_lock lock(mutex_);
    while (!tasks_.empty()) {
      Task task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      task();
      task = nullptr;
      lock.lock();
    }
  }

 private:
  std::mutex mutex_;
  std::condition_variable woken_;
  std::deque<Task> tasks_;
};

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }
double cpu() { // of all threads
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](timeval t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6; };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}
uint64_t anonymous_bytes() {
  std::ifstream in("/proc/self/status");
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("RssAnon:")) return std::strtoull(line.c_str() + 8, nullptr, 10) * 1'024;
  }
  return 0;
}

// An ordinary head of about 300 octets and a body that tells which it is.
std::string key_of(const Arguments& a, uint64_t n) {
  return policy::key_text("http", a.host, fmt::format("/objects/{}", n), false, "");
}
std::string body_of(const Arguments& a, uint64_t n) {
  const std::string line = fmt::format("{:016x}, and so on to the end of this\n", n * 0x9e3779b97f4a7c15);
  std::string body;
  body.reserve(a.octets + line.size());
  while (body.size() < a.octets) body += line;
  body.resize(a.octets);
  return body;
}
cache::HeadRef head_of(const Arguments& a, uint64_t n, const Clock& clock) {
  auto head = std::make_shared<cache::StoredHead>();
  head->key = key_of(a, n);
  head->headers.add("server", "nginx/1.22.1");
  head->headers.add("date", "Sun, 06 Nov 2044 08:49:37 GMT");
  head->headers.add("content-type", "text/html; charset=utf-8");
  head->headers.add("last-modified", "Sat, 05 Nov 2044 17:12:05 GMT");
  head->headers.add("etag", fmt::format("\"{:016x}\"", n * 0x9e3779b97f4a7c15));
  head->headers.add("cache-control", "public, max-age=31536000");
  head->headers.add("accept-ranges", "bytes");
  head->headers.add("vary-by", "none");
  head->h1_text = http::render_h1_fields(head->headers);
  head->content_length = a.octets;
  head->request_time = head->response_time = clock.wall();
  head->freshness.lifetime = Seconds(31'536'000);
  head->freshness.source = policy::LifetimeSource::max_age;
  head->site = policy::site_id(a.host);
  return head;
}

cache::CacheOptions options_of(const Arguments& a) {
  cache::CacheOptions options;
  options.disk.path = a.directory;
  options.disk.bytes = a.disk_mib << 20;
  options.memory_bytes = a.memory_mib << 20;
  return options;
}

void store(const Arguments& a, Cache& cache, Queue& loop, const Clock& clock, uint64_t n) {
  auto joined = cache.join(key_of(a, n), loop, [] {}, [] {});
  if (!joined.fill) return;
  joined.fill->open_storing(head_of(a, n, clock));
  joined.fill->append(body_of(a, n));
  joined.fill->complete();
}

// What is in the store under the n-th URL; waits for a cold one.
cache::EntryRef find(const Arguments& a, Cache& cache, Queue& loop, uint64_t n) {
  static const http::Headers kNothing;
  std::optional<Cache::Lookup> late;
  auto found = cache.lookup(key_of(a, n), kNothing, loop, [&](Cache::Lookup later) { late = std::move(later); });
  if (!found.pending) return found.entry;
  loop.run_until([&] { return late.has_value(); });
  return late->entry;
}

bool is_right(const Arguments& a, const cache::EntryRef& entry, uint64_t n) {
  if (!entry || entry->length() != a.octets || !entry->in_ram()) return false;
  std::string body;
  for (const auto& block : entry->blocks()) body.append(block->data(), block->capacity());
  return body == body_of(a, n);
}

int fill(const Arguments& a, Cache& cache, Queue& loop, const Clock& clock) {
  const uint64_t memory = anonymous_bytes();
  double began = now(), spent = cpu();
  const double first = began, first_spent = spent;
  const uint64_t step = std::max<uint64_t>(a.responses / 10, 1);
  for (uint64_t n = 0; n < a.responses; ++n) {
    store(a, cache, loop, clock, n);
    if (n % 256 == 255) loop.run();
    while (cache.stats().disk.stores + 8'000 < n) cache.flush(); // the queue drops what is too much
    if ((n + 1) % step != 0) continue;
    cache.flush();
    loop.run();
    const double t = now(), c = cpu();
    fmt::print("{:>10} stored, {:.0f} a second, {:.1f} us of CPU each\n", n + 1,
               static_cast<double>(step) / (t - began), (c - spent) * 1e6 / static_cast<double>(step));
    std::fflush(stdout);
    began = t, spent = c;
  }
  const auto stats = cache.stats();
  const auto each = [&](uint64_t bytes) {
    return static_cast<double>(bytes) / static_cast<double>(stats.disk.entries);
  };
  const uint64_t grown = anonymous_bytes() - memory, held = stats.ram_bytes;
  fmt::print("{} entries, {} stores, {} dropped, {} evicted: {:.0f} octets of disk each\n", stats.disk.entries,
             stats.disk.stores, stats.disk.stores_dropped, stats.disk.evicted, each(stats.disk.bytes_used));
  fmt::print("memory: grown by {} octets, {} of it the RAM tier's own: {:.1f} octets each beyond it\n", grown, held,
             grown > held ? each(grown - held) : 0.0);
  fmt::print("{:.2f} s, {:.1f} us of CPU each\n", now() - first,
             (cpu() - first_spent) * 1e6 / static_cast<double>(a.responses));
  return stats.disk.stores_dropped == 0 ? 0 : 1;
}

int hits(const Arguments& a, Cache& cache, Queue& loop) {
  for (uint64_t n = 0; n < a.responses; ++n) { // the first one after a start goes through a reader thread
    if (find(a, cache, loop, n) == nullptr) return fmt::print("{} is missing\n", key_of(a, n)), 1;
  }
  std::mt19937_64 random(1);
  std::uniform_int_distribution<uint64_t> any(0, a.responses - 1);
  uint64_t wrong = 0;
  const double began = cpu();
  for (uint64_t i = 0; i < a.count; ++i) wrong += find(a, cache, loop, any(random)) == nullptr ? 1 : 0;
  const double spent = cpu() - began;
  for (uint64_t i = 0; i < 1'000; ++i) {
    const uint64_t n = any(random);
    wrong += is_right(a, find(a, cache, loop, n), n) ? 0 : 1;
  }
  fmt::print("{} lookups, {} wrong: {:.2f} us of CPU each\n", a.count, wrong,
             spent * 1e6 / static_cast<double>(a.count));
  return wrong == 0 ? 0 : 1;
}

int run(const Arguments& a) {
  const SystemClock clock;
  Queue loop;
  const double began = now();
  auto cache = Cache::open(options_of(a), clock);
  if (!cache) return fmt::print(stderr, "{}\n", cache.error().what), 1;
  if (a.mode == "fill") return fill(a, **cache, loop, clock);
  if (a.mode == "hits") return hits(a, **cache, loop);
  const double opened = now();
  const bool right = is_right(a, find(a, **cache, loop, a.responses / 2), a.responses / 2);
  fmt::print("open {:.3f} s, the first hit after {:.3f} s: {}; {} entries\n", opened - began, now() - began,
             right ? "right" : "WRONG", (*cache)->stats().disk.entries);
  return right ? 0 : 1;
}

} // namespace

int main(int argc, char** argv) {
  Arguments a;
  if (argc < 5) return fmt::print(stderr, "usage: fill_store fill|hits|start <directory> <responses> <octets>\n"), 2;
  a.mode = argv[1];
  a.directory = argv[2];
  a.responses = std::strtoull(argv[3], nullptr, 10);
  a.octets = std::strtoull(argv[4], nullptr, 10);
  for (int i = 5; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    const uint64_t value = std::strtoull(argv[i + 1], nullptr, 10);
    if (name == "--disk") a.disk_mib = value;
    if (name == "--memory") a.memory_mib = value;
    if (name == "--count") a.count = value;
    if (name == "--host") a.host = argv[i + 1];
  }
  return run(a);
}
