#include "origin/aws/s3_request.h"

#include <fmt/core.h>

#include <array>

#include "origin/aws/encoding.h"
#include "origin/aws/endpoints.h"
#include "proxy/http/grammar.h"

namespace verge::origin::aws {
namespace {

constexpr size_t kMaxKey = 1024; // S3 user guide, "Object key names"
constexpr std::array<std::string_view, 4> kConditions = {"if-none-match", "if-modified-since", "if-match",
                                                         "if-unmodified-since"};

bool is_bucket_name(std::string_view s) noexcept {
  if (s.empty() || s.size() > 255) return false;
  for (const char c : s) {
    const bool fits =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
    if (!fits) return false;
  }
  return s != "." && s != "..";
}

bool has_dot_segment(std::string_view key) noexcept {
  for (size_t i = 0; i <= key.size();) {
    const size_t end = std::min(key.find('/', i), key.size());
    const std::string_view segment = key.substr(i, end - i);
    if (segment == "." || segment == "..") return true;
    i = end + 1;
  }
  return false;
}

bool is_single_byte_range(std::string_view range) noexcept {
  const size_t equals = range.find('=');
  return equals != std::string_view::npos && http::iequals(http::trim(range.substr(0, equals)), "bytes") &&
         range.find(',') == std::string_view::npos;
}

} // namespace

Result<S3Location> s3_location(const config::Origin& options) {
  if (!is_bucket_name(options.bucket)) {
    return fail(Errc::config, fmt::format("bucket: \"{}\" is not a bucket name (letters, digits, \".\", \"-\", \"_\")",
                                          options.bucket));
  }
  if (options.region.empty() && (options.endpoint.empty() || !options.anonymous)) {
    return fail(Errc::config, "region: is missing; name the bucket's region, such as eu-west-1");
  }
  const bool path_style = options.path_style || !options.endpoint.empty() || options.bucket.contains('.');
  std::string url = options.endpoint;
  if (url.empty()) {
    const std::string host = service_host("s3", options.region);
    url = path_style ? "https://" + host : fmt::format("https://{}.{}", options.bucket, host);
  }
  S3Location out;
  auto endpoint = parse_http_url(url, &out.path_prefix);
  if (!endpoint) return std::unexpected(std::move(endpoint.error()).in("endpoint"));
  out.endpoint = std::move(*endpoint);
  if (path_style) out.path_prefix.append("/").append(options.bucket);
  return out;
}

std::optional<std::string> s3_key(std::string_view path, std::string_view prefix, std::string_view index) {
  if (path.starts_with('/')) path.remove_prefix(1);
  // An encoded slash would be the same object under a second URL: stored twice, and purged once.
  if (path.find("%2F") != std::string_view::npos || path.find("%2f") != std::string_view::npos) return std::nullopt;
  std::string key = percent_decode(path);
  if (has_dot_segment(key) || key.contains('\0')) return std::nullopt;
  if (key.empty() || key.ends_with('/')) {
    if (index.empty()) return std::nullopt;
    key.append(index);
  }
  key.insert(0, prefix);
  if (key.size() > kMaxKey) return std::nullopt;
  return key;
}

http::RequestHead s3_request(const http::RequestHead& client, const S3Location& location, std::string_view key) {
  http::RequestHead out;
  out.method = client.method;
  out.scheme = location.endpoint.tls ? "https" : "http";
  out.authority = location.endpoint.authority();
  out.path = location.path_prefix + "/" + percent_encode(key, true);
  for (const std::string_view name : kConditions) {
    if (client.headers.has(name)) out.headers.add(name, client.headers.joined(name));
  }
  if (client.headers.count("range") == 1 && !client.headers.has("if-range")) {
    const std::string_view range = *client.headers.get("range");
    if (is_single_byte_range(range)) out.headers.add("range", range);
  }
  return out;
}

} // namespace verge::origin::aws
