#include "cache/policy/negotiation.h"

#include <algorithm>

#include "cache/policy/fields.h"

namespace verge::policy {
namespace {

std::string lowered(std::string_view s) {
  std::string out{s};
  std::ranges::transform(out, out.begin(), http::lower);
  return out;
}

// Thousandths; none: not a qvalue (RFC 9110 section 12.4.2).
std::optional<int> parse_weight(std::string_view number) noexcept {
  if (number.empty() || number.size() > 5 || (number[0] != '0' && number[0] != '1')) return std::nullopt;
  if (number.size() > 1 && number[1] != '.') return std::nullopt;
  int weight = (number[0] - '0') * 1000;
  int unit = 100;
  for (const char c : number.substr(std::min<size_t>(2, number.size()))) {
    if (c < '0' || c > '9') return std::nullopt;
    weight += (c - '0') * unit;
    unit /= 10;
  }
  return std::min(weight, 1000);
}

bool is_weight_parameter(std::string_view parameter) noexcept {
  return parameter.size() >= 2 && http::lower(parameter[0]) == 'q' && parameter[1] == '=';
}

// Where the last parameter's ";" stands, outside quoted strings; npos: there is none.
size_t last_semicolon(std::string_view member) noexcept {
  size_t last = std::string_view::npos;
  for (size_t i = 0; i < member.size();) {
    if (member[i] == '"') {
      const size_t end = end_of_quoted(member, i);
      i = end == std::string_view::npos ? i + 1 : end;
      continue;
    }
    if (member[i] == ';') last = i;
    ++i;
  }
  return last;
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

void append_weight(std::string& out, int weight) {
  if (weight >= 1000) return;
  out += ";q=";
  for (int unit = 100; unit > 0; unit /= 10) out += static_cast<char>('0' + weight / unit % 10);
}

// Which of kCodings it is, else their number.
size_t coding_index(std::string_view name) noexcept {
  if (http::iequals(name, "x-gzip")) name = "gzip"; // RFC 9110 section 8.4.1.3
  size_t i = 0;
  while (i < kCodings.size() && !http::iequals(name, kCodings[i])) ++i;
  return i;
}

// Type, subtype and the parameters' names know no case; their values may.
std::string normal_media_range(std::string_view range) {
  const size_t semicolon = std::min(range.find(';'), range.size());
  std::string out = lowered(http::trim(range.substr(0, semicolon)));
  range.remove_prefix(semicolon);
  if (range.find('"') != std::string_view::npos) return out.append(range); // a quoted value may hold anything
  while (!range.empty()) {
    const size_t end = std::min(range.find(';', 1), range.size());
    const std::string_view parameter = http::trim(range.substr(1, end - 1));
    const size_t equals = std::min(parameter.find('='), parameter.size());
    out += ';';
    out += lowered(parameter.substr(0, equals));
    out += parameter.substr(equals);
    range.remove_prefix(end);
  }
  return out;
}

} // namespace

Weighted split_weight(std::string_view member) noexcept {
  const size_t semicolon = last_semicolon(member);
  if (semicolon == std::string_view::npos) return {member, 1000};
  const std::string_view parameter = http::trim(member.substr(semicolon + 1));
  if (!is_weight_parameter(parameter)) return {member, 1000};
  const auto weight = parse_weight(parameter.substr(2));
  if (!weight) return {member, 1000};
  return {http::trim(member.substr(0, semicolon)), *weight};
}

Codings accepted_codings(const http::Headers& request) {
  Codings out;
  std::array<bool, kCodings.size()> refused{};
  bool no_star = false, identity = false;
  each_member(request, "accept-encoding", [&](std::string_view member) {
    const Weighted coding = split_weight(member);
    const bool takes = coding.weight > 0;
    if (coding.value == "*") {
      (takes ? out.star : no_star) = true;
    } else if (http::iequals(coding.value, "identity")) {
      (takes ? identity : out.no_identity) = true;
    } else if (const size_t i = coding_index(coding.value); i < kCodings.size()) {
      (takes ? out.accepted : refused)[i] = true;
    } else {
      out.others.push_back(lowered(coding.value) + (takes ? "" : ";q=0"));
    }
  });
  for (size_t i = 0; i < kCodings.size(); ++i) out.accepted[i] = out.accepted[i] || (out.star && !refused[i]);
  // Identity is acceptable unless it is refused, by its name or by "*;q=0".
  out.no_identity = out.no_identity || (no_star && !identity);
  // What is refused tells clients apart only where all the rest is welcome.
  if (!out.star) std::erase_if(out.others, [](const std::string& word) { return word.ends_with(";q=0"); });
  std::ranges::sort(out.others);
  const auto doubles = std::ranges::unique(out.others);
  out.others.erase(doubles.begin(), doubles.end());
  return out;
}

void append(std::string& out, const Codings& codings) {
  const size_t start = out.size();
  const auto add = [&](std::string_view word) {
    if (out.size() > start) out += ',';
    out += word;
  };
  for (size_t i = 0; i < kCodings.size(); ++i) {
    if (codings.accepted[i]) add(kCodings[i]);
  }
  if (codings.star) add("*");
  if (codings.no_identity) add("identity;q=0");
  for (const std::string& other : codings.others) add(other);
}

Codings parse_codings(std::string_view text) {
  Codings out;
  each_member(text, [&](std::string_view word) {
    if (const size_t i = coding_index(word); i < kCodings.size()) {
      out.accepted[i] = true;
    } else if (word == "*") {
      out.star = true;
    } else if (word == "identity;q=0") {
      out.no_identity = true;
    } else {
      out.others.emplace_back(word);
    }
  });
  return out;
}

// Language tags know no case, and their order means nothing beside the weights (RFC 9110 section 12.5.4).
void append_languages(std::string& out, const http::Headers& request) {
  std::vector<std::string> languages;
  each_member(request, "accept-language", [&](std::string_view member) {
    const Weighted language = split_weight(member);
    std::string word = lowered(language.value);
    append_weight(word, language.weight);
    languages.push_back(std::move(word));
  });
  append_sorted(out, languages);
}

// Of several ranges the most specific counts, whatever their order (RFC 9110 section 12.5.1).
void append_media_ranges(std::string& out, const http::Headers& request) {
  std::vector<std::string> ranges;
  each_member(request, "accept", [&](std::string_view member) {
    const Weighted range = split_weight(member);
    std::string word = normal_media_range(range.value);
    append_weight(word, range.weight);
    ranges.push_back(std::move(word));
  });
  append_sorted(out, ranges);
}

std::optional<std::string_view> first_choice(const http::Headers& request, std::string_view field) noexcept {
  std::string_view best;
  int weight = 0;
  bool alone = false, readable = true;
  each_member(request, field, [&](std::string_view member) {
    const Weighted w = split_weight(member);
    if (w.value.find_first_of(";\"") != std::string_view::npos) readable = false;
    if (w.weight > weight) {
      best = w.value;
      weight = w.weight;
      alone = true;
    } else if (w.weight == weight && !http::iequals(w.value, best)) {
      alone = false;
    }
  });
  if (!readable || !alone || best.find('*') != std::string_view::npos) return std::nullopt;
  return best;
}

} // namespace verge::policy
