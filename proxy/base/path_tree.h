// PathTree: which patterns cover a path. A radix tree over the patterns' literal beginnings, so that finding them costs
// one walk down the path's own octets however many patterns there are. Patterns with an inner `*` hang at the node of
// their literal beginning and are matched as globs there. Values are small: numbers or pointers. Reading is thread-safe
// while nobody adds.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/base/glob.h"

namespace verge {

template <class Value>
class PathTree {
 public:
  // What begins with `prefix` is covered by `value`. Of several for one prefix the last one counts.
  void add_prefix(std::string_view prefix, Value value) { node_at(prefix).value = value; }
  // What begins with `prefix` and whose rest from `glob_from` on matches `glob` is covered.
  void add_glob(std::string_view prefix, size_t glob_from, std::string glob, Value value) {
    node_at(prefix).globs.push_back({glob_from, std::move(glob), value});
  }
  // Takes a pattern out again; nothing if it is not there.
  void remove_prefix(std::string_view prefix) {
    change(prefix, [](Node& node) { node.value.reset(); });
  }
  void remove_glob(std::string_view prefix, const Value& value) {
    change(prefix, [&](Node& node) { std::erase_if(node.globs, [&](const Glob& g) { return g.value == value; }); });
  }

  // Calls `found(value)` for every pattern that covers `text`; a glob is tried only where `wanted(value)`. Returns the
  // nodes it stood at plus the globs it tried: never more nodes than `text` has octets.
  template <class Found, class Wanted>
  size_t visit(std::string_view text, Found&& found, Wanted&& wanted) const {
    size_t steps = 0;
    const Node* node = &root_;
    std::string_view rest = text;
    while (true) {
      ++steps;
      if (node->value) found(*node->value);
      for (const auto& g : node->globs) {
        if (!wanted(g.value)) continue;
        ++steps;
        if (glob_match(g.glob, text.substr(g.from))) found(g.value);
      }
      if (rest.empty()) return steps;
      const Node* next = node->child(rest.front());
      if (next == nullptr || !rest.starts_with(next->label)) return steps;
      rest.remove_prefix(next->label.size());
      node = next;
    }
  }
  template <class Found>
  size_t visit(std::string_view text, Found&& found) const {
    return visit(text, std::forward<Found>(found), [](const Value&) { return true; });
  }

 private:
  struct Glob {
    size_t from;
    std::string glob;
    Value value;
  };
  struct Node {
    std::string label;
    std::optional<Value> value;
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

  // `f` for the node of this very prefix, if there is one; then nodes without use go.
  template <class F>
  void change(std::string_view prefix, F&& f) {
    std::vector<Node*> way{&root_};
    while (!prefix.empty()) {
      const size_t at = way.back()->slot(prefix.front());
      if (at == way.back()->children.size() || !prefix.starts_with(way.back()->children[at]->label)) return;
      way.push_back(way.back()->children[at].get());
      prefix.remove_prefix(way.back()->label.size());
    }
    f(*way.back());
    for (; way.size() > 1; way.pop_back()) {
      Node& node = *way.back();
      if (node.value || !node.globs.empty() || node.children.size() > 1) return;
      auto& siblings = way[way.size() - 2]->children;
      const auto place = siblings.begin() + static_cast<std::ptrdiff_t>(way[way.size() - 2]->slot(node.label.front()));
      if (node.children.empty()) {
        siblings.erase(place);
        continue;
      }
      auto only = std::move(node.children.front()); // takes its parent's place
      only->label.insert(0, node.label);
      *place = std::move(only);
      return;
    }
  }

  Node& node_at(std::string_view prefix) {
    Node* node = &root_;
    while (!prefix.empty()) {
      const size_t at = node->slot(prefix.front());
      if (at == node->children.size() || node->children[at]->label.front() != prefix.front()) {
        auto fresh = std::make_unique<Node>();
        fresh->label = prefix;
        return **node->children.insert(node->children.begin() + static_cast<std::ptrdiff_t>(at), std::move(fresh));
      }
      auto& child = node->children[at];
      const auto common = static_cast<size_t>(std::ranges::mismatch(child->label, prefix).in1 - child->label.begin());
      if (common < child->label.size()) { // they part inside the label: a node between takes what is common
        auto between = std::make_unique<Node>();
        between->label = child->label.substr(0, common);
        child->label.erase(0, common);
        between->children.push_back(std::move(child));
        child = std::move(between);
      }
      node = child.get();
      prefix.remove_prefix(common);
    }
    return *node;
  }

  Node root_;
};

} // namespace verge
