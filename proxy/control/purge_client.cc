#include "proxy/control/purge_client.h"

#include <fmt/core.h>

#include <chrono>

namespace verge::control {
namespace {

std::string counted(size_t n, std::string_view one) { return fmt::format("{} {}{}", n, one, n == 1 ? "" : "s"); }

} // namespace

Result<std::string> run_purge(const PurgeRequest& request) {
  nlohmann::json body = nlohmann::json::object();
  if (!request.paths.empty()) body["paths"] = request.paths;
  if (!request.tags.empty()) body["tags"] = request.tags;
  if (request.all) body["all"] = true;
  if (request.soft) body["soft"] = true;
  const auto begun = std::chrono::steady_clock::now();
  const auto reply = ask_admin(request.node, "/purge", body);
  if (!reply) return std::unexpected(reply.error());
  const auto took = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begun).count();
  if (!reply->contains("seq") || !(*reply)["seq"].is_number_unsigned()) {
    return fail(Errc::refused, not_admin(request.node.address, 200));
  }
  std::string what;
  const auto append = [&what](std::string text) { what += (what.empty() ? "" : ", ") + text; };
  if (request.all) append("everything");
  if (!request.paths.empty()) append(counted(request.paths.size(), "path"));
  if (!request.tags.empty()) append(counted(request.tags.size(), "tag"));
  return fmt::format("{} {}: sequence {}, {:.1f} ms", request.soft ? "marked stale:" : "purged", what,
                     (*reply)["seq"].get<uint64_t>(), took);
}

} // namespace verge::control
