#include "origin/aws/sigv4.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "origin/aws/encoding.h"
#include "proxy/http/grammar.h"

namespace verge::origin::aws {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";
constexpr size_t kKeysHeld = 8;

// Fields that somebody on the way may change, so a signature over them breaks.
constexpr std::array<std::string_view, 14> kNeverSigned = {
    "authorization", "connection", "keep-alive",      "te",  "trailer",   "transfer-encoding", "upgrade",
    "user-agent",    "expect",     "accept-encoding", "via", "forwarded", "x-amzn-trace-id",   "x-forwarded-for"};

bool signable(std::string_view name) noexcept { return std::ranges::find(kNeverSigned, name) == kNeverSigned.end(); }

std::string normal_path(std::string_view path) {
  std::vector<std::string_view> segments;
  for (size_t i = 0; i < path.size();) {
    const size_t end = std::min(path.find('/', i), path.size());
    const std::string_view segment = path.substr(i, end - i);
    if (segment == "..") {
      if (!segments.empty()) segments.pop_back();
    } else if (!segment.empty() && segment != ".") {
      segments.push_back(segment);
    }
    i = end + 1;
  }
  std::string out;
  for (const auto segment : segments) out.append("/").append(segment);
  if (out.empty() || path.ends_with('/')) out += '/';
  return out;
}

// Outer blanks off, every inner run of blanks one space.
void append_value(std::string& out, std::string_view value) {
  bool blank = false;
  for (const char c : http::trim(value)) {
    if (c == ' ' || c == '\t') {
      blank = true;
      continue;
    }
    if (blank) out += ' ';
    blank = false;
    out += c;
  }
}

} // namespace

std::string amz_date(WallTime now) {
  const auto day = std::chrono::floor<std::chrono::days>(now);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(std::chrono::floor<std::chrono::seconds>(now) - day);
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), time.hours().count(),
                     time.minutes().count(), time.seconds().count());
}

std::string canonical_path(std::string_view path, PathRule rule) {
  if (path.empty()) return "/";
  if (rule == PathRule::verbatim) return std::string(path);
  return percent_encode(normal_path(path), true);
}

std::string canonical_query(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> pairs;
  while (!query.empty()) {
    const size_t end = query.find('&');
    const std::string_view part = query.substr(0, end);
    query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
    if (part.empty()) continue;
    const size_t equals = part.find('=');
    const std::string_view value = equals == std::string_view::npos ? std::string_view() : part.substr(equals + 1);
    pairs.emplace_back(percent_encode(percent_decode(part.substr(0, equals)), false),
                       percent_encode(percent_decode(value), false));
  }
  std::ranges::sort(pairs);
  std::string out;
  for (const auto& [name, value] : pairs) {
    if (!out.empty()) out += '&';
    out.append(name).append("=").append(value);
  }
  return out;
}

CanonicalHeaders canonical_headers(const http::Headers& headers) {
  // By name, lines of one name in their order.
  std::vector<std::pair<std::string_view, size_t>> order;
  for (size_t i = 0; i < headers.size(); ++i) order.emplace_back(headers.at(i).name, i);
  std::ranges::sort(order);
  CanonicalHeaders out;
  for (size_t i = 0; i < order.size(); ++i) {
    const std::string_view name = order[i].first;
    if (i > 0 && name == order[i - 1].first) {
      out.text.back() = ','; // in place of the line's end
    } else {
      out.text.append(name).append(":");
      if (!out.signed_names.empty()) out.signed_names += ';';
      out.signed_names.append(name);
    }
    append_value(out.text, headers.at(order[i].second).value);
    out.text += '\n';
  }
  return out;
}

std::string canonical_request(std::string_view method, std::string_view canonical_path,
                              std::string_view canonical_query, const CanonicalHeaders& headers,
                              std::string_view payload_hash) {
  return fmt::format("{}\n{}\n{}\n{}\n{}\n{}", method, canonical_path, canonical_query, headers.text,
                     headers.signed_names, payload_hash);
}

std::string credential_scope(std::string_view amz_date, std::string_view region, std::string_view service) {
  return fmt::format("{}/{}/{}/aws4_request", amz_date.substr(0, 8), region, service);
}

std::string string_to_sign(std::string_view amz_date, std::string_view scope, std::string_view canonical_request) {
  return fmt::format("{}\n{}\n{}\n{}", kAlgorithm, amz_date, scope, hex(sha256(canonical_request)));
}

Digest signing_key(std::string_view secret, std::string_view amz_date, std::string_view region,
                   std::string_view service) {
  Digest key = hmac_sha256(std::string("AWS4").append(secret), amz_date.substr(0, 8));
  key = hmac_sha256(octets(key), region);
  key = hmac_sha256(octets(key), service);
  return hmac_sha256(octets(key), "aws4_request");
}

const Digest& Signer::key_for(const Credentials& credentials, std::string_view date) {
  std::string name = std::string(date.substr(0, 8)).append("/").append(credentials.secret_access_key);
  if (const auto found = keys_.find(name); found != keys_.end()) return found->second;
  if (keys_.size() >= kKeysHeld) keys_.clear(); // yesterday's, and those of rotated secrets
  const Digest key = signing_key(credentials.secret_access_key, date, region_, service_);
  return keys_.emplace(std::move(name), key).first->second;
}

http::Headers Signer::sign(const SignRequest& request, const Credentials& credentials, WallTime now) {
  const std::string date = amz_date(now);
  http::Headers added;
  added.add("x-amz-date", date);
  if (!credentials.session_token.empty()) added.add("x-amz-security-token", credentials.session_token);
  if (send_payload_hash_) added.add("x-amz-content-sha256", request.payload_hash);

  http::Headers to_sign;
  to_sign.add("host", request.host);
  for (const http::Field field : added) to_sign.add(field.name, field.value);
  if (request.headers != nullptr) {
    for (const http::Field field : *request.headers) {
      if (field.name != "host" && signable(field.name) && !added.has(field.name)) to_sign.add(field.name, field.value);
    }
  }
  const CanonicalHeaders headers = canonical_headers(to_sign);
  const std::string scope = credential_scope(date, region_, service_);
  const std::string canonical = canonical_request(request.method, canonical_path(request.path, rule_),
                                                  canonical_query(request.query), headers, request.payload_hash);
  const Digest signature = hmac_sha256(octets(key_for(credentials, date)), string_to_sign(date, scope, canonical));
  added.add("authorization", fmt::format("{} Credential={}/{}, SignedHeaders={}, Signature={}", kAlgorithm,
                                         credentials.access_key_id, scope, headers.signed_names, hex(signature)));
  return added;
}

} // namespace verge::origin::aws
