#include "proxy/control/purge_client.h"

#include <fmt/core.h>

#include <chrono>

namespace verge::control {
namespace {

std::string counted(size_t n, std::string_view one) { return fmt::format("{} {}{}", n, one, n == 1 ? "" : "s"); }

// Of an answer of another version nothing is taken for granted.
uint64_t number(const nlohmann::json& object, const char* name) {
  const auto it = object.find(name);
  return it != object.end() && it->is_number_unsigned() ? it->get<uint64_t>() : 0;
}
std::string text(const nlohmann::json& object, const char* name) {
  const auto it = object.find(name);
  return it != object.end() && it->is_string() ? it->get<std::string>() : std::string();
}

std::string node_table(const nlohmann::json& nodes) {
  std::string out = fmt::format("\n{:<32} {:>10} {:>10} {:>10}\n", "NODE", "SEQUENCE", "MS", "ENTRIES");
  double slowest = 0;
  std::string slowest_node;
  for (const auto& node : nodes) {
    if (!node.is_object()) continue;
    const auto ms = node.contains("ms") && node["ms"].is_number() ? node["ms"].get<double>() : 0;
    out += fmt::format("{:<32} {:>10} {:>10.1f} {:>10}\n", text(node, "node"), number(node, "seq"), ms,
                       number(node, "entries"));
    if (slowest_node.empty() || ms > slowest) {
      slowest = ms;
      slowest_node = text(node, "node");
    }
  }
  return out + fmt::format("slowest: {}, {:.1f} ms", slowest_node, slowest);
}

std::string age_text(uint64_t seconds) {
  if (seconds < 120) return fmt::format("{}s", seconds);
  if (seconds < 2 * 3'600) return fmt::format("{}m", seconds / 60);
  if (seconds < 2 * 86'400) return fmt::format("{}h", seconds / 3'600);
  return fmt::format("{}d", seconds / 86'400);
}

} // namespace

Result<std::string> run_purge(const PurgeRequest& request) {
  nlohmann::json body = nlohmann::json::object();
  if (!request.paths.empty()) body["paths"] = request.paths;
  if (!request.tags.empty()) body["tags"] = request.tags;
  if (request.all) body["all"] = true;
  if (request.soft) body["soft"] = true;
  if (!request.sites.empty()) body["sites"] = request.sites;
  if (request.dry_run) body["dry_run"] = true;
  if (request.wait && !request.dry_run) body["count"] = true;
  const auto begun = std::chrono::steady_clock::now();
  const auto reply = ask_admin(request.node, "/purge", body);
  if (!reply) return std::unexpected(reply.error());
  const auto took = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begun).count();
  std::string what;
  const auto append = [&what](std::string text) { what += (what.empty() ? "" : ", ") + text; };
  if (request.all) append("everything");
  if (!request.sites.empty()) append(counted(request.sites.size(), "site"));
  if (!request.paths.empty()) append(counted(request.paths.size(), "path"));
  if (!request.tags.empty()) append(counted(request.tags.size(), "tag"));
  if (request.dry_run && reply->contains("entries")) {
    return fmt::format("dry run: {} would {} {}", what, request.soft ? "mark stale" : "drop",
                       counted(number(*reply, "entries"), "stored response"));
  }
  if (!reply->contains("seq") || !(*reply)["seq"].is_number_unsigned()) {
    return fail(Errc::refused, not_admin(request.node.address, 200));
  }
  auto out = fmt::format("{} {}: sequence {}, {:.1f} ms", request.soft ? "marked stale:" : "purged", what,
                         number(*reply, "seq"), took);
  if (request.wait && reply->contains("nodes")) out += node_table((*reply)["nodes"]);
  return out;
}

Result<std::string> run_purges(const AdminAddress& node, size_t most, bool json) {
  const auto reply = read_admin(node, "/purges");
  if (!reply) return std::unexpected(reply.error());
  if (!reply->contains("purges") || !(*reply)["purges"].is_array()) {
    return fail(Errc::refused, not_admin(node.address, 200));
  }
  std::string out =
      json ? "" : fmt::format("{:>10} {:>5} {:<5} {:<40} {}\n", "SEQUENCE", "AGE", "KIND", "SOURCE", "TARGETS");
  size_t shown = 0;
  for (const auto& row : (*reply)["purges"]) {
    if (!row.is_object()) continue;
    if (most != 0 && shown++ == most) break;
    if (json) {
      out += row.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
      continue;
    }
    std::string targets;
    size_t named = 0;
    const auto names = row.find("names");
    if (names != row.end() && names->is_array()) {
      for (const auto& name : *names) {
        if (!name.is_string()) continue;
        targets += (targets.empty() ? "" : " ") + name.get<std::string>();
        ++named;
      }
    }
    if (const auto all = number(row, "targets"); all > named) targets += fmt::format(" and {} more", all - named);
    const auto event = text(row, "event");
    out += fmt::format("{:>10} {:>5} {:<5} {:<40} {}\n", number(row, "seq"), age_text(number(row, "age")),
                       row.contains("soft") && row["soft"] == true ? "soft" : "hard",
                       event.empty() ? text(row, "source") : text(row, "source") + " (" + event + ")", targets);
  }
  return out;
}

} // namespace verge::control
