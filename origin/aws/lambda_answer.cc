#include "origin/aws/lambda_answer.h"

#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "origin/aws/encoding.h"
#include "proxy/http/grammar.h"

namespace verge::origin::aws {
namespace {

using Json = nlohmann::json;

constexpr size_t kMaxDepth = 200; // nlohmann's writer calls itself for each level
constexpr size_t kMaxWarnings = 8;

std::unexpected<Error> nonsense(std::string what, Retry retry = Retry::never) {
  return fail(Errc::bad_input, std::move(what), Side::origin, retry);
}

bool is_space(char c) noexcept { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// `json` (valid) without blanks between its tokens; numbers, escapes and order stay as they are.
std::string compact(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  bool in_text = false;
  for (size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (in_text) {
      out += c;
      if (c == '\\' && i + 1 < json.size()) out += json[++i];
      in_text = c != '"';
    } else if (!is_space(c)) {
      out += c;
      in_text = c == '"';
    }
  }
  return out;
}

// Counted before parsing, since the parser itself has no limit.
bool is_too_deep(std::string_view json) noexcept {
  size_t depth = 0;
  bool in_text = false;
  for (size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (in_text) {
      if (c == '\\') ++i;
      in_text = c != '"';
    } else if (c == '"') {
      in_text = true;
    } else if (c == '[' || c == '{') {
      if (++depth > kMaxDepth) return true;
    } else if ((c == ']' || c == '}') && depth > 0) {
      --depth;
    }
  }
  return false;
}

void warn(LambdaAnswer& out, std::string text) {
  if (out.warnings.size() < kMaxWarnings) out.warnings.push_back(std::move(text));
}

Result<int> status_of(const Json& value) {
  int64_t status = 0;
  if (value.is_number_integer()) {
    status = value.is_number_unsigned() && value.get<uint64_t>() > 999 ? 0 : value.get<int64_t>();
  } else if (value.is_number_float()) {
    const double number = value.get<double>();
    if (number >= 200 && number <= 599) status = static_cast<int64_t>(number);
    if (static_cast<double>(status) != number) status = 0;
  } else if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    if (text.size() == 3) status = static_cast<int64_t>(http::parse_digits(text).value_or(0));
  }
  if (status < 200 || status > 599) return nonsense("the function's statusCode is not a number from 200 to 599");
  return static_cast<int>(status);
}

// The text of a header value; none if it is no single value.
std::optional<std::string> field_text(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_boolean() || value.is_number()) return value.dump();
  return std::nullopt;
}

void add_field(LambdaAnswer& out, std::string_view name, std::string_view value) {
  value = http::trim(value);
  if (!http::is_token(name)) {
    warn(out, "a header whose name is not a token");
  } else if (!http::is_field_value(value)) {
    warn(out, fmt::format("header {}: its value has control characters", name));
  } else {
    out.head.headers.add(name, value);
  }
}

void add_fields(LambdaAnswer& out, const Json& answer) {
  if (const auto headers = answer.find("headers"); headers != answer.end() && !headers->is_null()) {
    if (!headers->is_object()) warn(out, "headers: is not an object");
    if (headers->is_object()) {
      for (const auto& [name, value] : headers->items()) {
        if (value.is_null()) continue;
        if (const auto text = field_text(value)) {
          add_field(out, name, *text);
        } else {
          warn(out, fmt::format("header {}: is not a text", http::is_token(name) ? name : "?"));
        }
      }
    }
  }
  if (const auto list = answer.find("cookies"); list != answer.end() && !list->is_null()) {
    if (!list->is_array()) warn(out, "cookies: is not a list");
    if (list->is_array()) {
      for (const Json& cookie : *list) {
        if (cookie.is_string()) {
          add_field(out, "set-cookie", cookie.get_ref<const std::string&>());
        } else {
          warn(out, "a cookie that is not a text");
        }
      }
    }
  }
}

Result<std::string> body_of(const Json& answer) {
  const auto body = answer.find("body");
  if (body == answer.end() || body->is_null()) return std::string();
  if (!body->is_string()) return body->dump(); // an object, number or truth value: its JSON text
  const auto& text = body->get_ref<const std::string&>();
  const auto encoded = answer.find("isBase64Encoded");
  if (encoded == answer.end() || !encoded->is_boolean() || !encoded->get<bool>()) return text;
  auto octets = base64_decode(text);
  if (!octets) return nonsense("the function's body says isBase64Encoded but is not Base64");
  return std::move(*octets);
}

// Length and body as the method and status want them.
void finish(LambdaAnswer& out, std::string body, std::string_view method) {
  const auto declared = out.head.headers.get("content-length");
  const std::optional<uint64_t> length = declared ? http::parse_digits(*declared) : std::nullopt;
  out.head.headers.remove("content-length");
  http::remove_hop_by_hop(out.head.headers);
  if (http::status_without_body(out.head.status)) return;
  if (!out.head.headers.has("content-type")) out.head.headers.add("content-type", "application/json");
  if (method == "HEAD") {
    // Many frameworks leave the body of HEAD out and tell its length.
    out.head.content_length = body.empty() ? length : body.size();
    return;
  }
  out.head.content_length = body.size();
  out.body = std::move(body);
}

// "Error" in {"errorType": "Error", ...}, cut to what belongs in a log line.
std::string error_word(const Json& json, const char* name) {
  if (!json.is_object()) return {};
  const auto found = json.find(name);
  if (found == json.end() || !found->is_string()) return {};
  return found->get_ref<const std::string&>().substr(0, 128);
}

std::unexpected<Error> function_error(std::string_view kind, std::string_view body, std::string_view function) {
  const Json json = is_too_deep(body) ? Json() : Json::parse(body, nullptr, false);
  const std::string type = error_word(json, "errorType");
  // Older runtimes give a timeout no type, only this sentence.
  const bool timeout =
      type == "Sandbox.Timedout" || (type.empty() && error_word(json, "errorMessage").contains("Task timed out after"));
  return fail(timeout ? Errc::timeout : Errc::bad_input,
              fmt::format("function {} failed: {} {}; its own log says more", function, kind,
                          !type.empty() ? type : (timeout ? "timeout" : "without errorType")),
              Side::origin);
}

std::string_view how_to_mend(int status) noexcept {
  switch (status) {
    case 400: return "the service did not understand our request";
    case 403: return "check the origin's credentials, the clock, and that they allow lambda:InvokeFunction";
    case 404: return "check function, qualifier and region";
    default: return "the service has trouble of its own";
  }
}

} // namespace

