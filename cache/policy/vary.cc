#include "cache/policy/vary.h"

#include <algorithm>
#include <array>

#include "cache/policy/fields.h"

namespace verge::policy {
namespace {

std::string lowered(std::string_view s) {
  std::string out{s};
  std::ranges::transform(out, out.begin(), http::lower);
  return out;
}

// A member of Accept-Encoding or Accept-Language: `de;q=0.8`, weights in thousandths. What has another parameter, or
// one that is no weight, stays whole: it is then only equal to itself.
struct Weighted {
  std::string_view value;
  int weight = 1000;
};

Weighted split_weight(std::string_view member) noexcept {
  const Weighted whole{member, 1000};
  const size_t semicolon = member.find(';');
  if (semicolon == std::string_view::npos) return whole;
  const std::string_view parameter = http::trim(member.substr(semicolon + 1));
  if (parameter.size() < 3 || http::lower(parameter[0]) != 'q' || parameter[1] != '=') return whole;
  const std::string_view number = parameter.substr(2);
  if (number.size() > 5 || (number[0] != '0' && number[0] != '1') || (number.size() > 1 && number[1] != '.')) {
    return whole;
  }
  int weight = (number[0] - '0') * 1000;
  int unit = 100;
  for (const char c : number.substr(std::min<size_t>(2, number.size()))) {
    if (c < '0' || c > '9') return whole;
    weight += (c - '0') * unit;
    unit /= 10;
  }
  return {http::trim(member.substr(0, semicolon)), std::min(weight, 1000)};
}

void append_sorted(std::string& out, std::vector<std::string>& words) {
  std::ranges::sort(words);
  const auto doubles = std::ranges::unique(words);
  words.erase(doubles.begin(), doubles.end());
  for (size_t i = 0; i < words.size(); ++i) {
    if (i > 0) out += ',';
    out += words[i];
  }
}

// The codings the client can take, whatever it likes best. Codings we do not know are kept too: two clients that can
// take different things never share.
void append_codings(std::string& out, const http::Headers& request) {
  std::vector<std::string> acceptable;
  std::vector<std::string> refused;
  bool any = false;
  bool none_else = false; // "*;q=0"
  each_member(request, "accept-encoding", [&](std::string_view member) {
    const Weighted coding = split_weight(member);
    if (coding.value == "*") {
      (coding.weight > 0 ? any : none_else) = true;
      return;
    }
    std::string name = lowered(coding.value);
    if (name == "x-gzip") name = "gzip";
    (coding.weight > 0 ? acceptable : refused).push_back(std::move(name));
  });
  const auto has = [](const std::vector<std::string>& in, std::string_view name) {
    return std::ranges::find(in, name) != in.end();
  };
  if (any) {
    for (const std::string_view known : {"br", "deflate", "gzip", "zstd"}) {
      if (!has(refused, known)) acceptable.emplace_back(known);
    }
    acceptable.emplace_back("*");
    for (const std::string& name : refused) {
      if (name != "identity") acceptable.push_back(name + ";q=0"); // all but these
    }
  }
  const bool identity = !has(refused, "identity") && (!none_else || has(acceptable, "identity"));
  std::erase(acceptable, "identity"); // acceptable unless it is refused
  if (!identity) acceptable.emplace_back("identity;q=0");
  append_sorted(out, acceptable);
}

// Language tags know no case, and their order means nothing beside the weights (RFC 9110 section 12.5.4).
void append_languages(std::string& out, const http::Headers& request) {
  std::vector<std::string> languages;
  each_member(request, "accept-language", [&](std::string_view member) {
    const Weighted language = split_weight(member);
    std::string word = lowered(language.value);
    if (language.weight < 1000) {
      word += ";q=";
      for (int unit = 100; unit > 0; unit /= 10) word += static_cast<char>('0' + language.weight / unit % 10);
    }
    languages.push_back(std::move(word));
  });
  append_sorted(out, languages);
}

void append_members(std::string& out, const http::Headers& request, std::string_view name) {
  // The one field whose lines HTTP/2 splits at semicolons (RFC 9113 section 8.2.3).
  const bool cookie = name == "cookie";
  bool first = true;
  const auto append = [&](std::string_view text) {
    if (!first) out += cookie ? ';' : ',';
    first = false;
    out += text;
  };
  for (const http::Field field : request) {
    if (field.name != name) continue;
    if (!cookie) {
      each_member(field.value, append);
      continue;
    }
    std::string_view rest = field.value;
    while (!rest.empty()) {
      const size_t end = std::min(rest.find(';'), rest.size());
      if (const std::string_view pair = http::trim(rest.substr(0, end)); !pair.empty()) append(pair);
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
}

} // namespace

std::optional<std::vector<std::string>> vary_fields(const http::Headers& response) {
  std::vector<std::string> fields;
  bool star = false;
  each_member(response, "vary", [&](std::string_view member) {
    if (member == "*") star = true;
    fields.push_back(lowered(member));
  });
  if (star) return std::nullopt;
  std::ranges::sort(fields);
  const auto doubles = std::ranges::unique(fields);
  fields.erase(doubles.begin(), doubles.end());
  return fields;
}

std::string vary_key(const std::vector<std::string>& fields, const http::Headers& request) {
  std::string out;
  for (const std::string& name : fields) {
    // A value can't hold a line feed, so it ends the field; "+" tells an empty value from absence.
    if (!out.empty()) out += '\n';
    if (!request.has(name)) {
      out += '-';
      continue;
    }
    out += '+';
    if (name == "accept-encoding") {
      append_codings(out, request);
    } else if (name == "accept-language") {
      append_languages(out, request);
    } else {
      append_members(out, request, name);
    }
  }
  return out;
}

} // namespace verge::policy
