#include "cache/policy/targeted.h"

#include <algorithm>
#include <string>

#include "cache/policy/fields.h"
#include "cache/policy/structured.h"

namespace verge::policy {
namespace {

// no-cache or private: true, or a text of field names.
void take_fields(const Item& item, bool& bare, std::vector<std::string>& fields) {
  bare = false; // of doubles the last counts (RFC 9651 section 4.2.2)
  fields.clear();
  if (item.kind == Item::Kind::boolean) {
    bare = item.truth;
    return;
  }
  bool good = item.kind == Item::Kind::string;
  if (good) {
    each_member(item.text, [&](std::string_view name) {
      if (!http::is_token(name)) good = false;
      std::string lower{name};
      std::ranges::transform(lower, lower.begin(), http::lower);
      fields.push_back(std::move(lower));
    });
  }
  if (!good || fields.empty()) bare = true;
}

void take(ResponseDirectives& out, std::string_view key, const Item& item) {
  const bool on = item.kind == Item::Kind::boolean && item.truth;
  const bool not_off = item.kind != Item::Kind::boolean || item.truth;
  std::optional<Seconds> seconds;
  if (item.kind == Item::Kind::integer && item.number >= 0) seconds = std::min(Seconds{item.number}, kMaxDelta);
  if (key == "max-age") {
    out.max_age = seconds;
  } else if (key == "s-maxage") {
    out.s_maxage = seconds;
  } else if (key == "stale-while-revalidate") {
    out.stale_while_revalidate = seconds;
  } else if (key == "stale-if-error") {
    out.stale_if_error = seconds;
  } else if (key == "no-cache") {
    take_fields(item, out.no_cache, out.no_cache_fields);
  } else if (key == "private") {
    take_fields(item, out.private_, out.private_fields);
  } else if (key == "no-store") {
    out.no_store = not_off;
  } else if (key == "public") {
    out.public_ = on;
  } else if (key == "must-revalidate") {
    out.must_revalidate = on;
  } else if (key == "proxy-revalidate") {
    out.proxy_revalidate = on;
  } else if (key == "must-understand") {
    out.must_understand = on;
  } else if (key == "no-transform") {
    out.no_transform = on;
  } else if (key == "immutable") {
    out.immutable = on;
  }
}

} // namespace

std::optional<ResponseDirectives> targeted_directives(const http::Headers& headers, std::string_view name) {
  if (!headers.has(name)) return std::nullopt;
  ResponseDirectives out;
  out.targeted = true;
  bool any = false;
  const bool good = read_dictionary(headers.joined(name), [&](std::string_view key, const Item& item) {
    any = true;
    take(out, key, item);
  });
  if (!good || !any) return std::nullopt;
  return out;
}

} // namespace verge::policy
