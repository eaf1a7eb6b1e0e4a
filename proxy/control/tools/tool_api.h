// ToolApi: the purge API of another tool as values: how a request for it is recognised, what it asks for, what it is
// answered. Pure; checking the caller and applying is PurgeDoors' matter, the same for all.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cache/invalidate/epochs.h"
#include "proxy/base/result.h"
#include "proxy/control/purge_engine.h"
#include "proxy/control/small_exchange.h"
#include "proxy/http/message.h"

namespace verge::control {

struct ToolPurge {
  std::string scope = {}; // the service's or zone's id; empty: the API has none
  cache::Invalidation what = {};
  std::vector<std::string> keys = {}; // that the answer names one by one
};

struct ToolApi {
  Door door;
  bool (*wants)(const http::RequestHead& head); // by method and path
  // Error bad_input: what is wrong and what was meant.
  Result<ToolPurge> (*parse)(const http::RequestHead& head, std::string_view body);
  Reply (*done)(const ToolPurge& purge, std::string_view id);
  Reply (*problem)(int status, std::string_view what); // in the API's own form
};

extern const ToolApi kFastlyApi, kCloudflareApi, kPurgeMethodApi;

inline constexpr size_t kMostToolTargets = 3'000; // of one command

// A tag as responses are known by: lower case. Error bad_input: empty, or more than visible ASCII.
Result<cache::Target> tag_target(std::string_view tag);
// Adds the tags of a list that `separators` part; empty members are left out.
Result<> add_tags(std::vector<cache::Target>& targets, std::string_view list, std::string_view separators);

} // namespace verge::control
