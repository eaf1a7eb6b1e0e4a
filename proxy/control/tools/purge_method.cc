// The methods of Varnish and Fastly users, by the Host and path of the request itself:
//   PURGE /a?b              the URL, all its variants; `*` in the path stands for any run of characters
//   PURGE with xkey, xkey-purge, Surrogate-Key or Cache-Tag(s): these tags, whatever the path; PURGEKEYS is the same
//   PURGE with Fastly-Soft-Purge: 1 or xkey-softpurge: marks stale
//   BAN /a, BAN /img/*      the URL, or what the pattern matches
//   BAN with X-Url, X-Ban-Url or Ban-Url (a regular expression, see ban_pattern.h), X-Host or X-Ban-Host; with
//   X-Cache-Tags, Cache-Tags, X-Ban-Tags or X-Magento-Tags-Pattern: tags. (PURGE takes the last one too.)
// A Host that is an address or localhost names the node, not a site: every host is meant.
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "proxy/control/tools/ban_pattern.h"
#include "proxy/control/tools/tool_api.h"

namespace verge::control {
namespace {

using cache::Target;
using nlohmann::json;

std::unexpected<Error> bad(std::string what) { return fail(Errc::bad_input, std::move(what), Side::client); }

std::string text_of(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace) + "\n"; }

bool wants(const http::RequestHead& head) { return head.is("PURGE") || head.is("PURGEKEYS") || head.is("BAN"); }

// The site's host; empty: the request was sent to the node by its address.
std::string host_of(const http::RequestHead& head) {
  std::string_view host = head.authority;
  if (host.starts_with('[')) return {};
  host = host.substr(0, host.find(':'));
  const bool address = std::ranges::all_of(host, [](char c) { return c == '.' || (c >= '0' && c <= '9'); });
  return address || host == "localhost" ? std::string() : std::string(host);
}

template <size_t N>
std::string first_of(const http::Headers& headers, const std::array<const char*, N>& names) {
  for (const auto* name : names) {
    if (auto value = headers.joined(name); !value.empty()) return value;
  }
  return {};
}

Result<> add_target(cache::Invalidation& what, const std::string& path, const std::string& host) {
  auto target = cache::parse_target(host.empty() ? path : "https://" + host + path);
  if (!target) return std::unexpected(std::move(target.error()));
  what.targets.push_back(std::move(*target));
  return {};
}

Result<> add_banned(cache::Invalidation& what, const http::RequestHead& head) {
  const auto host = ban_host(first_of(head.headers, std::array{"x-host", "x-ban-host", "ban-host"}));
  if (!host) return std::unexpected(host.error());
  const auto named_host =
      first_of(head.headers, std::array{"x-host", "x-ban-host", "ban-host"}).empty() ? host_of(head) : *host;
  const auto expression = first_of(head.headers, std::array{"x-url", "x-ban-url", "ban-url"});
  if (expression.empty()) {
    // A path may itself be written as an expression: BAN /img/.*
    if (head.path.find(".*") == std::string::npos) return add_target(what, head.target(), named_host);
    const auto patterns = ban_patterns("^" + head.target());
    if (!patterns) return std::unexpected(patterns.error());
    return add_target(what, patterns->front(), named_host);
  }
  const auto patterns = ban_patterns(expression);
  if (!patterns) return std::unexpected(patterns.error());
  for (const auto& pattern : *patterns) {
    const auto path = pattern.starts_with('/') ? pattern : "/" + pattern;
    if (auto added = add_target(what, path, named_host); !added) return added;
  }
  return {};
}

Result<ToolPurge> parse(const http::RequestHead& head, std::string_view) {
  ToolPurge out;
  const auto soft = head.headers.joined("fastly-soft-purge");
  const auto soft_tags = head.headers.joined("xkey-softpurge");
  out.what.soft = (!soft.empty() && soft != "0") || !soft_tags.empty();
  const auto listed = soft_tags.empty()
                          ? first_of(head.headers, std::array{"xkey-purge", "xkey", "surrogate-key", "cache-tag"})
                          : soft_tags;
  if (!listed.empty()) {
    if (auto added = add_tags(out.what.targets, listed, " ,"); !added) return std::unexpected(std::move(added.error()));
  }
  const auto banned =
      first_of(head.headers, std::array{"x-cache-tags", "cache-tags", "x-ban-tags", "x-magento-tags-pattern"});
  if (!banned.empty()) {
    auto tags = ban_tags(banned);
    if (!tags) return std::unexpected(std::move(tags.error()));
    if (tags->all) out.what.targets.push_back({Target::Kind::all, {}, {}});
    for (auto& tag : tags->tags) out.what.targets.push_back(std::move(tag));
  }
  if (!listed.empty() || !banned.empty()) {
    if (out.what.targets.empty()) return bad("the tag field names no tag");
    return out;
  }
  if (head.is("PURGEKEYS")) return bad("name the keys: xkey-purge: a b, or xkey-softpurge");
  if (!head.path.starts_with('/')) return bad("name a path: " + head.method + " /img/logo.png");
  auto added = head.is("BAN") ? add_banned(out.what, head) : add_target(out.what, head.target(), host_of(head));
  if (!added) return std::unexpected(std::move(added.error()));
  return out;
}

Reply done(const ToolPurge&, std::string_view id) {
  return {200, "application/json", text_of({{"status", "ok"}, {"id", id}})};
}

Reply problem(int status, std::string_view what) {
  return {status, "application/json", text_of({{"status", "error"}, {"msg", what}})};
}

} // namespace

const ToolApi kPurgeMethodApi{Door::purge_method, wants, parse, done, problem};

} // namespace verge::control
