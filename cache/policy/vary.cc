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

constexpr std::array<std::string_view, 4> kCodings = {"br", "deflate", "gzip", "zstd"};

// Which of kCodings it is, else their number.
size_t coding_index(std::string_view name) noexcept {
  if (http::iequals(name, "x-gzip")) name = "gzip"; // RFC 9110 section 8.4.1.3
  size_t i = 0;
  while (i < kCodings.size() && !http::iequals(name, kCodings[i])) ++i;
  return i;
}

// The codings the client can take, whatever it likes best. Codings we do not know are kept too: two clients that can
// take different things never share. Browsers name none of those, so for them nothing is allocated but `out`.
void append_codings(std::string& out, const http::Headers& request) {
  std::array<bool, kCodings.size()> accepted{}, refused{};
  std::vector<std::string> others; // "x" is accepted, "x;q=0" refused
  bool star = false, no_star = false, identity = false, no_identity = false;
  each_member(request, "accept-encoding", [&](std::string_view member) {
    const Weighted coding = split_weight(member);
    const bool takes = coding.weight > 0;
    if (coding.value == "*") {
      (takes ? star : no_star) = true;
    } else if (http::iequals(coding.value, "identity")) {
      (takes ? identity : no_identity) = true;
    } else if (const size_t i = coding_index(coding.value); i < kCodings.size()) {
      (takes ? accepted : refused)[i] = true;
    } else {
      others.push_back(lowered(coding.value) + (takes ? "" : ";q=0"));
    }
  });
  const size_t start = out.size();
  const auto append = [&](std::string_view word) {
    if (out.size() > start) out += ',';
    out += word;
  };
  for (size_t i = 0; i < kCodings.size(); ++i) {
    if (accepted[i] || (star && !refused[i])) append(kCodings[i]);
  }
  if (star) append("*");
  // Identity is acceptable unless it is refused, by its name or by "*;q=0".
  if (no_identity || (no_star && !identity)) append("identity;q=0");
  if (!others.empty()) {
    // What is refused tells clients apart only where all the rest is welcome.
    if (!star) std::erase_if(others, [](const std::string& word) { return word.ends_with(";q=0"); });
    if (!others.empty()) append("");
    append_sorted(out, others);
  }
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
