#include "cache/invalidate/epochs.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>

#include "cache/policy/groups.h"
#include "cache/policy/key.h"
#include "proxy/base/glob.h"
#include "proxy/base/path_tree.h"

namespace verge::cache {
namespace {

// Rows in the order of their newest command, so that the oldest can be forgotten without looking at the others.
struct Place {
  Target::Kind kind;
  const std::string* name; // in its map
  size_t host_octets;      // of a pattern's name
};
using Order = std::multimap<uint64_t, Place>;

// The newest command of either kind that named a target; 0: never.
struct EpochPair {
  uint64_t hard = 0, soft = 0;
  std::optional<Order::iterator> at = {};
};

struct TextHash {
  using is_transparent = void;
  size_t operator()(std::string_view s) const noexcept { return std::hash<std::string_view>{}(s); }
};
// Node-based on purpose: the tree points at the pairs, which must not move.
using PairMap = std::unordered_map<std::string, EpochPair, TextHash, std::equal_to<>>;

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

// Hosts and tags hold no line feed, so host + "\n" + tag can't be taken for another pair.
std::string tag_name(std::string_view host, std::string_view tag) {
  std::string out;
  if (!host.empty()) out.append(host).push_back('\n');
  return out.append(tag);
}

struct Cover {
  uint64_t hard = 0, soft = 0;
  void operator()(const EpochPair* p) noexcept {
    hard = std::max(hard, p->hard);
    soft = std::max(soft, p->soft);
  }
};

} // namespace

struct Epochs::Impl {
  mutable std::shared_mutex mutex; // many checks, few commands
  PairMap all;                     // by host; "": every host
  PairMap exact;                   // by host + path; hosts hold no "/" and paths begin with one
  PairMap tags;                    // by tag_name()
  PairMap patterns;                // by host + pattern
  PathTree<const EpochPair*> tree; // over `patterns`, keyed by host + literal beginning
  size_t wild_hosts = 0;           // of `all`, "*.example.org": none in most setups, then not looked for
  size_t host_tags = 0;            // tags bound to one host: none in most setups, then not looked for

  Order order;
  uint64_t oldest = 0; // rows of lower seqs were forgotten: what is older is dead

  PairMap& map_of(Target::Kind kind) {
    switch (kind) {
      case Target::Kind::all: return all;
      case Target::Kind::exact: return exact;
      case Target::Kind::tag: return tags;
      case Target::Kind::pattern: break;
    }
    return patterns;
  }

  // Raises the row of a target to these seqs.
  EpochPair& raise(const Target& t, uint64_t hard, uint64_t soft) {
    const auto [it, fresh] =
        map_of(t.kind).try_emplace(t.kind == Target::Kind::tag ? tag_name(t.host, t.value) : t.host + t.value);
    const std::string& name = it->first;
    EpochPair& pair = it->second;
    pair.hard = std::max(pair.hard, hard);
    pair.soft = std::max(pair.soft, soft);
    if (pair.at) order.erase(*pair.at);
    pair.at = order.emplace_hint(order.end(), std::max(pair.hard, pair.soft), Place{t.kind, &name, t.host.size()});
    if (!fresh) return pair;
    if (is_wild_host(t.kind, name)) ++wild_hosts;
    if (is_host_tag(t.kind, name)) ++host_tags;
    if (t.kind == Target::Kind::pattern) plant(t.host.size(), name, &pair);
    return pair;
  }
  static bool is_wild_host(Target::Kind kind, const std::string& name) {
    return kind == Target::Kind::all && name.starts_with("*.");
  }
  static bool is_host_tag(Target::Kind kind, const std::string& name) {
    return kind == Target::Kind::tag && name.find('\n') != name.npos;
  }

  void plant(size_t host_size, const std::string& name, const EpochPair* pair) {
    const size_t star = name.find('*', host_size);
    const auto beginning = std::string_view(name).substr(0, star);
    if (star + 1 == name.size())
      tree.add_prefix(beginning, pair);
    else
      tree.add_glob(beginning, host_size, name.substr(host_size), pair);
  }

