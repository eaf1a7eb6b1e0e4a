// The search of reflection.h. Each value stands in a table by its first few grams (four octets each, case aside), so
// that it is enough to look at every few octets of the text: wherever the value lies, one of these grams is looked at.
#include <algorithm>
#include <array>
#include <cstring>

#include "cache/policy/reflection.h"
#include "cache/policy/unescaped.h"
#include "proxy/http/grammar.h"

namespace verge::policy {
namespace {

constexpr size_t kMostLength = 128;       // octets of a value that are looked for
constexpr size_t kMostNeedles = 256;      // a request with more than that is no browser's
constexpr size_t kMostCompares = 200'000; // in one text
constexpr size_t kGram = sizeof(uint32_t);

// Letters of both cases alike, and a few others alike that are not: what is found is compared.
uint32_t gram_at(const char* p) noexcept {
  uint32_t gram;
  std::memcpy(&gram, p, sizeof gram);
  return gram | 0x20202020;
}

bool continues_url(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (static_cast<unsigned char>(c) >= 0x80) ||
         std::string_view("/-_.~%?=&:@#").find(c) != std::string_view::npos;
}

} // namespace

size_t ReflectionSearch::bit_of(uint32_t gram) noexcept { return (gram * 2'654'435'761U) >> (32 - kGramBits); }

ReflectionSearch::ReflectionSearch(const std::vector<Unkeyed>& wanted) {
  for (const Unkeyed& u : wanted) {
    if (names_.size() == kMostNeedles) {
      too_many_ = true;
      break;
    }
    const auto of = static_cast<uint32_t>(names_.size());
    names_.push_back(u.name);
    if (!u.head_only) for_body_ = true;
    const std::string_view plain = std::string_view(u.value).substr(0, kMostLength);
    add({std::string(plain), of, u.head_only, u.bounded});
    if (!has_escapes(u.value)) continue;
    auto decoded = unescaped(u.value);
    decoded.resize(std::min(decoded.size(), kMostLength));
    if (!http::iequals(decoded, plain)) add({std::move(decoded), of, u.head_only, u.bounded});
  }
  if (needles_.empty()) return;
  for (const Needle& n : needles_) step_ = std::min(step_, n.text.size() - kGram + 1);
  for (uint32_t i = 0; i < needles_.size(); ++i) {
    for (uint32_t at = 0; at < step_; ++at) grams_.push_back({gram_at(needles_[i].text.data() + at), i, at});
  }
  std::ranges::sort(grams_, {}, &Gram::octets);
  for (const Gram& g : grams_) bits_[bit_of(g.octets) / 64] |= uint64_t{1} << bit_of(g.octets) % 64;
}

// Shorter ones turn up by chance.
void ReflectionSearch::add(Needle needle) {
  if (needle.text.size() >= kLeastNeedle) needles_.push_back(std::move(needle));
}

std::optional<std::string> ReflectionSearch::in_head(const http::Headers& response) const {
  // Written by servers on the way, or by rule; what they hold steers nothing.
  constexpr std::array<std::string_view, 6> kOfNoUse = {"age",  "cache-control", "content-length",
                                                        "date", "vary",          "via"};
  std::string text;
  for (const http::Field field : response) {
    if (std::ranges::find(kOfNoUse, field.name) == kOfNoUse.end()) text.append(field.value).push_back('\n');
  }
  return find(text, true);
}

std::optional<std::string> ReflectionSearch::in_body(std::string_view octets) const { return find(octets, false); }

std::optional<std::string> ReflectionSearch::find(std::string_view text, bool head) const {
  if (too_many_) return "more fields than can be looked for";
  if (needles_.empty()) return std::nullopt;
  if (auto found = scan(text, head)) return found;
  return has_escapes(text) ? scan(unescaped(text), head) : std::nullopt;
}

std::optional<std::string> ReflectionSearch::scan(std::string_view text, bool head) const {
  size_t compares = 0;
  for (size_t i = 0; i + kGram <= text.size(); i += step_) {
    const uint32_t gram = gram_at(text.data() + i);
    if ((bits_[bit_of(gram) / 64] >> bit_of(gram) % 64 & 1) == 0) continue;
    for (auto g = std::ranges::lower_bound(grams_, gram, {}, &Gram::octets); g != grams_.end() && g->octets == gram;
         ++g) {
      if (++compares > kMostCompares) return "more fields than can be looked for";
      const Needle& n = needles_[g->needle];
      if (g->at > i || (n.head_only && !head)) continue;
      const std::string_view here = text.substr(i - g->at);
      if (here.size() < n.text.size() || !http::iequals(here.substr(0, n.text.size()), n.text)) continue;
      if (n.bounded && here.size() > n.text.size() && continues_url(http::lower(here[n.text.size()]))) continue;
      return names_[n.of];
    }
  }
  return std::nullopt;
}

} // namespace verge::policy
