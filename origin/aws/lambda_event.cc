#include "origin/aws/lambda_event.h"

#include <fmt/core.h>

#include <array>
#include <chrono>
#include <nlohmann/json.hpp>

#include "origin/aws/encoding.h"
#include "proxy/base/request_id.h"
#include "proxy/http/grammar.h"

namespace verge::origin::aws {
namespace {

using Json = nlohmann::ordered_json;

// A JSON object of texts in which a second value of one name is appended to the first. Small, so searched in line.
void append_joined(Json& object, const std::string& name, std::string_view value) {
  if (const auto found = object.find(name); found != object.end()) {
    auto& text = found->get_ref<std::string&>();
    text.append(",").append(value);
  } else {
    object.emplace(name, std::string(value));
  }
}

std::string decode_query_part(std::string_view part) {
  std::string text(part);
  for (char& c : text) {
    if (c == '+') c = ' ';
  }
  return percent_decode(text);
}

Json query_parameters(std::string_view query) {
  Json out = Json::object();
  while (!query.empty()) {
    const size_t end = query.find('&');
    const std::string_view part = query.substr(0, end);
    query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
    if (part.empty()) continue;
    const size_t equals = part.find('=');
    const std::string_view value = equals == std::string_view::npos ? std::string_view() : part.substr(equals + 1);
    append_joined(out, decode_query_part(part.substr(0, equals)), decode_query_part(value));
  }
  return out;
}

Json cookies(const http::Headers& headers) {
  Json out = Json::array();
  for (const http::Field field : headers) {
    if (field.name != "cookie") continue;
    std::string_view rest = field.value;
    while (!rest.empty()) {
      const size_t end = rest.find(';');
      const std::string_view one = http::trim(rest.substr(0, end));
      rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
      if (!one.empty()) out.push_back(std::string(one));
    }
  }
  return out;
}

Json header_fields(const http::RequestHead& head, const ClientInfo& client, size_t body_size) {
  Json out = Json::object();
  for (const http::Field field : head.headers) {
    const bool ours = field.name == "cookie" || field.name == "host" || field.name == "content-length" ||
                      field.name.starts_with("x-forwarded-") || field.name.starts_with("x-amzn-tls-");
    if (!ours) append_joined(out, std::string(field.name), field.value);
  }
  out["host"] = client.host;
  if (head.has_body) out["content-length"] = std::to_string(body_size);
  out["x-forwarded-for"] = client.address;
  out["x-forwarded-proto"] = client.scheme;
  const uint16_t usual = client.scheme == "https" ? 443 : 80;
  out["x-forwarded-port"] = std::to_string(http::split_authority(client.host).port.value_or(usual));
  if (client.tls != nullptr) {
    out["x-amzn-tls-version"] = client.tls->version;
    out["x-amzn-tls-cipher-suite"] = client.tls->cipher;
  }
  return out;
}

// "a1:b2:c3" of "A1B2C3".
std::string colons(std::string_view hexadecimal) {
  std::string out;
  for (size_t i = 0; i < hexadecimal.size(); ++i) {
    if (i > 0 && (hexadecimal.size() - i) % 2 == 0) out += ':';
    out += http::lower(hexadecimal[i]);
  }
  return out;
}

Json client_certificate(const net::TlsInfo& tls) {
  return {{"clientCertPem", tls.client_cert_pem},
          {"subjectDN", tls.client_subject},
          {"issuerDN", tls.client_issuer},
          {"serialNumber", colons(tls.client_serial)},
          {"validity", {{"notBefore", tls.client_not_before}, {"notAfter", tls.client_not_after}}}};
}

// "12/Mar/2020:19:03:58 +0000"
std::string log_time(WallTime now) {
  static constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                               "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto day = std::chrono::floor<std::chrono::days>(now);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(std::chrono::floor<std::chrono::seconds>(now) - day);
  return fmt::format("{:02}/{}/{:04}:{:02}:{:02}:{:02} +0000", static_cast<unsigned>(date.day()),
                     kMonths[static_cast<unsigned>(date.month()) - 1], static_cast<int>(date.year()),
                     time.hours().count(), time.minutes().count(), time.seconds().count());
}

Json request_context(const http::RequestHead& head, const ClientInfo& client, WallTime now) {
  const std::string domain(http::split_authority(client.host).host);
  Json out = {{"accountId", "anonymous"}, {"apiId", "verge"}};
  if (client.tls != nullptr && !client.tls->client_cert_pem.empty()) {
    out["authentication"] = {{"clientCert", client_certificate(*client.tls)}};
  }
  out["domainName"] = domain;
  out["domainPrefix"] = domain.substr(0, domain.find('.'));
  out["http"] = {{"method", head.method},
                 {"path", head.path},
                 {"protocol", std::string(http::to_string(head.version))},
                 {"sourceIp", client.address},
                 {"userAgent", std::string(head.headers.get("user-agent").value_or(""))}};
  out["requestId"] = request_id_text(client.request_id);
  out["routeKey"] = "$default";
  out["stage"] = "$default";
  out["time"] = log_time(now);
  out["timeEpoch"] = now.time_since_epoch().count();
  return out;
}

} // namespace

bool is_text_type(std::string_view content_type) noexcept {
  const std::string_view type = http::trim(content_type.substr(0, content_type.find(';')));
  return http::iequals(type.substr(0, 5), "text/") || http::iequals(type, "application/json") ||
         http::iequals(type, "application/xml") || http::iequals(type, "application/javascript");
}

std::string lambda_event(const http::RequestHead& head, const ClientInfo& client, std::string_view body, WallTime now) {
  Json event = {{"version", "2.0"}, {"routeKey", "$default"}, {"rawPath", head.path}, {"rawQueryString", head.query}};
  if (Json list = cookies(head.headers); !list.empty()) event["cookies"] = std::move(list);
  event["headers"] = header_fields(head, client, body.size());
  if (Json query = query_parameters(head.query); !query.empty()) event["queryStringParameters"] = std::move(query);
  event["requestContext"] = request_context(head, client, now);
  bool encoded = false;
  if (!body.empty()) {
    // A coded body (gzip) is not text, whatever its type says.
    encoded = head.headers.has("content-encoding") || !is_text_type(head.headers.get("content-type").value_or("")) ||
              !is_utf8(body);
    event["body"] = encoded ? base64_encode(body) : std::string(body);
  }
  event["isBase64Encoded"] = encoded;
  return event.dump(-1, ' ', false, Json::error_handler_t::replace);
}

} // namespace verge::origin::aws
