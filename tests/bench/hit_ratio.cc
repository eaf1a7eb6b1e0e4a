// How often the RAM tier (S3-FIFO) finds what is asked for, beside LRU of the same size and the same costs, on made-up
// traces: objects of 200 octets to 100 KB asked for by Zipf's law, with scans of things asked for once between. The
// seeds are fixed: the figures are the same everywhere.
#include <fmt/core.h>

#include <cmath>
#include <list>
#include <random>
#include <string>
#include <unordered_map>
#include <vector>

#include "cache/ram/ram_tier.h"

namespace {

using namespace verge;
using cache::EntryRef;

constexpr int kObjects = 20'000, kRequests = 200'000;

class Lru {
 public:
  explicit Lru(uint64_t capacity) : capacity_(capacity) {}
  bool find(const std::string& key) {
    const auto it = table_.find(key);
    if (it == table_.end()) return false;
    order_.splice(order_.begin(), order_, it->second);
    return true;
  }
  void put(const std::string& key, uint64_t cost) {
    order_.push_front({key, cost});
    table_[key] = order_.begin();
    bytes_ += cost;
    while (bytes_ > capacity_) {
      bytes_ -= order_.back().cost;
      table_.erase(order_.back().key);
      order_.pop_back();
    }
  }

 private:
  struct Item {
    std::string key;
    uint64_t cost;
  };
  uint64_t capacity_, bytes_ = 0;
  std::list<Item> order_;
  std::unordered_map<std::string, std::list<Item>::iterator> table_;
};

struct Asked {
  std::string key;
  size_t size;
};

// Requests by Zipf's law; every 5,000 of them a scan of `scan` objects that nobody asks for again.
std::vector<Asked> make_trace(double skew, int scan, const std::vector<size_t>& sizes, unsigned seed) {
  std::vector<double> sums(kObjects);
  double sum = 0;
  for (int i = 0; i < kObjects; ++i) sums[static_cast<size_t>(i)] = sum += 1 / std::pow(i + 1, skew);
  std::mt19937_64 random(seed);
  std::vector<Asked> trace;
  int scanned = 0;
  for (int i = 0; i < kRequests; ++i) {
    const double at = static_cast<double>(random() >> 11) * 0x1p-53 * sum;
    const auto n = static_cast<size_t>(std::lower_bound(sums.begin(), sums.end(), at) - sums.begin());
    trace.push_back({fmt::format("https://www.example.com/o/{}", n), sizes[n]});
    if (i % 5'000 != 4'999) continue;
    for (int s = 0; s < scan; ++s) {
      trace.push_back({fmt::format("https://www.example.com/scan/{}", scanned++), sizes[random() % kObjects]});
    }
  }
  return trace;
}

EntryRef make_entry(const Asked& asked) {
  auto head = std::make_shared<cache::StoredHead>();
  head->key = asked.key;
  head->content_length = asked.size;
  std::vector<BlockRef> blocks;
  for (size_t at = 0; at < asked.size; at += kBlockBytes)
    blocks.push_back(BlockRef::copy_of(std::string(std::min(kBlockBytes, asked.size - at), 'x')));
  return cache::Entry::complete_from(head, std::move(blocks), asked.size, 0, nullptr);
}

struct Ratio {
  double objects = 0, octets = 0;
};

// Asks both for the whole trace; the first fifth only warms them.
std::pair<Ratio, Ratio> run(const std::vector<Asked>& trace, uint64_t capacity) {
  cache::RamTier ram(capacity);
  Lru lru(capacity);
  const http::Headers request;
  uint64_t asked = 0, asked_octets = 0, hits[2] = {}, octets[2] = {};
  for (size_t i = 0; i < trace.size(); ++i) {
    const auto& a = trace[i];
    const bool counted = i >= trace.size() / 5;
    const bool found[2] = {ram.find(a.key, request) != nullptr, lru.find(a.key)};
    if (!found[0] || !found[1]) {
      const EntryRef entry = make_entry(a);
      if (!found[0]) ram.put(entry);
      if (!found[1]) lru.put(a.key, entry->ram_bytes() + 80); // the RAM tier counts its node as well
    }
    if (!counted) continue;
    ++asked;
    asked_octets += a.size;
    for (int k = 0; k < 2; ++k) {
      hits[k] += found[k] ? 1 : 0;
      octets[k] += found[k] ? a.size : 0;
    }
  }
  const auto percent = [](uint64_t part, uint64_t whole) {
    return 100 * static_cast<double>(part) / static_cast<double>(whole);
  };
  return {{percent(hits[0], asked), percent(octets[0], asked_octets)},
          {percent(hits[1], asked), percent(octets[1], asked_octets)}};
}

} // namespace

int main() {
  std::mt19937_64 random(7);
  std::vector<size_t> sizes;
  uint64_t all = 0;
  for (int i = 0; i < kObjects; ++i) { // spread evenly over the orders of magnitude
    sizes.push_back(static_cast<size_t>(200 * std::pow(500, static_cast<double>(random() >> 11) * 0x1p-53)));
    all += sizes.back();
  }
  fmt::print("hit ratio, percent of requests (of octets); {} objects, {} MB, {} requests\n", kObjects, all / 1'000'000,
             kRequests);
  fmt::print("{:6} {:12} {:9} {:>16} {:>16} {:>8}\n", "skew", "scan", "size", "S3-FIFO", "LRU", "better");
  int worse = 0;
  for (const double skew : {0.7, 0.9, 1.1}) {
    for (const int scan : {0, 2'000}) {
      const auto trace = make_trace(skew, scan, sizes, 42);
      for (const int share : {1, 5, 10, 25}) {
        const auto [s3, lru] = run(trace, all * static_cast<uint64_t>(share) / 100);
        fmt::print("{:<6} {:12} {:>3} %     {:7.2f} ({:5.2f})  {:7.2f} ({:5.2f})  {:+7.2f}\n", skew,
                   scan == 0 ? "none" : fmt::format("{} / 5,000", scan), share, s3.objects, s3.octets, lru.objects,
                   lru.octets, s3.objects - lru.objects);
        worse += s3.objects < lru.objects ? 1 : 0;
      }
    }
  }
  fmt::print("S3-FIFO finds less than LRU in {} of 24 cases\n", worse);
  return 0;
}
