// `verge why`, `verge ls`, `verge get`: what a node says of its store, as text. Blocking; for the CLI only.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/base/result.h"
#include "proxy/control/admin_client.h"

namespace verge::control {

using Fields = std::vector<std::pair<std::string, std::string>>;
// "Name: value" as curl's -H takes it. Error bad_input.
Result<std::pair<std::string, std::string>> parse_field(std::string_view text);

struct InspectRequest {
  AdminAddress node;
  std::string url;     // why: a whole URL
  std::string method;  // why; empty: GET
  Fields headers;      // why
  std::string pattern; // ls; empty: all
  std::string tag;     // ls
  std::string key;     // get: as ls prints it
  uint64_t limit = 0;  // ls: rows; 0: all
  bool json = false;   // the node's own words
};

// The decision step by step.
Result<std::string> run_why(const InspectRequest& request);
// A table, page by page as it comes. `print` false: stop.
Result<> run_ls(const InspectRequest& request, const std::function<bool(std::string_view)>& print);
// The stored variants of one key. Error not_found: nothing is stored under it.
Result<std::string> run_get(const InspectRequest& request);

} // namespace verge::control