Result<LambdaAnswer> parse_lambda_payload(std::string_view payload, std::string_view method) {
  if (is_too_deep(payload)) return nonsense("the function's answer is nested too deep");
  const Json json = Json::parse(payload, nullptr, false);
  if (json.is_discarded()) return nonsense("the function's answer is not JSON in UTF-8");
  LambdaAnswer out;
  if (!json.is_object() || !json.contains("statusCode")) {
    out.head.status = 200;
    finish(out, json.is_string() ? json.get<std::string>() : compact(payload), method);
    return out;
  }
  auto status = status_of(json["statusCode"]);
  if (!status) return std::unexpected(std::move(status.error()));
  auto body = body_of(json);
  if (!body) return std::unexpected(std::move(body.error()));
  out.head.status = *status;
  add_fields(out, json);
  finish(out, std::move(*body), method);
  return out;
}

Result<LambdaAnswer> lambda_answer(const http::ResponseHead& from_lambda, std::string_view body,
                                   std::string_view function, std::string_view method) {
  const int status = from_lambda.status;
  if (const auto kind = from_lambda.headers.get("x-amz-function-error")) return function_error(*kind, body, function);
  if (status == 200) {
    auto answer = parse_lambda_payload(body, method);
    if (!answer) return std::unexpected(std::move(answer.error()).in(fmt::format("function {}", function)));
    return answer;
  }
  if (status == 429) {
    LambdaAnswer out;
    out.head.status = 503;
    out.head.headers.add("content-type", "text/plain; charset=utf-8");
    out.head.headers.add("cache-control", "no-store");
    if (const auto after = from_lambda.headers.get("retry-after")) out.head.headers.add("retry-after", *after);
    std::string text = "The service is busy; try again in a moment.\n";
    out.head.content_length = text.size();
    if (method != "HEAD") out.body = std::move(text);
    out.warnings.push_back("throttled: the function is at its concurrency limit (429)");
    return out;
  }
  if (status == 413) {
    return fail(Errc::too_large, fmt::format("function {}: the request is larger than Lambda takes (6 MB)", function),
                Side::client);
  }
  std::string type(from_lambda.headers.get("x-amzn-errortype").value_or(""));
  type = type.substr(0, std::min(type.find(':'), type.size())); // "ResourceNotFoundException:http://..."
  const Retry retry = status >= 500 ? Retry::if_idempotent : Retry::never;
  return nonsense(fmt::format("function {}: Lambda answered {} {}; {}", function, status, type, how_to_mend(status)),
                  retry);
}

} // namespace verge::origin::aws
