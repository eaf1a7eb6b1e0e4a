#include "proxy/control/tools/cloudfront_xml.h"

#include <fmt/chrono.h>
#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <pugixml.hpp>

#include "proxy/control/tools/tool_api.h"

namespace verge::control {
namespace {

constexpr size_t kMostItems = 3'000, kLongestPath = 4'000, kLongestTag = 256, kLongestReference = 1'024;
constexpr const char* kNamespace = "http://cloudfront.amazonaws.com/doc/2020-05-31/";

auto fault(std::string_view code, std::string message, int status = 400) {
  return std::unexpected(CloudFrontFault{status, code, std::move(message)});
}
auto invalid(std::string message) { return fault("InvalidArgument", std::move(message)); }

struct Text final : pugi::xml_writer {
  std::string out;
  void write(const void* data, size_t size) override { out.append(static_cast<const char*>(data), size); }
};

std::string text_of(const pugi::xml_document& document) {
  Text text;
  document.save(text, "", pugi::format_raw, pugi::encoding_utf8);
  return std::move(text.out);
}

// The document's root, behind an XML declaration.
pugi::xml_node root(pugi::xml_document& document, const char* name) {
  auto declaration = document.append_child(pugi::node_declaration);
  declaration.append_attribute("version") = "1.0";
  declaration.append_attribute("encoding") = "UTF-8";
  auto out = document.append_child(name);
  out.append_attribute("xmlns") = kNamespace;
  return out;
}

void add(pugi::xml_node node, const char* name, std::string_view value) {
  auto child = node.append_child(name);
  if (!value.empty()) child.text().set(std::string(value).c_str());
}
void add(pugi::xml_node node, const char* name, size_t value) { add(node, name, fmt::format("{}", value)); }

std::string time_text(WallTime time) {
  const auto seconds = std::chrono::floor<Seconds>(time);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(seconds), (time - seconds).count());
}

std::string_view status_of(const CloudFrontRow& row) { return row.completed ? "Completed" : "InProgress"; }

// What can't stand in a URL as it is, percent-encoded; so "/a b/ü" is the same as "/a%20b/%C3%BC".
std::string encoded(std::string_view path) {
  std::string out;
  for (const unsigned char c : path) {
    if (c <= ' ' || c >= 0x7f) {
      out += fmt::format("%{:02X}", c);
    } else {
      out += static_cast<char>(c);
    }
  }
  return out;
}

} // namespace

CloudFrontResult<InvalidationBatch> parse_batch(std::string_view body) {
  if (body.empty()) return fault("MissingBody", "The request has no body; it must be an InvalidationBatch");
  pugi::xml_document document;
  const auto parsed =
      document.load_buffer(body.data(), body.size(), pugi::parse_default | pugi::parse_doctype, pugi::encoding_utf8);
  if (!parsed) {
    return fault("MalformedXML",
                 fmt::format("The body is not XML: {} at octet {}", parsed.description(), parsed.offset));
  }
  for (const auto& node : document.children()) {
    if (node.type() == pugi::node_doctype) return fault("MalformedXML", "A document type is not taken");
  }
  const auto batch = document.document_element();
  if (std::strcmp(batch.name(), "InvalidationBatch") != 0) {
    return fault("MalformedXML", "The body's root must be InvalidationBatch");
  }
  InvalidationBatch out;
  out.caller_reference = batch.child("CallerReference").text().get();
  if (out.caller_reference.empty() || out.caller_reference.size() > kLongestReference) {
    return invalid(fmt::format("CallerReference is missing or longer than {} octets", kLongestReference));
  }
  const auto paths = batch.child("Paths");
  const std::string_view quantity_text = paths.child("Quantity").text().get();
  size_t quantity = 0;
  const auto [end, error] =
      std::from_chars(quantity_text.data(), quantity_text.data() + quantity_text.size(), quantity);
  if (error != std::errc() || end != quantity_text.data() + quantity_text.size()) {
    return invalid("Paths/Quantity is missing or not a number");
  }
  for (const auto& item : paths.child("Items").children("Path")) out.items.emplace_back(item.text().get());
  if (out.items.size() != quantity) {
    return fault("InconsistentQuantities",
                 fmt::format("Quantity is {}, but there are {} items", quantity, out.items.size()));
  }
  if (out.items.empty()) return invalid("The batch names no path");
  if (out.items.size() > kMostItems) {
    return fault("TooManyInvalidationsInProgress",
                 fmt::format("{} paths are more than the {} of one batch", out.items.size(), kMostItems));
  }
  return out;
}

CloudFrontResult<std::vector<cache::Target>> batch_targets(const InvalidationBatch& batch) {
  std::vector<cache::Target> out;
  for (const auto& item : batch.items) {
    const auto shown = std::string_view(item).substr(0, 200);
    if (item.starts_with('#')) {
      auto target = tag_target(std::string_view(item).substr(1));
      if (!target || item.size() > kLongestTag + 1 || item.find_first_of(",*") != std::string::npos) {
        return invalid(
            fmt::format("Your request contains an invalid tag: {}: # and 1 to {} visible ASCII characters "
                        "without comma or *",
                        shown, kLongestTag));
      }
      out.push_back(std::move(*target));
      continue;
    }
    if (!item.starts_with('/')) {
      return invalid(fmt::format("Your request contains an invalid invalidation path: {}: begin with / or #", shown));
    }
    if (item.size() > kLongestPath) {
      return invalid(fmt::format("Your request contains a path of more than {} characters: {}", kLongestPath, shown));
    }
    if (item.find('*') < item.size() - 1) {
      return invalid(fmt::format(
          "Your request contains an invalid invalidation path: {}: * may be its last character only", shown));
    }
    auto target = cache::parse_target(encoded(item));
    if (!target) return invalid("Your request contains an invalid invalidation path: " + target.error().what);
    out.push_back(std::move(*target));
  }
  return out;
}

std::string invalidation_xml(const CloudFrontRow& row) {
  pugi::xml_document document;
  auto node = root(document, "Invalidation");
  add(node, "Id", row.id);
  add(node, "Status", status_of(row));
  add(node, "CreateTime", time_text(row.time));
  auto batch = node.append_child("InvalidationBatch");
  auto paths = batch.append_child("Paths");
  add(paths, "Quantity", row.batch.items.size());
  auto items = paths.append_child("Items");
  for (const auto& item : row.batch.items) add(items, "Path", item);
  add(batch, "CallerReference", row.batch.caller_reference);
  return text_of(document);
}

std::string list_xml(const std::vector<const CloudFrontRow*>& rows, std::string_view marker, std::string_view next,
                     size_t most) {
  pugi::xml_document document;
  auto node = root(document, "InvalidationList");
  add(node, "Marker", marker);
  if (!next.empty()) add(node, "NextMarker", next);
  add(node, "MaxItems", most);
  add(node, "IsTruncated", next.empty() ? "false" : "true");
  add(node, "Quantity", rows.size());
  auto items = node.append_child("Items");
  for (const auto* row : rows) {
    auto summary = items.append_child("InvalidationSummary");
    add(summary, "Id", row->id);
    add(summary, "CreateTime", time_text(row->time));
    add(summary, "Status", status_of(*row));
  }
  return text_of(document);
}

std::string error_xml(std::string_view code, std::string_view message, std::string_view request_id) {
  pugi::xml_document document;
  auto node = root(document, "ErrorResponse");
  auto error = node.append_child("Error");
  add(error, "Type", "Sender");
  add(error, "Code", code);
  add(error, "Message", message);
  add(node, "RequestId", request_id);
  return text_of(document);
}

} // namespace verge::control
