#include "proxy/control/sns_events.h"

#include <fmt/core.h>

#include <nlohmann/json.hpp>
#include <set>

#include "origin/aws/encoding.h"
#include "proxy/control/purge_request.h"

namespace verge::control {
namespace {

using nlohmann::json;

constexpr std::string_view kIndex = "index.html";

std::unexpected<Error> bad(std::string what) { return fail(Errc::bad_input, std::move(what), Side::client); }

std::string_view text_at(const json& object, const char* name) {
  if (!object.is_object()) return {};
  const auto it = object.find(name);
  return it != object.end() && it->is_string() ? std::string_view(it->get_ref<const std::string&>())
                                               : std::string_view{};
}

int hex(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// As S3 writes keys: "+" is a space, "%XX" an octet.
std::string form_decoded(std::string_view key) {
  std::string out;
  for (size_t i = 0; i < key.size(); ++i) {
    if (key[i] == '+') {
      out += ' ';
    } else if (key[i] == '%' && i + 2 < key.size() && hex(key[i + 1]) >= 0 && hex(key[i + 2]) >= 0) {
      out += static_cast<char>(hex(key[i + 1]) * 16 + hex(key[i + 2]));
      i += 2;
    } else {
      out += key[i];
    }
  }
  return out;
}

// The paths by which clients ask for an object: what a path may hold stands there plainly, or all of it %-encoded as
// form libraries do, or as encodeURIComponent() leaves it. Cache keys keep these apart, the object is one.
std::set<std::string> url_paths(std::string_view key) {
  std::set<std::string> out;
  for (const std::string_view plain : {"!$&'()*+,;=:@", "", "!'()*"}) {
    std::string path = "/";
    for (const char c : key) {
      if (plain.find(c) != std::string_view::npos) {
        path += c;
      } else {
        path += origin::aws::percent_encode({&c, 1}, true);
      }
    }
    out.insert(std::move(path));
  }
  return out;
}

// The object however its URL is spelled, and with any query: a bucket looks at no query, a cache key does.
void add_object(cache::Invalidation& command, std::string_view key) {
  for (const auto& path : url_paths(key)) {
    command.targets.push_back({cache::Target::Kind::exact, {}, path});
    command.targets.push_back({cache::Target::Kind::pattern, {}, path + "?*"});
  }
}

bool is_s3(std::string_view source) { return source == "aws:s3" || source == "ceph:s3" || source == "minio:s3"; }

// One S3 record: the object's own URL, and its directory's if it is an index document.
Result<> add_record(const json& record, std::string_view prefix, cache::Invalidation& command) {
  std::string_view event = text_at(record, "eventName");
  if (event.starts_with("s3:")) event.remove_prefix(3); // MinIO and Ceph write it so
  if (!event.starts_with("ObjectCreated:") && !event.starts_with("ObjectRemoved:") &&
      !event.starts_with("LifecycleExpiration:")) {
    return {};
  }
  const auto s3 = record.find("s3");
  if (s3 == record.end() || !s3->is_object() || !s3->contains("object")) return bad("S3 record without s3.object");
  const auto raw = text_at((*s3)["object"], "key");
  if (raw.empty()) return bad("S3 record without s3.object.key");
  // Ceph's gateway writes keys as they are, AWS and those that follow it form-encoded.
  const std::string key = text_at(record, "eventSource") == "ceph:s3" ? std::string(raw) : form_decoded(raw);
  if (!key.starts_with(prefix)) return {};
  std::string_view served = std::string_view(key).substr(prefix.size());
  if (!prefix.empty() && served.starts_with('/')) served.remove_prefix(1);
  add_object(command, served);
  if (served == kIndex || served.ends_with("/index.html")) {
    add_object(command, served.substr(0, served.size() - kIndex.size()));
  }
  return {};
}

} // namespace

Result<Interpreted> interpret_notification(std::string_view text, std::string_view s3_prefix) {
  const auto object = json::parse(text, nullptr, false);
  if (object.is_discarded() || !object.is_object())
    return Interpreted{std::nullopt, "the message is not a JSON object"};
  if (text_at(object, "Event") == "s3:TestEvent") return Interpreted{std::nullopt, "S3 test event"};
  const auto records = object.find("Records");
  if (records != object.end()) {
    if (!records->is_array()) return bad("Records is not a list");
    cache::Invalidation command;
    std::string others;
    for (const auto& record : *records) {
      if (const auto source = text_at(record, "eventSource"); !is_s3(source)) {
        others = fmt::format("records of {}", source.empty() ? "no source" : source.substr(0, 40));
        continue;
      }
      if (auto added = add_record(record, s3_prefix, command); !added) return std::unexpected(std::move(added.error()));
    }
    if (command.targets.empty() && !others.empty()) return Interpreted{std::nullopt, std::move(others)};
    if (command.targets.empty()) return Interpreted{std::nullopt, "S3 events that change nothing served here"};
    return Interpreted{std::move(command), {}};
  }
  if (object.contains("paths") || object.contains("tags") || object.contains("all")) {
    auto command = parse_purge(text);
    if (!command) return std::unexpected(std::move(command.error()));
    return Interpreted{std::move(*command), {}};
  }
  return Interpreted{std::nullopt, "neither a purge ({\"paths\": [...], \"tags\": [...]}) nor S3 records"};
}

} // namespace verge::control
