#include "tests/cache/policy/rfc9111_model.h"

#include <algorithm>
#include <cmath>

#include "tests/cache/policy/rfc9213_model.h"

namespace verge::model {
namespace {

// Section 1.2.2, delta-seconds. What is too large to represent is the greatest.
std::optional<Second> delta_seconds(const Text& s, const House& house) {
  if (s.empty() || s.find_first_not_of("0123456789") != Text::npos) return std::nullopt;
  const size_t zeros = std::min(s.find_first_not_of('0'), s.size());
  if (takes(s.size() - zeros > 10, Rule::directive_overflow)) return house.too_large;
  return std::min<Second>(std::stoll(s), house.too_large);
}

struct Directive {
  Text name;
  std::optional<Text> argument; // as it means: without quotes and backslashes
  bool well_formed = true;      // the argument is a token or a quoted string
};

Directive directive_of(const Text& member) {
  const size_t equals = member.find('=');
  if (equals == Text::npos) return {lower(member), std::nullopt};
  const Text raw = member.substr(equals + 1);
  Directive d{lower(member.substr(0, equals)), raw};
  if (!raw.starts_with('"')) {
    d.well_formed = is_token(raw);
    return d;
  }
  // RFC 9110 section 5.6.4: "MUST handle a quoted-pair as if it were replaced by the octet following the backslash".
  Text content;
  size_t i = 1;
  for (; i < raw.size() && raw[i] != '"'; ++i) {
    if (takes(raw[i] == '\\', Rule::directive_quoted_pair) && ++i == raw.size()) break;
    content += raw[i];
  }
  d.well_formed = i + 1 == raw.size();
  d.argument = content;
  return d;
}

void least(std::map<Text, Second>& seconds, const Text& name, Second value) {
  const bool again = takes(seconds.contains(name), Rule::directive_repeated);
  seconds[name] = again ? std::min(seconds[name], value) : value;
}

bool is_one_of(const Text& s, std::initializer_list<const char*> names) {
  return std::ranges::any_of(names, [&](const char* n) { return s == n; });
}

Second seconds_or(const Directives& d, const Text& name, Second otherwise) {
  const auto found = d.seconds.find(name);
  return found == d.seconds.end() ? otherwise : found->second;
}

// Section 5.1: "a cache SHOULD use the first value and discard the rest"; "if the field value (after discarding) is
// invalid, a cache SHOULD ignore it". House: a parameter (RFC 9651) is discarded too.
Second age_field(const FieldLines& lines, const House& house) {
  const auto values = values_of(lines, "age");
  if (values.empty()) return 0;
  const Text first = trimmed(values.front().substr(0, values.front().find_first_of(",;")));
  const auto age = delta_seconds(first, house);
  take(age ? Rule::age_field : Rule::age_field_invalid);
  return age.value_or(0);
}

Second whole_seconds(Millisecond t) { return static_cast<Second>(std::floor(static_cast<double>(t) / 1000.0)); }

} // namespace

Directives response_directives(const FieldLines& lines, const House& house) {
  if (auto targeted = targeted_directives(lines, house)) return *targeted;
  Directives out;
  for (const Text& member : list_of(lines, "cache-control")) {
    const Directive d = directive_of(member);
    const Text argument = d.argument.value_or("");
    if (is_one_of(d.name, {"max-age", "s-maxage", "stale-while-revalidate", "stale-if-error"})) {
      const auto seconds = d.well_formed ? delta_seconds(argument, house) : std::nullopt;
      takes(!seconds, Rule::directive_invalid_seconds);
      // Section 4.2.1: invalid freshness information is stale. House: of several the least; a window that is no number
      // is none.
      if (seconds || d.name == "max-age" || d.name == "s-maxage") least(out.seconds, d.name, seconds.value_or(0));
    } else if (is_one_of(d.name, {"no-cache", "private"})) {
      const auto fields = list_of(argument);
      const bool names = d.well_formed && !fields.empty() && std::ranges::all_of(fields, is_token);
      for (const Text& field : fields) {
        if (names) out.fields[d.name].push_back(lower(field));
      }
      take(names ? Rule::directive_field_names : Rule::directive_no_field_names);
      if (!names) out.flags.insert(d.name); // House: what names no fields is the unqualified form
    } else if (is_one_of(d.name, {"no-store", "public", "must-revalidate", "proxy-revalidate", "must-understand",
                                  "no-transform", "immutable"})) {
      out.flags.insert(d.name);
    } else {
      take(Rule::directive_unknown); // section 5.2.3: ignored
    }
  }
  return out;
}

Directives request_directives(const FieldLines& lines, const House& house) {
  Directives out;
  for (const Text& member : list_of(lines, "cache-control")) {
    const Directive d = directive_of(member);
    if (is_one_of(d.name, {"no-cache", "no-store", "only-if-cached"})) out.flags.insert(d.name);
    if (d.name == "max-stale" && !d.argument) out.flags.insert(d.name);
    const auto seconds = d.argument && d.well_formed ? delta_seconds(*d.argument, house) : std::nullopt;
    if (!seconds) continue;
    if (is_one_of(d.name, {"max-age", "max-stale"})) least(out.seconds, d.name, *seconds);
    if (d.name == "min-fresh") out.seconds[d.name] = std::max(seconds_or(out, d.name, 0), *seconds);
  }
  // Section 5.4: "a cache MUST treat Pragma: no-cache as if Cache-Control: no-cache where Cache-Control is not
  // present".
  if (!has(lines, "cache-control")) {
    for (const Text& member : list_of(lines, "pragma")) {
      if (takes(lower(member) == "no-cache", Rule::pragma_instead)) out.flags.insert("no-cache");
    }
  }
  return out;
}

Directives honoured(const Directives& asked, const House& house) {
  Directives out;
  for (const Text& flag : asked.flags) {
    if (house.honoured.contains(flag)) out.flags.insert(flag);
  }
  for (const auto& [name, seconds] : asked.seconds) {
    if (house.honoured.contains(name)) out.seconds[name] = seconds;
  }
  return out;
}

Life life_of(const Message& response, Millisecond sent, Millisecond came, const House& house) {
  const Directives d = response_directives(response.lines, house);
  Life out;

  // Section 4.2.3. House: Date has whole seconds, so what is held against it is cut to them; no delay is negative.
  const auto date = date_field(response.lines, "date", came);
  const Millisecond apparent_age = date ? std::max<Millisecond>(0, (whole_seconds(came) - *date) * 1000) : 0;
  const Millisecond response_delay = std::max<Millisecond>(0, came - sent);
  const Millisecond corrected_age_value = age_field(response.lines, house) * 1000 + response_delay;
  takes(apparent_age > corrected_age_value, Rule::age_apparent);
  out.initial_age = std::max(apparent_age, corrected_age_value);

  // Section 4.2.1: "the following rules are evaluated and the first match is used".
  const Second made = date.value_or(whole_seconds(came));
  const bool guessable = house.guessable.contains(response.status);
  const auto expires = values_of(response.lines, "expires");
  if (takes(d.seconds.contains("s-maxage"), Rule::lifetime_s_maxage)) {
    out.source = Source::s_maxage;
    out.lifetime = d.seconds.at("s-maxage");
  } else if (takes(d.seconds.contains("max-age"), Rule::lifetime_max_age)) {
    out.source = Source::max_age;
    out.lifetime = d.seconds.at("max-age");
  } else if (!expires.empty() && !d.targeted) {
    const auto at = date_field(response.lines, "expires", came);
    take(at ? Rule::lifetime_expires : Rule::lifetime_expires_invalid); // 5.3: invalid is "a time in the past"
    out.source = Source::expires;
    out.lifetime = at ? std::clamp<Second>(*at - made, 0, house.too_large) : 0;
  } else if (takes(house.negative.contains(response.status), Rule::lifetime_negative)) {
    // House: an error is kept as long as the route says for its status, else for its class.
    out.source = Source::negative;
    out.lifetime = house.negative.at(response.status);
  } else if (takes(house.negative.contains(response.status / 100), Rule::lifetime_negative)) {
    out.source = Source::negative;
    out.lifetime = house.negative.at(response.status / 100);
  } else if (takes(house.default_lifetime && guessable, Rule::lifetime_route)) {
    out.source = Source::route;
    out.lifetime = *house.default_lifetime;
  } else if (house.guess && (guessable || d.flags.contains("public"))) {
    // Section 4.2.2: no guess unless the status allows it or the response is marked as cacheable.
    takes(!guessable, Rule::lifetime_guess_public);
    const auto modified = date_field(response.lines, "last-modified", came);
    const Second part = modified && *modified < made ? (made - *modified) / house.guess_part : 0;
    if (part > 0) {
      take(part > house.most_guess ? Rule::lifetime_guess_bound : Rule::lifetime_guess);
      out.source = Source::guess;
      out.lifetime = std::min(part, house.most_guess);
    }
  }
  takes(out.source == Source::none, Rule::lifetime_none);
  const bool forbids = d.flags.contains("no-store") || d.flags.contains("private") || d.flags.contains("no-cache");
  const bool negative = out.source == Source::negative; // House: it is neither raised nor shown beyond its time
  if (out.source != Source::none && !negative && !forbids &&
      takes(out.lifetime < house.least_lifetime, Rule::lifetime_raised)) {
    out.lifetime = house.least_lifetime;
  }
  if (takes(out.lifetime > house.most_lifetime, Rule::lifetime_cut)) out.lifetime = house.most_lifetime;

  // Section 4.2.4: "MUST NOT generate a stale response if it is prohibited by an explicit in-protocol directive".
  out.always_validate = d.flags.contains("no-cache");
  const bool forbidden =
      out.always_validate || d.flags.contains("must-revalidate") || d.flags.contains("proxy-revalidate");
  const bool s_maxage = d.seconds.contains("s-maxage");
  out.never_stale = takes(forbidden, Rule::stale_forbidden) || s_maxage || (negative && response.status >= 500);
  out.immutable = d.flags.contains("immutable");
  if (!forbidden) {
    // House: a window that the origin names beside s-maxage is its wish; the route's is not.
    for (const auto& [name, window, of_route] :
         {std::tuple{"stale-while-revalidate", &out.stale_while_revalidate, house.stale_while_revalidate},
          std::tuple{"stale-if-error", &out.stale_if_error, house.stale_if_error}}) {
      takes(s_maxage && d.seconds.contains(name), Rule::stale_beside_s_maxage);
      takes(!s_maxage && !negative && !d.seconds.contains(name) && of_route > 0, Rule::stale_of_route);
      *window = seconds_or(d, name, s_maxage || negative ? 0 : of_route);
    }
  }
  return out;
}

Millisecond age_at(const Life& life, Millisecond came, Millisecond now) {
  const Millisecond resident_time = std::max<Millisecond>(0, now - came);
  takes(resident_time > 0, Rule::age_resident);
  return life.initial_age + resident_time;
}

Reuse reuse(const Life& life, Millisecond age, const Directives& request, const House& house) {
  const Millisecond lifetime = life.lifetime * 1000;
  const bool fresh = lifetime > age; // section 4.2: response_is_fresh = (freshness_lifetime > current_age)
  const Directives asked = honoured(request, house);
  if (takes(life.always_validate, Rule::reuse_no_cache)) return Reuse::validate;
  // 5.2.1.4
  if (takes(asked.flags.contains("no-cache"), Rule::reuse_request_no_cache)) return Reuse::validate;
  const bool bounded = asked.seconds.contains("max-age");
  if (bounded) { // 5.2.1.1: "whose age is less than or equal to". House: 0 always asks
    const Second most = asked.seconds.at("max-age");
    // RFC 8246 section 2: no validation "unless there is a signal from the client that a validation is necessary".
    // House: no-cache is one, max-age is not.
    const bool settled = takes(life.immutable && fresh, Rule::reuse_immutable);
    if (!settled && takes(age > most * 1000 || most == 0, Rule::reuse_request_max_age)) return Reuse::validate;
  }
  // 5.2.1.3: "whose freshness lifetime is no less than its current age plus the specified time"
  if (const Second least = seconds_or(asked, "min-fresh", -1); least >= 0) {
    if (takes(lifetime < age + least * 1000, Rule::reuse_request_min_fresh)) return Reuse::validate;
  }
  if (takes(fresh, Rule::reuse_fresh)) return Reuse::fresh;
  // 5.2.1.2, and 4.2.4. House: where a bare max-stale stands beside one with seconds, the stricter counts (4.2.1).
  const bool any = asked.flags.contains("max-stale") && !asked.seconds.contains("max-stale");
  const Second accepted = seconds_or(asked, "max-stale", -1);
  const bool client_accepts = any || (accepted >= 0 && age - lifetime <= accepted * 1000);
  if (takes(!life.never_stale && client_accepts, Rule::reuse_request_max_stale)) return Reuse::stale;
  // RFC 5861 section 3; 5.2.1.1: "Unless the max-stale request directive is also present, the client does not wish to
  // receive a stale response".
  const bool in_window = age - lifetime < life.stale_while_revalidate * 1000;
  if (takes(in_window && !bounded, Rule::reuse_stale_window)) return Reuse::stale;
  take(Rule::reuse_stale);
  return Reuse::validate;
}

bool reuse_on_error(const Life& life, Millisecond age, bool origin_answered) {
  if (takes(life.always_validate, Rule::error_forbidden)) return false;
  const Millisecond staleness = age - life.lifetime * 1000;
  // RFC 5861 section 4
  if (takes(life.stale_if_error > 0 && staleness < life.stale_if_error * 1000, Rule::error_window)) return true;
  if (origin_answered) return false;
  // 4.2.4: "unless it is disconnected"; what is fresh needs no permission.
  return takes(staleness < 0 || !life.never_stale, Rule::error_disconnected);
}

} // namespace verge::model
