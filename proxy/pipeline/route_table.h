// RouteTable: the first of a site's routes that matches a path, found by one walk down the path however many routes
// there are. Pure; reading is thread-safe.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "proxy/base/path_tree.h"

namespace verge::pipeline {

class RouteTable {
 public:
  // The next route's match; its index is the number of those before.
  void add(std::string_view match);
  // Index of the first route that matches `path` (normal form, no query). None: no route does.
  std::optional<size_t> first(std::string_view path) const;

 private:
  struct TextHash {
    using is_transparent = void;
    size_t operator()(std::string_view s) const noexcept { return std::hash<std::string_view>{}(s); }
  };
  std::unordered_map<std::string, size_t, TextHash, std::equal_to<>> exact_; // no `*` in them
  PathTree<size_t> patterns_;
  std::unordered_map<std::string, size_t, TextHash, std::equal_to<>> prefixes_; // in patterns_: the first one counts
  size_t count_ = 0;
};

} // namespace verge::pipeline
