#include "cache/policy/select.h"

#include <algorithm>

#include "cache/policy/fields.h"
#include "cache/policy/vary.h"
#include "proxy/http/grammar.h"

namespace verge::policy {
namespace {

constexpr size_t kMostOffer = 128; // octets; what is longer only answers its own request

std::string lowered(std::string_view s) {
  std::string out{s};
  std::ranges::transform(out, out.begin(), http::lower);
  return out;
}

// The only member of the field over all its lines; empty if there is none, or several.
std::string_view only_member(const http::Headers& headers, std::string_view name) {
  std::string_view only;
  int count = 0;
  each_member(headers, name, [&](std::string_view member) {
    only = member;
    ++count;
  });
  return count == 1 ? only : std::string_view{};
}

// "text/html" of "text/html; charset=utf-8"; empty when another parameter tells it from others of its type.
std::string_view plain_type(std::string_view content_type) noexcept {
  const size_t semicolon = std::min(content_type.find(';'), content_type.size());
  const std::string_view parameter = http::trim(content_type.substr(std::min(semicolon + 1, content_type.size())));
  if (!parameter.empty() && (parameter.find(';') != std::string_view::npos || parameter.size() < 8 ||
                             !http::iequals(parameter.substr(0, 8), "charset="))) {
    return {};
  }
  return http::trim(content_type.substr(0, semicolon));
}

std::string_view same_coding(std::string_view coding) noexcept {
  return http::iequals(coding, "x-gzip") ? std::string_view("gzip") : coding; // RFC 9110 section 8.4.1.3
}

std::string offer(std::string_view field, std::string_view values, const http::Headers& response) {
  std::string out;
  if (field == "accept-language") {
    out = lowered(only_member(response, "content-language"));
  } else if (field == "accept") {
    out = lowered(plain_type(only_member(response, "content-type")));
  } else if (field == "accept-encoding") {
    const bool coded = response.has("content-encoding");
    const std::string_view coding = coded ? only_member(response, "content-encoding") : std::string_view("identity");
    if (coding.empty()) return out;
    out = lowered(same_coding(coding));
    // A client that said nothing left it to the origin: that tells nothing of what it would choose for others.
    if (values.starts_with('+')) out.append(" ").append(values.substr(1));
  }
  if (out.size() > kMostOffer || out.find('\n') != std::string::npos) out.clear();
  return out;
}

} // namespace

std::string_view take_line(std::string_view& text) noexcept {
  const size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

std::string offers(const std::vector<std::string>& fields, std::string_view values, const http::Headers& response) {
  std::string out;
  bool any = false;
  for (size_t i = 0; i < fields.size(); ++i) {
    if (i > 0) out += '\n';
    const std::string line = offer(fields[i], take_line(values), response);
    any = any || !line.empty();
    out += line;
  }
  return any ? out : std::string();
}

const std::string& Asker::values(const std::vector<std::string>& fields) {
  if (!worked_out_ || fields != fields_) {
    fields_ = fields;
    values_ = vary_key(fields, request_);
    worked_out_ = true;
  }
  return values_;
}

bool Asker::selects(const std::vector<std::string>& fields, std::string_view values, const http::Headers& response) {
  if (fields.empty()) return true;
  std::string_view mine = this->values(fields);
  if (mine == values) return true;
  for (const std::string& field : fields) {
    const std::string_view line = take_line(values);
    if (take_line(mine) != line && !settles(field, offer(field, line, response))) return false;
  }
  return true;
}

const std::optional<std::string_view>& Asker::first(std::string_view field) {
  First& f = field == "accept-language" ? language_ : field == "accept" ? type_ : coding_;
  if (!f.known) {
    f.value = first_choice(request_, field);
    f.known = true;
  }
  return f.value;
}

bool Asker::settles(std::string_view field, std::string_view offer) {
  if (offer.empty()) return false;
  if (field == "accept-encoding") return settles_coding(offer);
  if (field != "accept-language" && field != "accept") return false;
  const auto& wish = first(field);
  return wish && http::iequals(*wish, offer);
}

bool Asker::settles_coding(std::string_view offer) {
  const size_t space = std::min(offer.find(' '), offer.size());
  const std::string_view coding = offer.substr(0, space);
  const auto& wish = first("accept-encoding");
  if (wish && http::iequals(same_coding(*wish), coding)) return true;
  if (space == offer.size()) return false;

  const Codings could = parse_codings(offer.substr(space + 1));
  // Without the field every coding is acceptable (RFC 9110 section 12.5.3), as it comes most of all.
  if (!request_.has("accept-encoding")) return coding == "identity";
  // It likes another one better; but identity was sent to one who would have taken that.
  if (wish && coding != "identity") return false;
  if (!codings_) codings_ = accepted_codings(request_);
  const Codings& can = *codings_;
  if (could.star || can.star || (could.no_identity && !can.no_identity)) return false;
  for (size_t i = 0; i < kCodings.size(); ++i) {
    if (can.accepted[i] && !could.accepted[i]) return false;
  }
  if (!std::ranges::includes(could.others, can.others)) return false;
  if (coding == "identity") return !can.no_identity;
  for (size_t i = 0; i < kCodings.size(); ++i) {
    if (coding == kCodings[i]) return can.accepted[i];
  }
  return std::ranges::binary_search(can.others, coding);
}

bool selects(const std::vector<std::string>& fields, std::string_view values, const http::Headers& response,
             const http::Headers& request) {
  return Asker(request).selects(fields, values, response);
}

} // namespace verge::policy
