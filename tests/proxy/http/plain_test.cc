// The ways that go by sixteen octets at a time against the rules octet by octet, on texts made at random.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

#include "proxy/http/grammar.h"
#include "proxy/http/h1_parts.h"

namespace verge::http {
namespace {

// RFC 9110 section 5.6.2
bool is_tchar(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         (c != '\0' && std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos);
}
bool is_blank(char c) { return c == ' ' || c == '\t'; }
// RFC 9110 section 5.5: VCHAR, obs-text, SP and HTAB
bool may_stand_in_value(char c) {
  const auto u = static_cast<unsigned char>(c);
  return c == '\t' || (u >= 0x20 && u != 0x7f);
}
char plain_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
std::string plain_lower(std::string_view s) {
  std::string out(s);
  for (char& c : out) c = plain_lower(c);
  return out;
}

// field-line = field-name ":" OWS field-value OWS
std::optional<std::pair<std::string, std::string>> plain_field_line(std::string_view line) {
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return std::nullopt;
  const auto name = line.substr(0, colon);
  if (!std::ranges::all_of(name, is_tchar)) return std::nullopt;
  auto value = line.substr(colon + 1);
  while (!value.empty() && is_blank(value.front())) value.remove_prefix(1);
  while (!value.empty() && is_blank(value.back())) value.remove_suffix(1);
  if (!std::ranges::all_of(value, may_stand_in_value)) return std::nullopt;
  return std::pair(std::string(name), std::string(value));
}

class Plain : public ::testing::Test {
 protected:
  size_t below(size_t n) { return std::uniform_int_distribution<size_t>(0, n - 1)(random_); }
  bool once_in(size_t n) { return below(n) == 0; }
  // Mostly what stands in heads; any octet now and then, more often those at the borders of a class.
  char octet() {
    static constexpr std::string_view kUsual = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_/;=,. ";
    static constexpr std::string_view kBorders("\0\x01\x08\t\n\r\x1f !:@AZ[`az{|}~\x7f\x80\xff", 24);
    if (!once_in(24)) return kUsual[below(kUsual.size())];
    return once_in(2) ? kBorders[below(kBorders.size())] : static_cast<char>(below(256));
  }
  std::string text(size_t most) {
    std::string s(below(most + 1), ' ');
    for (char& c : s) c = octet();
    return s;
  }
  std::string line() {
    std::string s = text(40);
    if (!once_in(8)) { // a name that is one
      std::erase_if(s, [](char c) { return !is_tchar(c); });
    }
    if (!once_in(20)) s += ':';
    s.append(below(3), ' ');
    s += text(60);
    if (once_in(4)) s.append(below(4), once_in(2) ? ' ' : '\t');
    return s;
  }
  std::mt19937_64 random_{20'261'122};
};

TEST_F(Plain, AFieldLineIsTakenOrRefusedAsTheRuleSays) {
  size_t taken = 0, refused = 0;
  for (int i = 0; i < 60'000; ++i) {
    const std::string given = line();
    const std::string exact(given); // of its own, so that the address sanitizer sees each octet beyond it
    const auto found = h1::parse_field_line(exact);
    const auto expected = plain_field_line(given);
    ASSERT_EQ(found.has_value(), expected.has_value()) << ::testing::PrintToString(given);
    ++(found ? taken : refused);
    if (!found) continue;
    ASSERT_EQ(found->name, expected->first);
    ASSERT_EQ(found->value, expected->second);
  }
  EXPECT_GT(taken, 5'000U);
  EXPECT_GT(refused, 5'000U);
}

TEST_F(Plain, AFieldValueIsOneAsTheRuleSays) {
  for (int i = 0; i < 60'000; ++i) {
    const std::string s = text(once_in(2) ? 20 : 70);
    const bool expected =
        s.empty() || (!is_blank(s.front()) && !is_blank(s.back()) && std::ranges::all_of(s, may_stand_in_value));
    ASSERT_EQ(is_field_value(s), expected) << ::testing::PrintToString(s);
  }
}

TEST_F(Plain, TextsAreEqualButForTheCaseOfLettersAlone) {
  size_t equal = 0;
  for (int i = 0; i < 60'000; ++i) {
    const std::string a = text(40);
    std::string b = a;
    for (char& c : b) {
      if (once_in(3)) c = plain_lower(c);
      if (once_in(100)) c = static_cast<char>(c ^ 0x20);
    }
    const bool expected = plain_lower(a) == plain_lower(b);
    ASSERT_EQ(iequals(a, b), expected) << ::testing::PrintToString(a) << ::testing::PrintToString(b);
    equal += expected ? 1 : 0;
  }
  EXPECT_GT(equal, 10'000U);
}

TEST_F(Plain, NamesAreKeptInLowerCaseAndTextsAsTheyAre) {
  for (int i = 0; i < 20'000; ++i) {
    Headers headers;
    std::vector<std::pair<std::string, std::string>> expected;
    for (size_t n = below(6); n > 0; --n) {
      const std::string name = text(40), value = text(60);
      if (once_in(2)) {
        headers.add(name, value);
      } else {
        headers.add_new(name, value);
      }
      expected.emplace_back(plain_lower(name), value);
    }
    ASSERT_EQ(headers.size(), expected.size());
    for (size_t n = 0; n < expected.size(); ++n) {
      ASSERT_EQ(headers.at(n).name, expected[n].first);
      ASSERT_EQ(headers.at(n).value, expected[n].second);
    }
  }
}

TEST_F(Plain, TheKindOfAFieldIsItsNamesInWhateverCase) {
  const std::vector<std::pair<std::string, FieldKind>> kinds = {
      {"host", FieldKind::host},
      {"content-length", FieldKind::content_length},
      {"transfer-encoding", FieldKind::transfer_encoding},
      {"connection", FieldKind::connection},
      {"expect", FieldKind::expect},
      {"te", FieldKind::hop_by_hop},
      {"trailer", FieldKind::hop_by_hop},
      {"upgrade", FieldKind::hop_by_hop},
      {"keep-alive", FieldKind::hop_by_hop},
      {"proxy-connection", FieldKind::hop_by_hop},
      {"proxy-authenticate", FieldKind::hop_by_hop},
      {"proxy-authorization", FieldKind::hop_by_hop},
  };
  for (int i = 0; i < 20'000; ++i) {
    auto [name, kind] = kinds[below(kinds.size())];
    for (char& c : name) {
      if (c >= 'a' && c <= 'z' && once_in(2)) c = static_cast<char>(c - 'a' + 'A');
    }
    EXPECT_EQ(kind_of(name), kind) << name;
    std::string other = name;
    other[below(other.size())] = octet();
    if (plain_lower(other) == plain_lower(name)) continue;
    EXPECT_EQ(kind_of(other), FieldKind::end_to_end) << other; // no two of them differ in one octet
  }
}

// A line is cut off the same wherever the input is split.
TEST_F(Plain, ALineIsCutTheSameHoweverItComes) {
  for (int i = 0; i < 20'000; ++i) {
    std::string wire = text(60);
    for (char& c : wire) {
      if (once_in(12)) c = '\n';
      if (once_in(12)) c = '\r';
    }
    if (!once_in(4)) wire += "\r\n";
    const size_t limit = below(50);
    const auto cut = [&](size_t pieces) {
      h1::LineTaker lines;
      std::vector<std::string> out;
      for (size_t at = 0; at < wire.size();) {
        const size_t size = pieces == 1 ? wire.size() : 1 + below(wire.size() - at);
        const std::string piece = wire.substr(at, size);
        at += piece.size();
        for (std::string_view in = piece; !in.empty();) {
          std::string_view line;
          const auto status = lines.take(in, limit, line);
          if (status == h1::LineTaker::Status::partial) break;
          out.emplace_back(status == h1::LineTaker::Status::complete ? line : "(fault)");
          if (status != h1::LineTaker::Status::complete) return out;
        }
      }
      return out;
    };
    std::vector<std::string> plain; // by the rule: up to CRLF, LF alone and what is too long are faults
    for (size_t at = 0; at < wire.size();) {
      const size_t lf = std::min(wire.find('\n', at), wire.size());
      const bool fault = lf - at > limit + 1 || (lf < wire.size() && (lf == at || wire[lf - 1] != '\r'));
      if (!fault && lf == wire.size()) break;
      plain.push_back(fault ? "(fault)" : wire.substr(at, lf - 1 - at));
      if (fault) break;
      at = lf + 1;
    }
    ASSERT_EQ(cut(1), plain) << ::testing::PrintToString(wire) << limit;
    ASSERT_EQ(cut(2), plain) << ::testing::PrintToString(wire) << limit;
  }
}

} // namespace
} // namespace verge::http
