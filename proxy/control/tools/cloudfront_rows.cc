#include "proxy/control/tools/cloudfront_rows.h"

#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "proxy/base/log.h"

namespace verge::control {
namespace {

using nlohmann::json;

constexpr std::string_view kPrefix = "cloudfront:";

// Notes come back in order of their keys.
std::string note_key(uint64_t seq) { return fmt::format("{}{:016x}", kPrefix, seq); }

size_t octets_of(const CloudFrontRow& row) {
  size_t out = sizeof row + row.id.size() + row.distribution.size() + row.batch.caller_reference.size();
  for (const auto& item : row.batch.items) out += sizeof item + item.size();
  return out;
}

} // namespace

std::string cloudfront_note(const CloudFrontRow& row) {
  const json out = {{"id", row.id},
                    {"distribution", row.distribution},
                    {"reference", row.batch.caller_reference},
                    {"items", row.batch.items},
                    {"time", row.time.time_since_epoch().count()},
                    {"seq", row.seq},
                    {"completed", row.completed}};
  return out.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::optional<CloudFrontRow> cloudfront_row(std::string_view note) {
  const auto in = json::parse(note, nullptr, false);
  if (!in.is_object()) return std::nullopt;
  for (const auto* name : {"id", "distribution", "reference"}) {
    if (!in.contains(name) || !in[name].is_string()) return std::nullopt;
  }
  if (!in.contains("items") || !in["items"].is_array() || !in.contains("time") || !in["time"].is_number_integer() ||
      !in.contains("seq") || !in["seq"].is_number_unsigned() || !in.contains("completed") ||
      !in["completed"].is_boolean() ||
      !std::ranges::all_of(in["items"], [](const json& item) { return item.is_string(); })) {
    return std::nullopt;
  }
  return CloudFrontRow{in["id"].get<std::string>(),
                       in["distribution"].get<std::string>(),
                       {in["reference"].get<std::string>(), in["items"].get<std::vector<std::string>>()},
                       WallTime(Millis(in["time"].get<int64_t>())),
                       in["seq"].get<uint64_t>(),
                       in["completed"].get<bool>()};
}

CloudFrontRows::CloudFrontRows(cache::Cache& cache, Executor& loop) : cache_(cache), loop_(loop) {
  if (cache_.disk() == nullptr) return;
  std::vector<std::string> gone;
  for (const auto& [key, value] : cache_.disk()->notes(kPrefix)) {
    if (auto row = cloudfront_row(value)) {
      octets_ += octets_of(*row);
      rows_.push_front(std::move(*row));
    } else {
      gone.push_back(key);
    }
  }
  forget_oldest(gone);
  if (!gone.empty()) cache_.disk()->erase_notes(std::move(gone));
}

void CloudFrontRows::add(CloudFrontRow row, std::move_only_function<void()> then) {
  auto* disk = cache_.disk();
  auto key = note_key(row.seq);
  auto note = disk != nullptr ? cloudfront_note(row) : std::string();
  octets_ += octets_of(row);
  rows_.push_front(std::move(row));
  std::vector<std::string> gone;
  forget_oldest(gone);
  if (disk == nullptr) return then();
  if (!gone.empty()) disk->erase_notes(std::move(gone));
  disk->put_note(std::move(key), std::move(note), loop_, [then = std::move(then)](Result<> kept) mutable {
    if (!kept) log::warn("cloudfront", "an invalidation could not be kept for the list: {}", kept.error().what);
    then();
  });
}

void CloudFrontRows::complete(const std::string& id) {
  const auto row = std::ranges::find(rows_, id, &CloudFrontRow::id);
  if (row == rows_.end() || row->completed) return;
  row->completed = true;
  // Lost in a crash it is found out again.
  if (cache_.disk() != nullptr)
    cache_.disk()->put_note(note_key(row->seq), cloudfront_note(*row), loop_, [](Result<>) {});
}

void CloudFrontRows::forget_oldest(std::vector<std::string>& notes) {
  while (rows_.size() > kKept || (rows_.size() > 1 && octets_ > kOctets)) {
    octets_ -= octets_of(rows_.back());
    notes.push_back(note_key(rows_.back().seq));
    rows_.pop_back();
  }
}

const CloudFrontRow* CloudFrontRows::find(std::string_view distribution, std::string_view id) const {
  const auto it = std::ranges::find_if(
      rows_, [&](const CloudFrontRow& row) { return row.id == id && row.distribution == distribution; });
  return it == rows_.end() ? nullptr : &*it;
}

const CloudFrontRow* CloudFrontRows::by_reference(std::string_view distribution, std::string_view reference) const {
  const auto it = std::ranges::find_if(rows_, [&](const CloudFrontRow& row) {
    return row.batch.caller_reference == reference && row.distribution == distribution;
  });
  return it == rows_.end() ? nullptr : &*it;
}

std::optional<CloudFrontRows::Page> CloudFrontRows::page(std::string_view distribution, std::string_view marker,
                                                         size_t most) const {
  Page out;
  bool begun = marker.empty();
  for (const auto& row : rows_) {
    if (row.distribution != distribution) continue;
    if (!begun) {
      begun = row.id == marker;
      continue;
    }
    if (out.rows.size() == most) {
      out.more = true;
      break;
    }
    out.rows.push_back(&row);
  }
  if (!begun) return std::nullopt;
  return out;
}

} // namespace verge::control
