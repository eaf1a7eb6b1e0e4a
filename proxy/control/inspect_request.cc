#include "proxy/control/inspect_request.h"

#include <fmt/core.h>

#include <algorithm>
#include <initializer_list>
#include <nlohmann/json.hpp>

#include "proxy/http/grammar.h"

namespace verge::control {
namespace {

using nlohmann::json;

std::unexpected<Error> bad(std::string what) { return fail(Errc::bad_input, std::move(what), Side::client); }

Result<json> parse_object(std::string_view text, std::initializer_list<std::string_view> known) {
  auto object = json::parse(text, nullptr, false);
  if (object.is_discarded() || !object.is_object()) return bad("the body is not a JSON object");
  for (const auto& [name, value] : object.items()) {
    if (std::ranges::find(known, name) == known.end()) return bad(fmt::format("unknown member \"{}\"", name));
  }
  return object;
}

Result<std::string> text_of(const json& object, const char* name) {
  const auto it = object.find(name);
  if (it == object.end()) return std::string();
  if (!it->is_string()) return bad(fmt::format("\"{}\" must be a string", name));
  return it->get<std::string>();
}

Result<uint64_t> number_of(const json& object, const char* name, uint64_t otherwise) {
  const auto it = object.find(name);
  if (it == object.end()) return otherwise;
  if (!it->is_number_unsigned()) return bad(fmt::format("\"{}\" must be a whole number", name));
  return it->get<uint64_t>();
}

std::string lower_case(std::string s) {
  std::ranges::transform(s, s.begin(), http::lower);
  return s;
}

Result<http::Headers> headers_of(const json& object) {
  http::Headers out;
  const auto it = object.find("headers");
  if (it == object.end()) return out;
  if (!it->is_array()) return bad("\"headers\" must be a list of [name, value]");
  for (const auto& field : *it) {
    if (!field.is_array() || field.size() != 2 || !field[0].is_string() || !field[1].is_string()) {
      return bad("\"headers\" must be a list of [name, value]");
    }
    const auto name = lower_case(field[0].get<std::string>());
    const auto value = field[1].get<std::string>();
    if (!http::is_token(name) || !http::is_field_value(value)) {
      return bad(fmt::format("\"{}\" is not a header field", name.substr(0, 100)));
    }
    if (name == "host") return bad("the host stands in the URL, not in a Host field");
    out.add(name, value);
  }
  return out;
}

} // namespace

Result<http::RequestHead> parse_why(std::string_view text) {
  const auto object = parse_object(text, {"url", "method", "headers"});
  if (!object) return std::unexpected(object.error());
  const auto given = text_of(*object, "url");
  const auto method = text_of(*object, "method");
  auto headers = headers_of(*object);
  if (!given) return std::unexpected(given.error());
  if (!method) return std::unexpected(method.error());
  if (!headers) return std::unexpected(headers.error());

  http::RequestHead head;
  std::string_view url = *given;
  const size_t colon = url.find("://");
  head.scheme = lower_case(std::string(url.substr(0, std::min(colon, url.size()))));
  if (colon == std::string_view::npos || (head.scheme != "https" && head.scheme != "http")) {
    return bad(fmt::format("\"{}\" is not a whole URL; write https://host/path as a client would", url.substr(0, 200)));
  }
  url.remove_prefix(colon + 3);
  const size_t slash = std::min(url.find_first_of("/?#"), url.size());
  head.authority = lower_case(std::string(url.substr(0, slash)));
  url.remove_prefix(slash);
  url = url.substr(0, url.find('#')); // a client keeps the fragment to itself
  const size_t mark = url.find('?');
  head.has_query = mark != std::string_view::npos;
  if (head.has_query) head.query = url.substr(mark + 1);
  head.path = url.substr(0, mark);
  if (head.path.empty()) head.path = "/";
  if (!http::is_authority(head.authority))
    return bad(fmt::format("\"{}\" is not a host", head.authority.substr(0, 200)));
  if (!http::is_target(head.target())) return bad("the path or query holds what no request line can: encode it");
  head.method = method->empty() ? "GET" : *method;
  if (!http::is_token(head.method)) return bad(fmt::format("\"{}\" is not a method", head.method.substr(0, 100)));
  head.headers = std::move(*headers);
  return head;
}

Result<ListRequest> parse_list(std::string_view text) {
  ListRequest out;
  if (text.empty()) return out;
  const auto object = parse_object(text, {"pattern", "tag", "after", "limit"});
  if (!object) return std::unexpected(object.error());
  const auto pattern = text_of(*object, "pattern");
  const auto tag = text_of(*object, "tag");
  const auto after = number_of(*object, "after", 0);
  const auto limit = number_of(*object, "limit", out.limit);
  if (!pattern) return std::unexpected(pattern.error());
  if (!tag) return std::unexpected(tag.error());
  if (!after) return std::unexpected(after.error());
  if (!limit) return std::unexpected(limit.error());
  if (!pattern->empty()) {
    auto target = cache::parse_target(*pattern);
    if (!target) return std::unexpected(std::move(target.error()).in(fmt::format("pattern \"{}\"", *pattern)));
    out.pattern = std::move(*target);
  }
  if (!tag->empty()) out.tag = cache::Target{cache::Target::Kind::tag, {}, lower_case(*tag)};
  if (*limit < 1 || *limit > ListRequest::kMost)
    return bad(fmt::format("\"limit\" is from 1 to {}", ListRequest::kMost));
  out.after = *after;
  out.limit = *limit;
  return out;
}

Result<std::string> parse_entry(std::string_view text) {
  const auto object = parse_object(text, {"key"});
  if (!object) return std::unexpected(object.error());
  auto key = text_of(*object, "key");
  if (key && key->find("://") == std::string::npos) {
    return bad("\"key\" must be a key as `verge ls` lists it: https://host/path?query");
  }
  return key;
}

} // namespace verge::control
