#include "proxy/control/tools/aws_signature.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <vector>

#include "origin/aws/digest.h"
#include "origin/aws/sigv4.h"
#include "proxy/control/tools/purge_callers.h"
#include "proxy/http/grammar.h"

namespace verge::control {
namespace {

namespace aws = origin::aws;

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> out;
  while (true) {
    const size_t end = text.find(at);
    out.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return out;
    text.remove_prefix(end + 1);
  }
}

// "AWS4-HMAC-SHA256 Credential=K/D/R/S/aws4_request, SignedHeaders=a;b, Signature=f00"
struct Authorization {
  std::string_view key_id, date, region, service, terminator, signed_names, signature;
};

std::optional<Authorization> parse_authorization(std::string_view text) {
  if (!text.starts_with(kAlgorithm)) return std::nullopt;
  text.remove_prefix(kAlgorithm.size());
  Authorization out;
  std::string_view credential;
  for (const auto part : split(text, ',')) {
    const auto trimmed = http::trim(part);
    const size_t equals = trimmed.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    const auto name = trimmed.substr(0, equals), value = trimmed.substr(equals + 1);
    auto* member = name == "Credential"      ? &credential
                   : name == "SignedHeaders" ? &out.signed_names
                   : name == "Signature"     ? &out.signature
                                             : nullptr;
    if (member == nullptr || !member->empty() || value.empty()) return std::nullopt;
    *member = value;
  }
  const auto scope = split(credential, '/');
  if (scope.size() != 5 || out.signed_names.empty() || out.signature.empty()) return std::nullopt;
  out.key_id = scope[0];
  out.date = scope[1];
  out.region = scope[2];
  out.service = scope[3];
  out.terminator = scope[4];
  return out;
}

// The fields that are signed, as the client sent them; none: one is named that is not there.
std::optional<http::Headers> signed_fields(const http::RequestHead& head, const std::vector<std::string_view>& names) {
  http::Headers out;
  for (const auto name : names) {
    if (name == "host") {
      out.add("host", head.authority);
    } else if (name == "content-length" && head.content_length) {
      out.add("content-length", fmt::format("{}", *head.content_length));
    } else if (head.headers.has(name)) {
      for (const auto& field : head.headers) {
        if (field.name == name) out.add(name, field.value);
      }
    } else {
      return std::nullopt;
    }
  }
  return out;
}

} // namespace

std::optional<WallTime> parse_amz_date(std::string_view text) {
  if (text.size() != 16 || text[8] != 'T' || text[15] != 'Z') return std::nullopt;
  const auto number = [&text](size_t at, size_t size) {
    int out = -1;
    const auto* end = text.data() + at + size;
    const auto [stop, error] = std::from_chars(text.data() + at, end, out);
    return error == std::errc() && stop == end && out >= 0 ? out : -1;
  };
  const int year = number(0, 4), month = number(4, 2), day = number(6, 2);
  const int hour = number(9, 2), minute = number(11, 2), second = number(13, 2);
  const std::chrono::year_month_day date(std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day)));
  if (year < 0 || month < 0 || day < 0 || !date.ok() || hour < 0 || hour > 23 || minute < 0 || minute > 59 ||
      second < 0 || second > 60) {
    return std::nullopt;
  }
  return WallTime(std::chrono::sys_days(date) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
                  std::chrono::seconds(second));
}

Signed check_signature(const http::RequestHead& head, std::string_view body, const SignatureCheck& check,
                       WallTime now) {
  const auto wrong = [](std::string_view code, std::string message, int status = 403) {
    return Signed{{}, SignatureFault{status, code, std::move(message)}};
  };
  const std::string field = head.headers.joined("authorization");
  if (field.empty()) return wrong("MissingAuthenticationToken", "The request is not signed: Authorization is missing");
  const auto given = parse_authorization(field);
  if (!given) {
    return wrong("IncompleteSignature",
                 "Authorization is not of the form AWS4-HMAC-SHA256 Credential=ID/DATE/REGION/SERVICE/aws4_request, "
                 "SignedHeaders=..., Signature=...",
                 400);
  }
  const auto fault = [&](std::string_view code, std::string message) {
    auto out = wrong(code, std::move(message));
    out.key_id = given->key_id.substr(0, 128);
    return out;
  };
  if (given->service != check.service || given->terminator != "aws4_request") {
    return fault("SignatureDoesNotMatch",
                 fmt::format("Credential should be scoped to correct service: '{}'", check.service));
  }
  const std::string date = head.headers.joined("x-amz-date");
  const auto when = parse_amz_date(date);
  if (!when) return fault("MissingAuthenticationToken", "X-Amz-Date is missing or not of the form YYYYMMDDThhmmssZ");
  if (given->date != std::string_view(date).substr(0, 8)) {
    return fault("SignatureDoesNotMatch", "The date of the credential's scope is not that of X-Amz-Date");
  }
  if (*when < now - check.window || *when > now + check.window) {
    return fault("RequestExpired", fmt::format("Signature expired or not yet valid: X-Amz-Date {} against {} here",
                                               date, aws::amz_date(now)));
  }
  const auto secret = check.secret_of(given->key_id);
  if (!secret || head.headers.has("x-amz-security-token")) {
    return fault("InvalidClientTokenId", "The security token included in the request is invalid");
  }
  const auto names = split(given->signed_names, ';');
  const auto is_signed = [&names](std::string_view name) { return std::ranges::find(names, name) != names.end(); };
  if (!is_signed("host")) return fault("SignatureDoesNotMatch", "'Host' must be a signed header");
  for (const auto& f : head.headers) {
    if (f.name.starts_with("x-amz-") && !is_signed(f.name)) {
      return fault("SignatureDoesNotMatch", fmt::format("'{}' must be a signed header", f.name));
    }
  }
  const auto fields = signed_fields(head, names);
  if (!fields) return fault("SignatureDoesNotMatch", "A signed header is not in the request");
  const std::string payload = aws::hex(aws::sha256(body));
  if (head.headers.has("x-amz-content-sha256") && head.headers.joined("x-amz-content-sha256") != payload) {
    return fault("SignatureDoesNotMatch", "X-Amz-Content-SHA256 is not that of the body");
  }
  const auto canonical =
      aws::canonical_request(head.method, aws::canonical_path(head.path, aws::PathRule::normalized),
                             aws::canonical_query(head.query), aws::canonical_headers(*fields), payload);
  const auto to_sign = aws::string_to_sign(date, aws::credential_scope(date, given->region, given->service), canonical);
  const auto key = aws::signing_key(*secret, date, given->region, given->service);
  const auto expected = aws::hex(aws::hmac_sha256(aws::octets(key), to_sign));
  if (!same_secret(expected, given->signature)) {
    return fault("SignatureDoesNotMatch",
                 "The request signature we calculated does not match the signature you provided. Check your AWS Secret "
                 "Access Key and signing method.");
  }
  return {std::string(given->key_id), std::nullopt};
}

} // namespace verge::control
