#include "proxy/control/purge_log.h"

#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "proxy/base/log.h"

namespace verge::control {
namespace {

using nlohmann::json;

constexpr std::string_view kPrefix = "purge:";

// Notes come back in order of their keys.
std::string note_key(uint64_t seq) { return fmt::format("{}{:016x}", kPrefix, seq); }

} // namespace

std::string to_note(const PurgeRow& row) {
  const json out = {{"seq", row.seq},
                    {"time", row.time.time_since_epoch().count()},
                    {"source", row.source},
                    {"event", row.event},
                    {"id", row.id},
                    {"targets", row.targets},
                    {"names", row.names},
                    {"soft", row.soft},
                    {"content", row.content},
                    {"took_us", row.took_us},
                    {"applied_us", row.applied_us}};
  return out.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::optional<PurgeRow> from_note(std::string_view text) {
  const auto in = json::parse(text, nullptr, false);
  const auto has = [&in](const char* name, json::value_t type) { return in.contains(name) && in[name].type() == type; };
  using enum json::value_t;
  if (!in.is_object() || !has("seq", number_unsigned) || !in.contains("time") || !in["time"].is_number_integer() ||
      !has("source", string) || !has("event", string) || !has("id", string) || !has("targets", number_unsigned) ||
      !has("names", array) || !has("soft", boolean) || !has("content", string) || !has("took_us", number_unsigned) ||
      !has("applied_us", number_unsigned) ||
      !std::ranges::all_of(in["names"], [](const json& name) { return name.is_string(); })) {
    return std::nullopt;
  }
  return PurgeRow{in["seq"].get<uint64_t>(),
                  WallTime(Millis(in["time"].get<int64_t>())),
                  in["source"].get<std::string>(),
                  in["event"].get<std::string>(),
                  in["id"].get<std::string>(),
                  in["targets"].get<size_t>(),
                  in["names"].get<std::vector<std::string>>(),
                  in["soft"].get<bool>(),
                  in["content"].get<std::string>(),
                  in["took_us"].get<uint64_t>(),
                  in["applied_us"].get<uint64_t>()};
}

PurgeLog::PurgeLog(cache::Cache& cache) : cache_(cache) {
  if (cache_.disk() == nullptr) return;
  std::vector<std::string> gone;
  for (const auto& [key, value] : cache_.disk()->notes(kPrefix)) {
    auto row = from_note(value);
    if (!row) {
      gone.push_back(key);
      continue;
    }
    if (!row->id.empty()) seq_of_[row->id] = row->seq;
    rows_.push_front(std::move(*row));
  }
  forget_oldest(gone);
  if (!gone.empty()) cache_.disk()->erase_notes(std::move(gone));
}

cache::Note PurgeLog::note_of(const PurgeRow& row) { return {note_key(row.seq), to_note(row)}; }

void PurgeLog::add(PurgeRow row) {
  if (!row.id.empty()) seq_of_[row.id] = row.seq;
  rows_.push_front(std::move(row));
  std::vector<std::string> gone;
  forget_oldest(gone);
  if (auto* disk = cache_.disk(); disk != nullptr && !gone.empty()) disk->erase_notes(std::move(gone));
}

void PurgeLog::forget_oldest(std::vector<std::string>& notes) {
  while (rows_.size() > kKept) {
    const auto& row = rows_.back();
    if (const auto it = seq_of_.find(row.id); it != seq_of_.end() && it->second == row.seq) seq_of_.erase(it);
    notes.push_back(note_key(row.seq));
    rows_.pop_back();
  }
}

const PurgeRow* PurgeLog::find(const std::string& id) const {
  const auto it = seq_of_.find(id);
  if (it == seq_of_.end()) return nullptr;
  const auto row = std::ranges::find(rows_, it->second, &PurgeRow::seq);
  return row == rows_.end() ? nullptr : &*row;
}

} // namespace verge::control
