#include "cache/policy/reflection.h"

#include <algorithm>

#include "cache/policy/key.h"
#include "cache/policy/usual_values.h"
#include "proxy/http/grammar.h"

namespace verge::policy {
namespace {

constexpr size_t kLeastField = 5, kLeastCookie = 6, kLeastAgent = 8; // shorter values turn up by chance

std::string lowered(std::string_view s) {
  std::string out(s.size(), '\0');
  http::write_lower(out.data(), s);
  return out;
}

// "https://www.example.com/a" -> "www.example.com"; empty: not an absolute URL.
std::string_view host_of(std::string_view url) noexcept {
  if (!url.starts_with("http://") && !url.starts_with("https://")) return {};
  return key_parts(url).host;
}

// Nothing but what a link has.
bool plain_url(std::string_view url) noexcept {
  return std::ranges::all_of(url, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("/-_.~?=&:@+,").find(c) != std::string_view::npos;
  });
}

class Collector {
 public:
  explicit Collector(std::string_view key)
      : key_(lowered(key)), site_(std::string_view(key_).substr(0, key_.find('/', key_.find("://") + 3))) {
    own_host_ = key_parts(key).host;
  }

  void field(std::string_view name, std::string_view value) {
    if (is_usual(name, value)) return;
    if (name == "referer") return referer(value);
    if (name == "origin") return add(name, value, kLeastField, http::iequals(host_of(value), own_host_), true);
    add(name, value, name == "user-agent" ? kLeastAgent : kLeastField);
    if (name == "authorization") {
      const size_t space = value.find(' ');
      if (space != value.npos) add(name, http::trim(value.substr(space)), kLeastAgent);
    }
  }

  void cookies(std::string_view value) {
    while (!value.empty()) {
      const size_t end = std::min(value.find(';'), value.size());
      cookie(http::trim(value.substr(0, end)));
      value.remove_prefix(std::min(end + 1, value.size()));
    }
  }

  std::vector<Unkeyed> take() { return std::move(out_); }

 private:
  // A page's links name the site's own pages, whichever of them the visitor came from.
  void referer(std::string_view value) {
    if (http::iequals(host_of(value), own_host_) && plain_url(value)) return;
    add("referer", value, kLeastField, false, plain_url(value) && key_parts(value).path_and_query.size() <= 1);
  }

  void cookie(std::string_view pair) {
    const size_t equals = pair.find('=');
    const std::string_view name = http::trim(pair.substr(0, equals));
    std::string_view value = equals == pair.npos ? std::string_view{} : http::trim(pair.substr(equals + 1));
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
    const std::string shown = "cookie " + std::string(name.substr(0, 64));
    add(shown, value, kLeastCookie);
    if (!std::ranges::all_of(name, [](char c) { return http::is_token({&c, 1}); })) add(shown, name, kLeastCookie);
  }

  // What stands in the key may stand in the answer: the site's own name, and of the rest what is a plain word. Anybody
  // can put anything into a URL to have it excused, but a word without dots leads nowhere and is no markup.
  bool excused(std::string_view value) const {
    const std::string lower = lowered(value);
    if (site_.find(lower) != site_.npos) return true;
    return key_.find(lower) != key_.npos && std::ranges::all_of(lower, [](char c) {
             return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
           });
  }

  void add(std::string_view name, std::string_view value, size_t least, bool head_only = false, bool bounded = false) {
    value = http::trim(value);
    if (value.size() < least || excused(value)) return;
    out_.push_back({std::string(name), std::string(value), head_only, bounded});
  }

  std::string key_;       // lower case
  std::string_view site_; // scheme and authority in it
  std::string_view own_host_;
  std::vector<Unkeyed> out_;
};

bool listed(const std::vector<std::string>& sorted, std::string_view name) {
  return std::ranges::binary_search(sorted, name, std::less<>{});
}

} // namespace

std::vector<Unkeyed> unkeyed_values(const http::Headers& forwarded, const std::vector<std::string>& in_key,
                                    const std::vector<std::string>& vary, std::string_view key) {
  Collector c(key);
  for (const http::Field field : forwarded) {
    if (listed(in_key, field.name) || listed(vary, field.name)) continue;
    field.name == "cookie" ? c.cookies(field.value) : c.field(field.name, field.value);
  }
  return c.take();
}

std::vector<Unkeyed> unkeyed_parameters(std::string_view query, std::string_view key) {
  const std::string_view url = key.substr(0, key.find('\n'));
  const size_t mark = url.find('?');
  const std::string kept = "&" + std::string(mark == url.npos ? std::string_view{} : url.substr(mark + 1)) + "&";
  std::vector<Unkeyed> out;
  while (!query.empty()) {
    const size_t end = std::min(query.find('&'), query.size());
    const std::string part(query.substr(0, end));
    query.remove_prefix(std::min(end + 1, query.size()));
    const size_t equals = part.find('=');
    if (kept.find("&" + part + "&") != kept.npos) continue;
    const std::string value = equals == part.npos ? part : part.substr(equals + 1);
    if (value.size() < kLeastField) continue;
    Unkeyed u;
    u.name = "parameter " + part.substr(0, std::min<size_t>(equals, 64));
    u.value = value;
    out.push_back(std::move(u));
  }
  return out;
}

bool is_readable(const http::Headers& response) {
  for (const http::Field field : response) {
    if (field.name == "content-encoding" && !http::iequals(field.value, "identity")) return false;
  }
  const std::string type = lowered(response.get("content-type").value_or(""));
  if (type.starts_with("image/")) return type.starts_with("image/svg");
  return !type.starts_with("video/") && !type.starts_with("audio/") && !type.starts_with("font/");
}

} // namespace verge::policy
