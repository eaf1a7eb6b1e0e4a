#include "cache/invalidate/path_tree.h"

#include <algorithm>
#include <utility>

namespace verge::cache {

PathTree::Node& PathTree::node_at(std::string_view prefix) {
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

} // namespace verge::cache
