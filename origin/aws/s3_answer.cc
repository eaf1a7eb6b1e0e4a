#include "origin/aws/s3_answer.h"

#include <fmt/core.h>

#include <array>

#include "proxy/http/grammar.h"

namespace verge::origin::aws {
namespace {

// Fields of the object, kept; everything else (x-amz-*, x-rgw-*, server) is between S3 and us.
constexpr std::array<std::string_view, 8> kKept = {
    "etag", "last-modified", "cache-control", "expires", "accept-ranges", "date", "vary", "x-amz-meta-cache-tag"};

bool is_kept(std::string_view name) noexcept {
  if (name.starts_with("content-")) return true;
  for (const auto kept : kKept) {
    if (name == kept) return true;
  }
  return false;
}

// The text of the first <name> element: S3's errors are flat and carry no attributes on these.
std::string element(std::string_view xml, std::string_view name) {
  const std::string open = fmt::format("<{}>", name), close = fmt::format("</{}>", name);
  const size_t begin = xml.find(open);
  if (begin == std::string_view::npos) return {};
  const size_t text = begin + open.size(), end = xml.find(close, text);
  if (end == std::string_view::npos) return {};
  return std::string(xml.substr(text, std::min<size_t>(end - text, 512)));
}

S3Verdict page(int status, std::string_view method) {
  S3Verdict out;
  const std::string_view phrase = http::reason_phrase(status);
  out.head.status = status;
  out.head.headers.add("content-type", "text/html; charset=utf-8");
  out.body = fmt::format("<!doctype html>\n<title>{0} {1}</title>\n<h1>{1}</h1>\n", status, phrase);
  out.head.content_length = out.body.size();
  if (method == "HEAD") out.body.clear();
  return out;
}

std::unexpected<Error> wrong(int status, const S3Fault& fault, std::string_view bucket, std::string_view mend) {
  return fail(Errc::bad_input,
              fmt::format("S3 bucket {} answered {} {}{}{}; {}", bucket, status,
                          fault.code.empty() ? "without a code" : fault.code, fault.message.empty() ? "" : ": ",
                          fault.message, mend),
              Side::origin);
}

std::string_view how_to_mend(int status, std::string_view code) noexcept {
  if (code == "InvalidAccessKeyId" || code == "InvalidToken" || code == "ExpiredToken" ||
      code == "TokenRefreshRequired")
    return "renew the origin's credentials";
  if (code == "SignatureDoesNotMatch") return "check secret_access_key, and that nothing between rewrites the request";
  if (code == "RequestTimeTooSkewed") return "set this machine's clock (NTP): it is more than 15 minutes off";
  if (code == "NoSuchBucket") return "check bucket, region and endpoint";
  if (code == "AuthorizationHeaderMalformed" || code == "IllegalLocationConstraintException")
    return "set the origin's region to the bucket's";
  if (code == "InvalidObjectState") return "the object is archived: restore it or change its storage class";
  if (code.starts_with("KMS.")) return "allow the origin's credentials to use the bucket's KMS key";
  if (status < 400) return "set the origin's region and endpoint to the bucket's own";
  return "check the origin's rows and the bucket's policy";
}

} // namespace

S3Fault s3_fault(std::string_view body) {
  if (!body.contains("<Error>") && !body.contains("<Error ")) return {};
  return {element(body, "Code"), element(body, "Message"), element(body, "Region"), element(body, "ActualObjectSize")};
}

S3Head s3_head(const http::ResponseHead& from_s3) {
  S3Head out;
  if (const auto location = from_s3.headers.get("x-amz-website-redirect-location"); location && !location->empty()) {
    out.redirect = true;
    out.head.status = 301;
    out.head.content_length = 0;
    for (const std::string_view name : {"cache-control", "expires", "date", "x-amz-meta-cache-tag"}) {
      if (const auto value = from_s3.headers.get(name)) out.head.headers.add(name, *value);
    }
    out.head.headers.add("location", *location);
    return out;
  }
  out.head.status = from_s3.status;
  out.head.content_length = from_s3.content_length;
  for (const http::Field field : from_s3.headers) {
    if (is_kept(field.name)) out.head.headers.add(field.name, field.value);
  }
  return out;
}

Result<S3Verdict> s3_verdict(const http::ResponseHead& from_s3, const S3Fault& fault, std::string_view method,
                             std::string_view bucket) {
  const int status = from_s3.status;
  const std::string_view code = fault.code;
  const bool no_code = code.empty(); // HEAD, or a server that sends no body
  switch (status) {
    case 404:
      if (code == "NoSuchBucket") break;
      return page(404, method);
    case 405: return page(404, method); // a delete marker
    case 403:
      if (code != "AccessDenied" && !no_code) break;
      {
        // Without s3:ListBucket, S3 says 403 for a missing key; but it says so for a forbidden one too.
        S3Verdict out = page(404, method);
        out.warning = fmt::format(
            "S3 bucket {} answered 403 {}; told as 404. If objects that exist are affected, allow s3:GetObject to the "
            "origin's credentials; with s3:ListBucket, S3 says 404 itself",
            bucket, no_code ? "without a code" : code);
        // To HEAD, S3 gives no code, so this may as well be a wrong key: not to be remembered.
        if (no_code) out.head.headers.add("cache-control", "no-store");
        return out;
      }
    case 412: return page(412, method);
    case 416: {
      S3Verdict out = page(416, method);
      if (const auto range = from_s3.headers.get("content-range")) {
        out.head.headers.add("content-range", *range);
      } else if (http::parse_digits(fault.actual_object_size)) {
        out.head.headers.add("content-range", "bytes */" + fault.actual_object_size);
      }
      return out;
    }
    case 429:
    case 503: {
      S3Verdict out = page(503, method);
      out.head.headers.add("cache-control", "no-store");
      if (const auto after = from_s3.headers.get("retry-after")) out.head.headers.add("retry-after", *after);
      out.warning = fmt::format("S3 bucket {} answered {} {}: it asks us to slow down", bucket, status, code);
      return out;
    }
    default: break;
  }
  if (status == 400 && code == "KeyTooLongError") return page(404, method);
  std::string mend(how_to_mend(status, code));
  if (!fault.region.empty()) mend += fmt::format(" ({})", fault.region);
  if (const auto region = from_s3.headers.get("x-amz-bucket-region"); region && fault.region.empty()) {
    mend += fmt::format(" (it is in {})", *region);
  }
  if (status >= 500) mend = "S3 has trouble of its own; nothing to mend here";
  return wrong(status, fault, bucket, mend);
}

S3Verdict s3_not_found(std::string_view method) { return page(404, method); }

} // namespace verge::origin::aws
