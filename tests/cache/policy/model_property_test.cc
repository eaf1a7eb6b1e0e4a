// Every decision of cache/policy against the literal models of the RFCs, on random exchanges.
#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include "cache/policy/partial.h"
#include "cache/policy/range.h"
#include "cache/policy/reference.h"
#include "cache/policy/select.h"
#include "cache/policy/storing.h"
#include "cache/policy/validation.h"
#include "cache/policy/vary.h"
#include "tests/cache/policy/model_cases.h"
#include "tests/cache/policy/values.h"

namespace verge::policy {
namespace {

using model::Case;
using model::CaseMaker;
using model::Rule;
using model::Text;
using Difference = std::optional<Text>;

// ---- the same values for both sides

http::Headers headers(const model::FieldLines& lines) {
  http::Headers out;
  for (const auto& [name, value] : lines) out.add(name, value);
  return out;
}
http::RequestHead request_of(const Case& c) {
  auto out = get_with();
  out.method = c.request.method;
  out.headers = headers(c.request.lines);
  return out;
}
http::ResponseHead response_of(const Case& c) {
  return {.status = c.response.status, .headers = headers(c.response.lines), .content_length = c.response.octets};
}
Rules rules_of(const model::House& h) {
  Rules out;
  out.enabled = h.enabled;
  if (h.default_lifetime) out.ttl_default = Seconds{*h.default_lifetime};
  out.ttl_min = Seconds{h.least_lifetime};
  out.ttl_max = Seconds{h.most_lifetime};
  out.heuristic = h.guess;
  out.store_set_cookie = h.keep_set_cookie;
  out.stale_while_revalidate = Seconds{h.stale_while_revalidate};
  out.stale_if_error = Seconds{h.stale_if_error};
  const auto counts = [&](const char* name) { return h.honoured.contains(name); };
  out.honoured = {counts("no-cache"),  counts("no-store"),  counts("max-age"),
                  counts("min-fresh"), counts("max-stale"), counts("only-if-cached")};
  out.targets = h.targets;
  for (const auto& [status, seconds] : h.negative) out.negative.push_back({status, Seconds{seconds}});
  out.max_object = h.most_octets;
  return out;
}
WallTime wall(model::Millisecond t) { return WallTime{Millis{t}}; }
Freshness freshness_of(const Case& c) {
  return freshness(response_of(c), wall(c.sent), wall(c.came), rules_of(c.house));
}
model::Life life_of(const Case& c) { return model::life_of(c.response, c.sent, c.came, c.house); }

// ---- both verdicts as texts

Text text_of(const http::Headers& h) {
  Text out;
  for (const http::Field f : h) out += fmt::format("{}: {}\n", f.name, f.value);
  return out;
}
Text text_of(const model::FieldLines& lines) { return text_of(headers(lines)); }

Text text_of(const model::Directives& d) {
  return fmt::format("flags {} seconds {} fields {} targeted {}", d.flags, d.seconds, d.fields, d.targeted);
}
void put(model::Directives& out, const char* name, bool flag) {
  if (flag) out.flags.insert(name);
}
void put(model::Directives& out, const char* name, const std::optional<Seconds>& s) {
  if (s) out.seconds[name] = s->count();
}
void put(model::Directives& out, const char* name, const std::vector<Text>& fields) {
  if (!fields.empty()) out.fields[name] = fields;
}
Text text_of(const ResponseDirectives& d) {
  model::Directives out;
  out.targeted = d.targeted;
  put(out, "no-store", d.no_store);
  put(out, "no-cache", d.no_cache);
  put(out, "private", d.private_);
  put(out, "public", d.public_);
  put(out, "must-revalidate", d.must_revalidate);
  put(out, "proxy-revalidate", d.proxy_revalidate);
  put(out, "must-understand", d.must_understand);
  put(out, "no-transform", d.no_transform);
  put(out, "immutable", d.immutable);
  put(out, "max-age", d.max_age);
  put(out, "s-maxage", d.s_maxage);
  put(out, "stale-while-revalidate", d.stale_while_revalidate);
  put(out, "stale-if-error", d.stale_if_error);
  put(out, "no-cache", d.no_cache_fields);
  put(out, "private", d.private_fields);
  return text_of(out);
}
Text text_of(const RequestDirectives& d) {
  model::Directives out;
  put(out, "no-cache", d.no_cache);
  put(out, "no-store", d.no_store);
  put(out, "only-if-cached", d.only_if_cached);
  put(out, "max-stale", d.max_stale_any);
  put(out, "max-age", d.max_age);
  put(out, "max-stale", d.max_stale);
  put(out, "min-fresh", d.min_fresh);
  return text_of(out);
}

Difference compare(const Text& what, const Text& policy, const Text& model) {
  if (policy == model) return std::nullopt;
  return fmt::format("{}\n  policy: {}\n  model:  {}", what, policy, model);
}

// ---- the checks, one for each decision

Difference directives_differ(const Case& c) {
  const auto answer = compare("directives of the response (RFC 9111 5.2.2, RFC 9213)",
                              text_of(response_directives(headers(c.response.lines), rules_of(c.house))),
                              text_of(model::response_directives(c.response.lines, c.house)));
  if (answer) return answer;
  return compare("directives of the request (RFC 9111 5.2.1, 5.4)",
                 text_of(request_directives(headers(c.request.lines))),
                 text_of(model::request_directives(c.request.lines, c.house)));
}

Difference freshness_differs(const Case& c) {
  const Freshness f = freshness_of(c);
  const model::Life m = life_of(c);
  constexpr std::string_view kSources[] = {"none", "s-maxage", "max-age", "expires", "heuristic", "route", "negative"};
  constexpr std::string_view kFormat = "age {}ms lifetime {}ms from {} always-validate {} never-stale {} swr {} sie {}";
  return compare(
      "freshness (RFC 9111 4.2.1, 4.2.2, 4.2.3; stale windows RFC 5861)",
      fmt::format(kFormat, f.initial_age.count(), f.lifetime.count(), kSources[static_cast<size_t>(f.source)],
                  f.always_validate, f.never_stale, f.stale_while_revalidate.count(), f.stale_if_error.count()),
      fmt::format(kFormat, m.initial_age, m.lifetime * 1000, kSources[static_cast<size_t>(m.source)], m.always_validate,
                  m.never_stale, m.stale_while_revalidate, m.stale_if_error));
}

Difference use_differs(const Case& c) {
  const Freshness f = freshness_of(c);
  const model::Life m = life_of(c);
  const Millis age = current_age(f, wall(c.came), wall(c.now));
  const auto model_age = model::age_at(m, c.came, c.now);
  const auto use = decide_use(f, age, request_directives(headers(c.request.lines)), rules_of(c.house));
  const auto model_use = model::reuse(m, model_age, model::request_directives(c.request.lines, c.house), c.house);
  constexpr std::string_view kUses[] = {"fresh", "stale", "validate"};
  return compare("may it be used (RFC 9111 4, 4.2.4, 5.2.1; RFC 5861)",
                 fmt::format("age {}: {}, on silence {}, on 5xx {}", age.count(), kUses[static_cast<size_t>(use)],
                             may_serve_stale_on_error(f, age, false), may_serve_stale_on_error(f, age, true)),
                 fmt::format("age {}: {}, on silence {}, on 5xx {}", model_age, kUses[static_cast<size_t>(model_use)],
                             model::reuse_on_error(m, model_age, false), model::reuse_on_error(m, model_age, true)));
}

Difference storing_differs(const Case& c) {
  const auto verdict = may_store(request_of(c), response_of(c), freshness_of(c), rules_of(c.house));
  const auto reasons = model::reasons_not_to_store(c.request, c.response, life_of(c), c.house);
  const Text word{to_string(verdict)};
  // The policy names one reason, the model all.
  if (verdict == StoreVerdict::store ? reasons.empty() : reasons.contains(word)) return std::nullopt;
  return fmt::format("may it be stored (RFC 9111 3)\n  policy: {}\n  model:  {}", word, reasons);
}

Difference kept_fields_differ(const Case& c) {
  return compare("what is kept (RFC 9111 3.1)", text_of(storable_headers(response_of(c), rules_of(c.house))),
                 text_of(model::kept_fields(c.response.lines, c.house)));
}

Difference freshening_differs(const Case& c) {
  const auto stored = headers(c.response.lines), not_modified = headers(c.update);
  const bool ours = freshens(stored, not_modified);
  const bool theirs = model::identifies(c.response.lines, c.update);
  if (ours != theirs)
    return fmt::format("does the 304 speak of it (RFC 9111 4.3.4)\n  policy: {}\n  model:  {}", ours, theirs);
  return compare("what a 304 changes (RFC 9111 3.2)", text_of(freshened(stored, not_modified)),
                 text_of(model::updated(c.response.lines, c.update, c.house)));
}

Difference conditions_differ(const Case& c) {
  constexpr std::string_view kOutcomes[] = {"proceed", "not modified", "failed"};
  const auto ours = evaluate_preconditions(request_of(c), headers(c.response.lines), wall(c.now));
  const auto theirs = model::conditions(c.request, c.response.lines, c.now);
  return compare("the client's conditions (RFC 9110 13.2.2)", Text(kOutcomes[static_cast<size_t>(ours)]),
                 Text(kOutcomes[static_cast<size_t>(theirs)]));
}

Text text_of(const RangeDecision& d) {
  std::set<uint64_t> octets;
  for (const ByteRange& r : d.ranges) {
    for (uint64_t i = r.first; i <= r.last; ++i) octets.insert(i);
  }
  constexpr std::string_view kParts[] = {"whole", "partial", "unsatisfiable"};
  return fmt::format("{} {}", kParts[static_cast<size_t>(d.verdict)], octets);
}
Text text_of(const model::Octets& o) {
  constexpr std::string_view kParts[] = {"whole", "partial", "unsatisfiable"};
  return fmt::format("{} {}", kParts[static_cast<size_t>(o.part)], o.wanted);
}

Difference ranges_differ(const Case& c) {
  const auto ours = decide_range(headers(c.request.lines), headers(c.response.lines), c.length, wall(c.now));
  const auto theirs = model::octets_asked(c.request.lines, c.response.lines, c.length, c.house.most_ranges, c.now);
  return compare("the range (RFC 9110 14.2, 13.1.5)", text_of(ours), text_of(theirs));
}

Difference parts_differ(const Case& c) {
  const auto stored = headers(c.response.lines);
  const auto judged = judge_part(response_of(c), {c.asked.first, c.asked.last});
  const bool kept = model::part_is_kept(c.response, c.asked);
  if (kept != (judged.verdict == PartVerdict::fits)) {
    return fmt::format("is the part kept (RFC 9111 3.3), asked {}-{}\n  policy: {}\n  model:  {}",
                       c.asked.first ? std::to_string(*c.asked.first) : "",
                       c.asked.last ? std::to_string(*c.asked.last) : "", to_string(judged.verdict), kept);
  }
  // Several lines of Content-Range are no part: it is never kept, so never joined.
  const auto several = [](const model::FieldLines& lines) {
    return model::values_of(lines, "content-range").size() > 1;
  };
  if (several(c.update) || several(c.response.lines)) return std::nullopt;
  const bool same = same_version(stored, headers(c.update), wall(c.now));
  const bool combine = model::may_combine(c.response.lines, c.update, c.now);
  if (same != combine)
    return fmt::format("may they be joined (RFC 9111 3.4)\n  policy: {}\n  model:  {}", same, combine);
  const auto part = model::part_of(c.response.lines);
  if (!part || judged.verdict == PartVerdict::not_one_range) return std::nullopt;
  const auto ours = decide_from_part(headers(c.request.lines), stored, judged.content, wall(c.now));
  const auto theirs = model::octets_of_part(c.request.lines, c.response.lines, *part, c.house.most_ranges, c.now);
  return compare("what a part answers (RFC 9111 3.3)", ours ? text_of(*ours) : "ask",
                 theirs ? text_of(*theirs) : "ask");
}

Difference variants_differ(const Case& c) {
  const auto fields = vary_fields(headers(c.response.lines));
  const auto names = model::varies_by(c.response.lines);
  const auto list = [](const auto& all) { return all ? fmt::format("{}", fmt::join(*all, " ")) : Text("*"); };
  if (const auto different = compare("the fields of Vary (RFC 9111 4.1)", list(fields), list(names))) return different;
  for (const Text& name : {Text("foo"), Text("accept-encoding"), Text("accept-language")}) {
    const bool same = vary_key({name}, headers(c.request.lines)) == vary_key({name}, headers(c.other));
    const auto match = model::same_variant(name, c.request.lines, c.other);
    if (same ? match != model::Match::must_not : match != model::Match::must) continue;
    return fmt::format("two requests share a response that varies by {} (RFC 9111 4.1)\n  policy: {}\n  model:  {}",
                       name, same, match == model::Match::must);
  }
  return std::nullopt;
}

// A variant that is not of the very same request answers only what it is acceptable to, and never across a field that
// nothing is known of.
Difference selection_differs(const Case& c) {
  const auto stored = headers(c.response.lines), first = headers(c.request.lines), second = headers(c.other);
  const auto selects_by = [&](const Text& name) { return selects({name}, vary_key({name}, first), stored, second); };
  const auto different = [](const Text& name, const Text& model) {
    return fmt::format("the variant by {} (RFC 9111 4.1, RFC 9110 12.5)\n  policy: otherwise\n  model:  {}", name,
                       model);
  };
  for (const Text& name : {Text("foo"), Text("accept-encoding"), Text("accept-language")}) {
    const auto match = model::same_variant(name, c.request.lines, c.other);
    const bool selected = selects_by(name);
    if (match == model::Match::must && !selected) return different(name, "must answer");
    if (match != model::Match::must_not || !selected) continue;
    if (name == "foo") return different(name, "must not answer");
    if (name != "accept-encoding") continue;
    model::take(Rule::variant_negotiated);
    auto codings = model::list_of(c.response.lines, "content-encoding");
    if (codings.empty()) codings.emplace_back("identity");
    for (const Text& coding : codings) {
      const Text known = coding == "x-gzip" ? Text("gzip") : coding;
      if (!model::accepts_coding(c.other, known, true)) return different(name, "the client refuses " + coding);
    }
  }
  return std::nullopt;
}

// ---- the tests

void run(uint32_t seed, int cases, const model::Check& differs) {
  CaseMaker maker{seed};
  for (int i = 0; i < cases; ++i) {
    const Case c = maker.make();
    if (!differs(c)) continue;
    const Case least = model::smallest(c, differs);
    FAIL() << "case " << i << " of seed " << seed << ", cut down:\n" << model::to_text(least) << *differs(least);
  }
}

// Runs after all others of this suite: have all rules been taken?
class Model : public testing::Test {
 public:
  static void TearDownTestSuite();
};

TEST_F(Model, DirectivesMeanWhatSections521And522Say) { run(101, 25'000, directives_differ); }
TEST_F(Model, AResponseIsFreshAsLongAndAsOldAsSection42Says) { run(102, 25'000, freshness_differs); }
TEST_F(Model, AResponseIsReusedWhereSections4And521AllowIt) { run(103, 25'000, use_differs); }
TEST_F(Model, AResponseIsStoredWhereSection3AllowsIt) { run(104, 25'000, storing_differs); }
TEST_F(Model, FieldsAreKeptAsSection31Says) { run(105, 20'000, kept_fields_differ); }
TEST_F(Model, A304ChangesWhatSections32And434Say) { run(106, 25'000, freshening_differs); }
TEST_F(Model, ConditionsAreEvaluatedInTheOrderOfSection1322) { run(107, 25'000, conditions_differ); }
TEST_F(Model, RangesGiveTheOctetsOfSection142) { run(108, 25'000, ranges_differ); }
TEST_F(Model, RequestsShareAResponseWhereSection41AllowsIt) { run(109, 25'000, variants_differ); }

TEST_F(Model, ANegotiatedVariantIsOneThatTheClientAccepts) { run(111, 25'000, selection_differs); }
TEST_F(Model, PartsAreKeptJoinedAndUsedAsSections33And34Say) { run(112, 25'000, parts_differ); }

TEST_F(Model, ReferencesResolveAsRfc3986SaysAndStayInTheirOrigin) {
  CaseMaker maker{110};
  for (int i = 0; i < 20'000; ++i) {
    const Text reference = maker.reference();
    auto request = get_with();
    request.path = maker.of({"/", "/a", "/a/", "/a/b", "/a/b/c"});
    model::Base base{.scheme = "https", .authority = "www.example.com", .path = request.path, .query = {}};
    if (maker.one_in(2)) {
      request.has_query = true;
      base.query = request.query = maker.one_in(3) ? "" : "p=2";
    }
    EXPECT_EQ(same_origin_key(request, reference), model::same_origin_target(base, reference))
        << reference << " from " << request.path << (base.query ? "?" + *base.query : "");
  }
}

void Model::TearDownTestSuite() {
  if (testing::UnitTest::GetInstance()->test_to_run_count() < testing::UnitTest::GetInstance()->total_test_count()) {
    return; // only some were asked for
  }
  for (size_t rule = 0; rule < model::taken().size(); ++rule) {
    EXPECT_GE(model::taken()[rule], 20u) << "rule " << rule << " of model_values.h: the generator does not reach it";
  }
}

} // namespace
} // namespace verge::policy
