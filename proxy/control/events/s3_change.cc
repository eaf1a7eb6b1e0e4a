#include "proxy/control/events/s3_change.h"

#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "origin/aws/encoding.h"
#include "proxy/control/json_text.h"

namespace verge::control {
namespace {

using nlohmann::json;

// As S3 writes keys into records: "+" is a space, "%XX" an octet.
std::string form_decoded(std::string key) {
  std::ranges::replace(key, '+', ' ');
  return origin::aws::percent_decode(key);
}

bool is_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

// A sequencer that is none orders nothing.
std::string sequencer_of(const json& object) {
  std::string out(text_at(object, "sequencer"));
  if (out.size() > 64 || !std::ranges::all_of(out, is_hex)) return {};
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' ? static_cast<char>(c | 0x20) : c; });
  return out;
}

std::unexpected<Error> bad(std::string what) { return fail(Errc::bad_input, std::move(what), Side::client); }

bool is_s3(std::string_view source) { return source == "aws:s3" || source == "ceph:s3" || source == "minio:s3"; }

bool changes_content(std::string_view event) {
  if (event.starts_with("s3:")) event.remove_prefix(3); // MinIO and Ceph write it so
  return event.starts_with("ObjectCreated:") || event.starts_with("ObjectRemoved:") ||
         event.starts_with("LifecycleExpiration:");
}

} // namespace

Result<S3Changes> s3_record_changes(const json& event) {
  const json& records = member_of(event, "Records");
  if (!records.is_array()) return bad("Records is not a list");
  S3Changes out;
  for (const auto& record : records) {
    const auto source = text_at(record, "eventSource");
    if (!is_s3(source)) {
      out.others = fmt::format("records of {}", source.empty() ? "no source" : source.substr(0, 40));
      continue;
    }
    if (!changes_content(text_at(record, "eventName"))) continue;
    const json& s3 = member_of(record, "s3");
    const json& object = member_of(s3, "object");
    const auto raw = text_at(object, "key");
    if (raw.empty()) return bad("S3 record without s3.object.key");
    // Ceph's gateway writes keys as they are, AWS and those that follow it form-encoded.
    out.changes.push_back({std::string(text_at(member_of(s3, "bucket"), "name")),
                           source == "ceph:s3" ? std::string(raw) : form_decoded(std::string(raw)),
                           sequencer_of(object)});
  }
  return out;
}

bool is_s3_event(const json& event) { return text_at(event, "source") == "aws.s3" && event.contains("detail"); }

Result<S3Changes> s3_event_changes(const json& event) {
  const auto type = text_at(event, "detail-type");
  if (type != "Object Created" && type != "Object Deleted") return S3Changes{};
  const json& detail = member_of(event, "detail");
  const json& object = member_of(detail, "object");
  const auto bucket = text_at(member_of(detail, "bucket"), "name"), key = text_at(object, "key");
  if (bucket.empty() || key.empty()) return bad("S3 event without detail.bucket.name or detail.object.key");
  return S3Changes{{{std::string(bucket), std::string(key), sequencer_of(object)}}, {}};
}

bool is_earlier(std::string_view a, std::string_view b) {
  const auto at = [](std::string_view s, size_t i) { return i < s.size() ? s[i] : '0'; };
  for (size_t i = 0; i < std::max(a.size(), b.size()); ++i) {
    if (at(a, i) != at(b, i)) return at(a, i) < at(b, i);
  }
  return false;
}

} // namespace verge::control
