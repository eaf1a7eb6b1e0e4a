// What the literal models of the RFCs work on: plain texts, plain numbers, and a count of the rules that were applied.
// The models share no code with cache/policy, so that a mistake is not made twice. Slow on purpose; one thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace verge::model {

using Text = std::string;
using FieldLines = std::vector<std::pair<Text, Text>>; // names in lower case, in the order they came
using Millisecond = int64_t;                           // since 1970, or a span
using Second = int64_t;

struct Message {
  Text method = "GET"; // of a request
  int status = 200;    // of a response
  FieldLines lines;
  std::optional<uint64_t> octets; // of the body, as declared
};

// Each sentence of an RFC that the models apply, and each choice of the house. The property tests assert that all of
// them were taken, so that the generator can't go blind.
enum class Rule : uint8_t {
  date_imf_fixdate,
  date_rfc850,
  date_asctime,
  date_invalid,
  list_quoted_comma,
  list_open_quote,
  directive_quoted_pair,
  directive_overflow,
  directive_invalid_seconds,
  directive_repeated,
  directive_field_names,
  directive_no_field_names,
  directive_unknown,
  pragma_instead,
  targeted_instead,
  targeted_invalid,
  targeted_wrong_type,
  lifetime_s_maxage,
  lifetime_max_age,
  lifetime_expires,
  lifetime_expires_invalid,
  lifetime_negative,
  lifetime_route,
  lifetime_guess,
  lifetime_guess_bound,
  lifetime_guess_public,
  lifetime_none,
  lifetime_raised,
  lifetime_cut,
  age_apparent,
  age_field,
  age_field_invalid,
  age_resident,
  stale_forbidden,
  stale_beside_s_maxage,
  stale_of_route,
  reuse_no_cache,
  reuse_request_no_cache,
  reuse_immutable,
  reuse_request_max_age,
  reuse_request_min_fresh,
  reuse_request_max_stale,
  reuse_fresh,
  reuse_stale_window,
  reuse_stale,
  error_window,
  error_disconnected,
  error_forbidden,
  store_method,
  store_route_off,
  store_request_no_store,
  store_partial,
  store_status,
  store_status_not_understood,
  store_no_store,
  store_no_store_set_aside,
  store_private,
  store_authorization,
  store_authorization_allowed,
  store_set_cookie,
  store_vary_star,
  store_no_ground,
  store_no_use,
  store_too_large,
  store_yes,
  keep_not_hop_by_hop,
  keep_not_nominated,
  keep_not_named,
  keep_not_proxy,
  vary_star,
  vary_same,
  vary_absent,
  vary_differs,
  vary_semantics,
  match_star,
  match_failed,
  unmodified_since_failed,
  none_match_hit,
  none_match_miss,
  modified_since_hit,
  modified_since_date,
  modified_since_miss,
  freshens_etag,
  freshens_strong_unknown,
  freshens_last_modified,
  freshens_unknown,
  freshens_bare,
  update_replaces,
  update_excluded,
  update_weak_stays,
  range_none,
  range_if_range,
  range_malformed,
  range_unsatisfiable,
  range_some,
  range_amplifies,
  part_not_one_range,
  part_length_disagrees,
  part_not_asked,
  part_fits,
  part_other_version,
  part_same_version,
  part_answers,
  part_lacks,
  variant_negotiated,
  reference_other_origin,
  reference_absolute,
  reference_relative,
  reference_empty,
  count_, // how many there are
};

// How often each was taken since the program began.
inline std::array<uint64_t, static_cast<size_t>(Rule::count_)>& taken() {
  static std::array<uint64_t, static_cast<size_t>(Rule::count_)> counts{};
  return counts;
}
inline void take(Rule rule) { ++taken()[static_cast<size_t>(rule)]; }
// For use in conditions: counts the rule when it holds.
inline bool takes(bool holds, Rule rule) {
  if (holds) take(rule);
  return holds;
}

} // namespace verge::model
