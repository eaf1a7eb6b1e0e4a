// Sections 3 and 4.1 of the model: what is stored, kept, updated and shared.
#include <algorithm>

#include "tests/cache/policy/rfc9111_model.h"

namespace verge::model {
namespace {

bool contains(const std::vector<Text>& list, const Text& s) { return std::ranges::find(list, s) != list.end(); }

std::vector<Text> names_in(const Directives& d, const Text& directive) {
  const auto found = d.fields.find(directive);
  return found == d.fields.end() ? std::vector<Text>{} : found->second;
}

// RFC 9110 section 7.6.1, and the proxy's own of section 11.7.
bool hop_by_hop(const Text& name) {
  static const std::set<Text> kNames = {
      "connection",        "keep-alive",         "proxy-connection",   "te", "trailer", "upgrade",
      "transfer-encoding", "proxy-authenticate", "proxy-authorization"};
  return kNames.contains(name);
}

std::set<Text> nominated(const FieldLines& lines, const House& house) {
  std::set<Text> out;
  for (const Text& name : list_of(lines, "connection")) {
    if (!house.never_nominated.contains(lower(name))) out.insert(lower(name));
  }
  return out;
}

} // namespace

std::set<Text> reasons_not_to_store(const Message& request, const Message& response, const Life& life,
                                    const House& house) {
  std::set<Text> why;
  const Directives d = response_directives(response.lines, house);
  const auto says = [&](const char* flag) { return d.flags.contains(flag); };

  // "the request method is understood by the cache". House: GET only.
  if (takes(request.method != "GET", Rule::store_method)) why.insert("method");
  if (takes(!house.enabled, Rule::store_route_off)) why.insert("route-off");
  // 5.2.1.5: "a cache MUST NOT store any part of either this request or any response to it".
  const bool asked = request_directives(request.lines, house).flags.contains("no-store");
  if (takes(house.honoured.contains("no-store") && asked, Rule::store_request_no_store)) why.insert("request-no-store");
  // "the response status code is final", and "if the response status code is 206 or 304, or the must-understand
  // directive is present: the cache understands the response status code". House: parts are kept by other means.
  if (takes(response.status == 206, Rule::store_partial)) why.insert("partial-content");
  const bool final = response.status >= 200 && response.status <= 599;
  if (takes(!final || house.of_the_request.contains(response.status), Rule::store_status)) why.insert("status");
  const bool understood = house.understood.contains(response.status);
  if (takes(says("must-understand") && !understood, Rule::store_status_not_understood)) why.insert("status");
  // "the no-store directive is not present"; 5.2.2.3: must-understand lets it be ignored where the status is known.
  if (says("no-store")) {
    take(says("must-understand") ? Rule::store_no_store_set_aside : Rule::store_no_store);
    if (!says("must-understand")) why.insert("no-store");
  }
  // "if the cache is shared: the private directive is either not present or allows a shared cache to store".
  if (takes(says("private"), Rule::store_private)) why.insert("private");
  // "the Authorization header field is not present or a directive is present that explicitly allows shared caching":
  // section 3.5 names must-revalidate, public and s-maxage.
  if (has(request.lines, "authorization")) {
    const bool allowed = says("public") || says("must-revalidate") || d.seconds.contains("s-maxage");
    take(allowed ? Rule::store_authorization_allowed : Rule::store_authorization);
    if (!allowed) why.insert("authorization");
  }
  // House: Set-Cookie is kept only where the route says so, and not on a guess; unless it is not kept at all.
  const bool cookie_named =
      contains(names_in(d, "private"), "set-cookie") || contains(names_in(d, "no-cache"), "set-cookie");
  const bool cookie_allowed = house.keep_set_cookie && life.source != Source::guess;
  if (takes(has(response.lines, "set-cookie") && !cookie_named && !cookie_allowed, Rule::store_set_cookie)) {
    why.insert("set-cookie");
  }
  // 4.1: a stored response with "*" always fails to match. House: so it is not stored.
  if (takes(contains(list_of(response.lines, "vary"), "*"), Rule::store_vary_star)) why.insert("vary-star");
  // "the response contains at least one of: public, Expires, max-age, s-maxage, a status that is heuristically
  // cacheable". House: and something to go by - a lifetime, or no-cache on a status that may be guessed about.
  if (life.source == Source::none) {
    const bool guessable = house.guessable.contains(response.status);
    if (takes(!guessable, Rule::store_no_ground)) why.insert("status");
    if (guessable && !life.always_validate) why.insert("no-freshness");
  }
  // House: what could never be used is not stored.
  const bool usable = !life.always_validate && (life.initial_age < life.lifetime * 1000 ||
                                                life.stale_while_revalidate > 0 || life.stale_if_error > 0);
  const bool validator = has(response.lines, "etag") || has(response.lines, "last-modified");
  if (takes(!usable && !validator, Rule::store_no_use)) why.insert("no-lifetime-left");
  if (takes(response.octets && *response.octets > house.most_octets, Rule::store_too_large)) why.insert("too-large");
  takes(why.empty(), Rule::store_yes);
  return why;
}

FieldLines kept_fields(const FieldLines& response, const House& house) {
  // "Caches MUST include all received response header fields - including unrecognized ones - when storing", less:
  FieldLines out;
  const Directives d = response_directives(response, house);
  const auto by_connection = nominated(response, house);
  const auto by_no_cache = names_in(d, "no-cache");
  const auto by_private = names_in(d, "private");
  for (const auto& [name, value] : response) {
    // "the Connection header field and fields whose names are listed in it"
    if (takes(hop_by_hop(name), Rule::keep_not_hop_by_hop)) continue;
    if (takes(by_connection.contains(name), Rule::keep_not_nominated)) continue;
    // "the no-cache cache directive ... MUST NOT be stored [by this cache]; private ... by a shared cache"
    if (takes(contains(by_no_cache, name) || contains(by_private, name), Rule::keep_not_named)) continue;
    // "Header fields that are specific to the proxy". House: Age is made anew, Content-Length is known elsewhere.
    if (takes(name == "proxy-authentication-info", Rule::keep_not_proxy)) continue;
    if (name == "age" || name == "content-length") continue;
    out.emplace_back(name, value);
  }
  return out;
}

bool identifies(const FieldLines& stored, const FieldLines& not_modified) {
  const auto first = [](const FieldLines& lines, const char* name) {
    const auto values = values_of(lines, name);
    return values.empty() ? std::optional<Text>{} : std::optional<Text>{values.front()};
  };
  const auto old_tag = first(stored, "etag"), new_tag = first(not_modified, "etag");
  const auto old_time = first(stored, "last-modified"), new_time = first(not_modified, "last-modified");
  // House: a 304 without any validator speaks of the response we asked about.
  if (takes(!new_tag && !new_time, Rule::freshens_bare)) return true;
  // House: W/"a" and "a" are one version; an origin that compresses on the fly answers like that.
  if (takes(old_tag && new_tag, Rule::freshens_etag)) return weakly_equal(*old_tag, *new_tag);
  // A date is the same in each form; two-digit years are not guessed.
  constexpr Second kNone = -1;
  const Second a = old_time ? date_of(*old_time, 0).value_or(kNone) : kNone;
  const Second b = new_time ? date_of(*new_time, 0).value_or(kNone) : kNone;
  const bool same_time = old_time && new_time && (*old_time == *new_time || (a != kNone && a == b));
  // "If the new response contains one or more strong validators ... If none of the stored responses contain at least
  // one of the same strong validators, then the cache MUST NOT use the new response to update any stored responses."
  if (new_tag && strong(*new_tag)) {
    const Second date = date_field(stored, "date", 0).value_or(kNone);
    const bool strong_time = same_time && a != kNone && date != kNone && date - a >= 1; // RFC 9110 section 8.8.2.2
    takes(!strong_time, Rule::freshens_strong_unknown);
    return strong_time;
  }
  // "one or more weak validators, and those validators correspond to one of the initial set's stored responses"
  take(same_time ? Rule::freshens_last_modified : Rule::freshens_unknown);
  return same_time;
}

FieldLines updated(const FieldLines& stored, const FieldLines& not_modified, const House& house) {
  const auto by_connection = nominated(not_modified, house);
  const auto old_tags = values_of(stored, "etag"), new_tags = values_of(not_modified, "etag");
  // House: the octets are those of the weak tag; a strong one of the same name would claim too much.
  const bool weak_stays =
      takes(!old_tags.empty() && !new_tags.empty() && !strong(old_tags.front()) && strong(new_tags.front()),
            Rule::update_weak_stays);
  // Section 3.2: "the cache MUST add each header field in the provided response to the stored response, replacing field
  // values that are already present, with the following exceptions". House: of the fields that tell of the stored
  // octets, these three.
  const auto excluded = [&](const Text& name) {
    return hop_by_hop(name) || by_connection.contains(name) || (weak_stays && name == "etag") ||
           name == "content-length" || name == "content-encoding" || name == "content-range";
  };
  FieldLines out;
  for (const auto& [name, value] : stored) {
    const bool replaced = has(not_modified, name) && !excluded(name);
    if (name != "age" && !takes(replaced, Rule::update_replaces)) out.emplace_back(name, value);
  }
  for (const auto& [name, value] : not_modified) {
    if (!takes(excluded(name), Rule::update_excluded)) out.emplace_back(name, value);
  }
  return out;
}

std::optional<std::set<Text>> varies_by(const FieldLines& response) {
  std::set<Text> out;
  for (const Text& member : list_of(response, "vary")) {
    if (takes(member == "*", Rule::vary_star)) return std::nullopt;
    out.insert(lower(member));
  }
  return out;
}

namespace {

struct Weight {
  Text value;
  double q = 1; // of a member that has another parameter or a malformed weight: the whole member is the value
};
Weight weight_of(const Text& member) {
  const size_t semicolon = member.find(';');
  if (semicolon == Text::npos) return {lower(member)};
  const Text q = lower(trimmed(member.substr(semicolon + 1)));
  const Text digits = q.size() > 4 ? q.substr(4) : "";
  const bool valid = (q.starts_with("q=0") || q.starts_with("q=1")) && q.size() <= 7 &&
                     (q.size() == 3 || q[3] == '.') && digits.find_first_not_of("0123456789") == Text::npos;
  if (!valid) return {lower(member)};
  return {lower(trimmed(member.substr(0, semicolon))), std::stod(q.substr(2))};
}

} // namespace

bool accepts_coding(const FieldLines& lines, const Text& coding, bool in_doubt) {
  bool star = false, star_refused = false, named = false, refused = false;
  for (const Text& member : list_of(lines, "accept-encoding")) {
    Weight w = weight_of(member);
    if (w.value == "x-gzip") w.value = "gzip";
    if (w.value == "*") (w.q > 0 ? star : star_refused) = true;
    if (w.value == coding) (w.q > 0 ? named : refused) = true;
  }
  if (coding == "identity") return named && refused ? in_doubt : named || (!refused && !star_refused);
  return named || (star && !refused);
}

Match same_variant(const Text& field, const FieldLines& a, const FieldLines& b) {
  // "if (after any normalization that might take place) a header field is absent from a request, it can only match
  // another request if it is also absent there".
  if (takes(has(a, field) != has(b, field), Rule::vary_absent)) return Match::must_not;
  if (!has(a, field)) return Match::must;
  if (field == "accept-encoding") {
    for (const char* coding : {"identity", "gzip", "br", "zstd", "deflate", "compress", "exi", "never-heard-of"}) {
      if (takes(accepts_coding(a, coding) != accepts_coding(b, coding), Rule::vary_semantics)) return Match::must_not;
    }
  }
  // "adding or removing whitespace, where allowed" and "combining multiple header field lines" change nothing.
  if (takes(list_of(a, field) == list_of(b, field), Rule::vary_same)) return Match::must;
  // "normalizing both header field values in a way that is known to have identical semantics".
  const bool known = field == "accept-encoding" || field == "accept-language";
  take(Rule::vary_differs);
  return known ? Match::may : Match::must_not;
}

} // namespace verge::model
