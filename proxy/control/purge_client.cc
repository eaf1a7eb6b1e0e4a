#include "proxy/control/purge_client.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>

#include "proxy/control/fleet/fleet_report.h"

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

std::string age_text(uint64_t seconds) {
  if (seconds < 120) return fmt::format("{}s", seconds);
  if (seconds < 2 * 3'600) return fmt::format("{}m", seconds / 60);
  if (seconds < 2 * 86'400) return fmt::format("{}h", seconds / 3'600);
  return fmt::format("{}d", seconds / 86'400);
}

// "2/3"; "-" where it was not taken by this node.
std::string nodes_text(const nlohmann::json& row) {
  const auto fleet = row.find("fleet");
  return fleet == row.end() ? "-" : fmt::format("{}/{}", number(*fleet, "applied"), number(*fleet, "nodes"));
}

// "; waiting: edge-2; down: edge-3"
std::string missing_text(const nlohmann::json& row) {
  const auto fleet = row.find("fleet");
  if (fleet == row.end()) return {};
  std::string out;
  for (const char* state : {"waiting", "down"}) {
    const auto names = fleet->find(state);
    if (names == fleet->end() || !names->is_array()) continue;
    std::string list;
    for (const auto& name : *names) {
      if (name.is_string()) list += (list.empty() ? "" : ", ") + name.get<std::string>();
    }
    out += fmt::format("; {}: {}", state, list);
  }
  return out;
}

} // namespace

Result<PurgeDone> wait_for_purge(const AdminAddress& node, const std::string& id, Seconds timeout) {
  using Clock = std::chrono::steady_clock;
  constexpr Millis kUnlessSaid{60'000}, kStep{5'000}; // a step is less than an answer may take
  const auto begun = Clock::now();
  Millis limit = timeout > Seconds(0) ? Millis(timeout) : kUnlessSaid;
  while (true) {
    const auto waited = std::chrono::floor<Millis>(Clock::now() - begun);
    const auto wait = std::clamp(limit - waited, Millis(0), kStep);
    const auto reply = read_admin(
        node, fmt::format("/purges/{}/nodes?count=true&wait={}", id, static_cast<double>(wait.count()) / 1'000));
    const bool over = wait == Millis(0) || wait == limit - waited;
    if (!reply && (reply.error().code != Errc::not_found || over)) return std::unexpected(reply.error());
    if (!reply) continue;
    if (timeout == Seconds(0)) limit = Millis(static_cast<int64_t>(number(*reply, "wait_timeout")));
    const auto settled = reply->find("settled");
    if (!over && (settled == reply->end() || *settled != true)) continue;
    auto report = fleet_report(*reply, std::chrono::floor<Millis>(Clock::now() - begun));
    return PurgeDone{std::move(report.table) + "\n", std::move(report.fault), report.status};
  }
}

Result<PurgeDone> run_purge(const PurgeRequest& request) {
  nlohmann::json body = nlohmann::json::object();
  if (!request.paths.empty()) body["paths"] = request.paths;
  if (!request.tags.empty()) body["tags"] = request.tags;
  if (request.all) body["all"] = true;
  if (request.soft) body["soft"] = true;
  if (request.refetch) body["refetch"] = true;
  if (!request.sites.empty()) body["sites"] = request.sites;
  if (request.dry_run) body["dry_run"] = true;
  if (!request.id.empty()) body["id"] = request.id;
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
    return PurgeDone{fmt::format("dry run: {} would {} {}\n", what, request.soft ? "mark stale" : "drop",
                                 counted(number(*reply, "entries"), "stored response")),
                     "", 0};
  }
  if (!reply->contains("seq") || !(*reply)["seq"].is_number_unsigned()) {
    return fail(Errc::refused, not_admin(request.node.address, 200));
  }
  const auto id = text(*reply, "id");
  PurgeDone out{fmt::format("{} {}: sequence {}, {:.1f} ms\n", request.soft ? "marked stale:" : "purged", what,
                            number(*reply, "seq"), took),
                "", 0};
  if (!request.wait || id.empty()) return out;
  auto waited = wait_for_purge(request.node, id, request.timeout);
  if (!waited) return std::unexpected(std::move(waited.error()).in(fmt::format("{}waiting for id {}", out.text, id)));
  out.text += waited->text;
  out.fault = std::move(waited->fault);
  out.status = waited->status;
  return out;
}

Result<std::string> run_purges(const AdminAddress& node, size_t most, bool json) {
  const auto reply = read_admin(node, "/purges");
  if (!reply) return std::unexpected(reply.error());
  if (!reply->contains("purges") || !(*reply)["purges"].is_array()) {
    return fail(Errc::refused, not_admin(node.address, 200));
  }
  std::string out = json ? ""
                         : fmt::format("{:>10} {:>5} {:<5} {:<8} {:<40} {}\n", "SEQUENCE", "AGE", "KIND", "NODES",
                                       "SOURCE", "TARGETS");
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
    out += fmt::format("{:>10} {:>5} {:<5} {:<8} {:<40} {}{}\n", number(row, "seq"), age_text(number(row, "age")),
                       row.contains("soft") && row["soft"] == true ? "soft" : "hard", nodes_text(row),
                       event.empty() ? text(row, "source") : text(row, "source") + " (" + event + ")", targets,
                       missing_text(row));
  }
  return out;
}

} // namespace verge::control