  // The oldest row goes.
  void drop_oldest() {
    const Place place = order.begin()->second;
    order.erase(order.begin());
    if (is_wild_host(place.kind, *place.name)) --wild_hosts;
    if (is_host_tag(place.kind, *place.name)) --host_tags;
    PairMap& map = map_of(place.kind);
    const auto it = map.find(*place.name);
    if (place.kind == Target::Kind::pattern) {
      const size_t star = it->first.find('*', place.host_octets);
      const auto beginning = std::string_view(it->first).substr(0, star);
      if (star + 1 == it->first.size())
        tree.remove_prefix(beginning);
      else
        tree.remove_glob(beginning, &it->second);
    }
    map.erase(it);
  }

  Cover cover(std::string_view key_text, const std::vector<std::string>& entry_tags) const {
    Cover c;
    const auto look = [&c](const PairMap& map, std::string_view name) {
      if (map.empty()) return;
      if (const auto it = map.find(name); it != map.end()) c(&it->second);
    };
    const auto [host, path] = policy::key_parts(key_text);
    look(all, "");
    look(all, host);
    if (wild_hosts > 0) {
      for (size_t dot = host.find('.'); dot != host.npos; dot = host.find('.', dot + 1)) {
        look(all, std::string("*").append(host.substr(dot)));
      }
    }
    if (!exact.empty() || !patterns.empty()) {
      // Host and path stand side by side in the key unless a port lies between them.
      std::string joined;
      std::string_view both;
      if (host.data() + host.size() == path.data()) {
        both = {host.data(), host.size() + path.size()};
      } else {
        both = joined.append(host).append(path);
      }
      look(exact, path);
      look(exact, both);
      if (!patterns.empty()) {
        tree.visit(path, c);
        tree.visit(both, c);
      }
    }
    if (!tags.empty()) {
      for (const auto& tag : entry_tags) {
        look(tags, tag);
        if (host_tags > 0) look(tags, tag_name(host, tag));
      }
    }
    return c;
  }
};

Epochs::Epochs() : impl_(std::make_unique<Impl>()) {}
Epochs::~Epochs() = default;

namespace {

// Callers give normal form (parse_target), but a tag or host in upper case must not turn a purge into nothing; a
// pattern is anchored at the path's beginning, and "/*" means all.
Target settled(Target t) {
  t.host = lower(t.host);
  if (t.kind == Target::Kind::tag && !policy::is_group(t.value)) t.value = lower(t.value); // groups know case
  if (t.kind == Target::Kind::all) t.value.clear();
  if (t.kind == Target::Kind::exact || t.kind == Target::Kind::pattern) {
    if (t.value.empty() || t.value.front() != '/') t.value.insert(0, 1, '/');
  }
  if (t.kind == Target::Kind::pattern) {
    if (t.value == "/*") return {Target::Kind::all, t.host, ""};
    if (t.value.find('*') == t.value.npos) t.kind = Target::Kind::exact;
  }
  return t;
}

} // namespace

uint64_t Epochs::apply(const Invalidation& command, std::vector<EpochRow>& changed) {
  const std::unique_lock lock(impl_->mutex);
  const uint64_t seq = current_.load(std::memory_order_relaxed) + 1;
  for (const auto& given : command.targets) {
    Target target = settled(given);
    const EpochPair& pair = impl_->raise(target, command.soft ? 0 : seq, command.soft ? seq : 0);
    changed.push_back({std::move(target), pair.hard, pair.soft});
  }
  // Only now: whoever reads `seq` from here on is newer than the command, whoever read less is covered by it.
  current_.store(seq, std::memory_order_release);
  return seq;
}

void Epochs::restore(const EpochRow& row) {
  const std::unique_lock lock(impl_->mutex);
  impl_->raise(settled(row.target), row.hard, row.soft);
  const uint64_t seq = std::max(row.hard, row.soft);
  if (seq > current_.load(std::memory_order_relaxed)) current_.store(seq, std::memory_order_release);
}

void Epochs::restore_current(uint64_t seq) {
  const std::unique_lock lock(impl_->mutex);
  if (seq > current_.load(std::memory_order_relaxed)) current_.store(seq, std::memory_order_release);
}

Verdict Epochs::check(std::string_view key_text, const std::vector<std::string>& tags, uint64_t seq) const {
  if (seq >= current()) return Verdict::live;
  const std::shared_lock lock(impl_->mutex);
  const Cover c = impl_->cover(key_text, tags);
  if (c.hard > seq || impl_->oldest > seq) return Verdict::dead;
  if (seq < floor_.load(std::memory_order_acquire)) return Verdict::guarded;
  return c.soft > seq ? Verdict::stale : Verdict::live;
}

void Epochs::guard(WallTime proved) {
  const std::unique_lock lock(impl_->mutex);
  const uint64_t seq = current_.load(std::memory_order_relaxed) + 1;
  proved_.store(proved.time_since_epoch().count(), std::memory_order_relaxed);
  floor_.store(seq, std::memory_order_release);
  reception_.store(Reception::guarded, std::memory_order_relaxed);
  current_.store(seq, std::memory_order_release); // last: whoever reads it asks for the floor
}

void Epochs::tell(Reception reception, WallTime proved) {
  proved_.store(proved.time_since_epoch().count(), std::memory_order_relaxed);
  reception_.store(reception, std::memory_order_relaxed);
  if (reception != Reception::guarded) floor_.store(0, std::memory_order_release);
}

namespace {

// The target that a row of one of the maps stands for, from the row's name.
Target target_of(Target::Kind kind, const std::string& name) {
  switch (kind) {
    case Target::Kind::all: return {kind, name, ""};
    case Target::Kind::tag: {
      const size_t lf = name.find('\n');
      return lf == std::string::npos ? Target{kind, "", name} : Target{kind, name.substr(0, lf), name.substr(lf + 1)};
    }
    case Target::Kind::exact:
    case Target::Kind::pattern: break;
  }
  const size_t slash = name.find('/');
  return {kind, name.substr(0, slash), name.substr(slash)};
}

} // namespace

bool covers(const Target& target, std::string_view key_text, const std::vector<std::string>& tags) {
  const auto [host, path] = policy::key_parts(key_text);
  const bool wild = target.kind == Target::Kind::all && target.host.starts_with("*.");
  if (!target.host.empty() && target.host != host && !(wild && host.ends_with(target.host.substr(1)))) return false;
  switch (target.kind) {
    case Target::Kind::all: return true;
    case Target::Kind::exact: return path == target.value;
    case Target::Kind::pattern: return glob_match(target.value, path);
    case Target::Kind::tag: return std::ranges::find(tags, target.value) != tags.end();
  }
  return false;
}

std::optional<EpochRow> Epochs::blame(std::string_view key_text, const std::vector<std::string>& tags,
                                      uint64_t seq) const {
  const std::shared_lock lock(impl_->mutex);
  std::optional<EpochRow> latest;
  const auto look = [&](Target::Kind kind, const PairMap& map) {
    for (const auto& [name, pair] : map) {
      const uint64_t newest = std::max(pair.hard, pair.soft);
      if (newest <= seq || (latest && newest <= std::max(latest->hard, latest->soft))) continue;
      Target target = target_of(kind, name);
      if (covers(target, key_text, tags)) latest = EpochRow{std::move(target), pair.hard, pair.soft};
    }
  };
  look(Target::Kind::all, impl_->all);
  look(Target::Kind::exact, impl_->exact);
  look(Target::Kind::pattern, impl_->patterns);
  look(Target::Kind::tag, impl_->tags);
  return latest;
}

std::vector<Target> Epochs::forget_below(uint64_t oldest_stored_seq, size_t most) {
  const std::unique_lock lock(impl_->mutex);
  auto& in = *impl_;
  in.oldest = std::max(in.oldest, oldest_stored_seq);
  std::vector<Target> gone;
  while (gone.size() < most && !in.order.empty() && in.order.begin()->first <= oldest_stored_seq) {
    const Place& oldest = in.order.begin()->second;
    gone.push_back(target_of(oldest.kind, *oldest.name));
    in.drop_oldest();
  }
  return gone;
}

size_t Epochs::size() const {
  const std::shared_lock lock(impl_->mutex);
  return impl_->all.size() + impl_->exact.size() + impl_->tags.size() + impl_->patterns.size();
}

} // namespace verge::cache
