#include "cache/invalidate/epochs.h"

#include <algorithm>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>

#include "cache/policy/groups.h"
#include "cache/policy/key.h"
#include "proxy/base/glob.h"
#include "proxy/base/path_tree.h"

namespace verge::cache {
namespace {

// The newest command of either kind that named a target; 0: never.
struct EpochPair {
  uint64_t hard = 0, soft = 0;
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

  EpochPair& row(const Target& t) {
    switch (t.kind) {
      case Target::Kind::all: {
        const auto [it, fresh] = all.try_emplace(t.host);
        if (fresh && t.host.starts_with("*.")) ++wild_hosts;
        return it->second;
      }
      case Target::Kind::exact: return exact[t.host + t.value];
      case Target::Kind::tag: {
        const auto [it, fresh] = tags.try_emplace(tag_name(t.host, t.value));
        if (fresh && !t.host.empty()) ++host_tags;
        return it->second;
      }
      case Target::Kind::pattern: break;
    }
    const auto [it, fresh] = patterns.try_emplace(t.host + t.value);
    if (fresh) plant(t.host.size(), it->first, &it->second);
    return it->second;
  }

  void plant(size_t host_size, const std::string& name, const EpochPair* pair) {
    const size_t star = name.find('*', host_size);
    if (star + 1 == name.size())
      tree.add_prefix(std::string_view(name).substr(0, star), pair);
    else
      tree.add_glob(std::string_view(name).substr(0, star), host_size, name.substr(host_size), pair);
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
    EpochPair& pair = impl_->row(target);
    (command.soft ? pair.soft : pair.hard) = seq;
    changed.push_back({std::move(target), pair.hard, pair.soft});
  }
  // Only now: whoever reads `seq` from here on is newer than the command, whoever read less is covered by it.
  current_.store(seq, std::memory_order_release);
  return seq;
}

void Epochs::restore(const EpochRow& row) {
  const std::unique_lock lock(impl_->mutex);
  EpochPair& pair = impl_->row(settled(row.target));
  pair.hard = std::max(pair.hard, row.hard);
  pair.soft = std::max(pair.soft, row.soft);
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
  if (c.hard > seq) return Verdict::dead;
  return c.soft > seq ? Verdict::stale : Verdict::live;
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

std::vector<Target> Epochs::forget_below(uint64_t oldest_stored_seq) {
  const std::unique_lock lock(impl_->mutex);
  auto& in = *impl_;
  std::vector<Target> gone;
  const auto sweep = [&](PairMap& map, Target::Kind kind) {
    std::erase_if(map, [&](const auto& item) {
      if (std::max(item.second.hard, item.second.soft) > oldest_stored_seq) return false;
      gone.push_back(target_of(kind, item.first));
      return true;
    });
  };
  sweep(in.all, Target::Kind::all);
  sweep(in.exact, Target::Kind::exact);
  sweep(in.tags, Target::Kind::tag);
  in.tree.clear(); // it points at rows that may go now
  sweep(in.patterns, Target::Kind::pattern);
  for (const auto& [name, pair] : in.patterns) in.plant(name.find('/'), name, &pair);
  in.wild_hosts =
      static_cast<size_t>(std::ranges::count_if(in.all, [](const auto& item) { return item.first.starts_with("*."); }));
  in.host_tags = static_cast<size_t>(
      std::ranges::count_if(in.tags, [](const auto& item) { return item.first.find('\n') != std::string::npos; }));
  return gone;
}

size_t Epochs::size() const {
  const std::shared_lock lock(impl_->mutex);
  return impl_->all.size() + impl_->exact.size() + impl_->tags.size() + impl_->patterns.size();
}

} // namespace verge::cache
