// PathTree: which patterns cover a path. A radix tree over the patterns' literal beginnings, so that finding them costs
// one walk down the path's own octets however many patterns there are. Patterns with an inner `*` hang at the node of
// their literal beginning and are matched as globs there. Not thread-safe: Epochs guards it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/glob.h"

namespace verge::cache {

// The newest command of either kind that named a target; 0: never.
struct EpochPair {
  uint64_t hard = 0, soft = 0;
};

class PathTree {
 public:
  // What begins with `prefix` is covered by `pair`, which must outlive its place here.
  void add_prefix(std::string_view prefix, const EpochPair* pair) { node_at(prefix).pair = pair; }
  // What begins with `prefix` and whose rest from `glob_from` on matches `glob` is covered.
  void add_glob(std::string_view prefix, size_t glob_from, std::string glob, const EpochPair* pair) {
    node_at(prefix).globs.push_back({glob_from, std::move(glob), pair});
  }
  void clear() { root_ = Node{}; }

  // Calls `found(const EpochPair&)` for every pattern that covers `text`. Returns the nodes it stood at plus the globs
  // it tried: never more nodes than `text` has octets.
  template <class F>
  size_t visit(std::string_view text, F&& found) const {
    size_t steps = 0;
    const Node* node = &root_;
    std::string_view rest = text;
    while (true) {
      ++steps;
      if (node->pair != nullptr) found(*node->pair);
      for (const auto& g : node->globs) {
        ++steps;
        if (glob_match(g.glob, text.substr(g.from))) found(*g.pair);
      }
      if (rest.empty()) return steps;
      const Node* next = node->child(rest.front());
      if (next == nullptr || !rest.starts_with(next->label)) return steps;
      rest.remove_prefix(next->label.size());
      node = next;
    }
  }

 private:
  struct Glob {
    size_t from;
    std::string glob;
    const EpochPair* pair;
  };
  struct Node {
    std::string label;
    const EpochPair* pair = nullptr;
    std::vector<Glob> globs;
    std::vector<std::unique_ptr<Node>> children; // ordered by the first octet of their labels, which differ

    size_t slot(char first) const noexcept {
      size_t lo = 0, hi = children.size();
      while (lo < hi) {
        const size_t mid = (lo + hi) / 2;
        if (static_cast<unsigned char>(children[mid]->label.front()) < static_cast<unsigned char>(first))
          lo = mid + 1;
        else
          hi = mid;
      }
      return lo;
    }
    const Node* child(char first) const noexcept {
      const size_t at = slot(first);
      return at < children.size() && children[at]->label.front() == first ? children[at].get() : nullptr;
    }
  };

  Node& node_at(std::string_view prefix);

  Node root_;
};

} // namespace verge::cache
