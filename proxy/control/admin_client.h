// Asks a node's admin API from the command line. Blocking; for the CLI only.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "proxy/base/result.h"

namespace verge::control {

struct AdminAddress {
  std::string address; // "127.0.0.1:9090" or "unix:/path"
  std::string token;   // empty: none
};

// Posts `request` to `path`; the answer of a 200, which is an object. Errors say what to do: no node listens there, the
// token is missing or wrong (refused), or what the node says is wrong with the request (bad_input).
Result<nlohmann::json> ask_admin(const AdminAddress& node, const std::string& path, const nlohmann::json& request);

// Gets `path`; the same.
Result<nlohmann::json> read_admin(const AdminAddress& node, const std::string& path);

// "127.0.0.1:80 is not a Verge admin address: it answered 404 ..."
std::string not_admin(const std::string& address, int status);

} // namespace verge::control
