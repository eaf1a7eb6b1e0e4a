// The cache key of a route: what is read, and what contradicts itself.
#include "tests/config/faults.h"

namespace verge::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string sites(const std::string& route, const std::string& hosts = "www.example.com, example.com") {
  return "sites: [{hosts: [" + hosts + "], routes: [{match: /*, origin: web, " + route + "}]}]\n";
}
std::string with_key(const std::string& key) { return sites("cache: {key: {" + key + "}}"); }
std::vector<std::string> key_faults(const std::string& key) { return site_faults(with_key(key)); }

RouteKey key_of(const std::string& key) {
  const auto loaded =
      load_text("listen: [{address: \"127.0.0.1:0\"}]\norigins: {web: {type: folder, path: a}}\n" + with_key(key),
                "edge.yaml", "/srv");
  EXPECT_THAT(faults(loaded), IsEmpty());
  return loaded.config.sites.at(0).routes.at(0).cache.key;
}

TEST(CacheKey, ReadsWordsAndLists) {
  EXPECT_EQ(key_of("query: none").query.mode, KeyQueryMode::none);
  EXPECT_EQ(key_of("query: all").query.mode, KeyQueryMode::all);
  EXPECT_THAT(key_of("query: {allow: [page, \"filter_*\"]}").query.allow, ElementsAre("page", "filter_*"));
  EXPECT_TRUE(key_of("query: {tracking: drop, sort: true}").query.drop_tracking);
  EXPECT_EQ(key_of("cookies: none").cookies.word, "none");
  EXPECT_THAT(key_of("cookies: [session, \"ab_*\"]").cookies.list, ElementsAre("session", "ab_*"));
  EXPECT_FALSE(key_of("scheme: false").scheme);
  EXPECT_FALSE(key_of("host: false").host);
}

TEST(CacheKey, AllowAndDenyExcludeEachOther) {
  EXPECT_THAT(key_faults("query: {allow: [a], deny: [b]}"),
              ElementsAre("3:123: what is not in \"allow\" is dropped already; give either \"allow\" or \"deny\""));
  EXPECT_THAT(key_faults("query: {allow: [a], tracking: drop}"), ElementsAre(HasSubstr("leave \"tracking\" out")));
}

TEST(CacheKey, ForwardingWhatIsDroppedNeedsSomethingDropped) {
  EXPECT_THAT(key_faults("query: {dropped: forward}"), ElementsAre(HasSubstr("nothing is dropped; it needs")));
  EXPECT_THAT(key_faults("query: {deny: [a], dropped: forward}"), IsEmpty());
}

TEST(CacheKey, AFieldThatCanNotBeInItIsAFaultThatSaysWhatToDo) {
  EXPECT_THAT(
      key_faults("headers: [Cookie]"),
      ElementsAre(HasSubstr("\"Cookie\" would store an answer for each visitor; name the cookies under \"cookies\"")));
  EXPECT_THAT(key_faults("headers: [host]"), ElementsAre(HasSubstr("is in the key already")));
  EXPECT_THAT(key_faults("headers: [\"x-*\"]"), ElementsAre(HasSubstr("a key needs whole names")));
  EXPECT_THAT(key_faults("headers: [If-None-Match]"), ElementsAre(HasSubstr("is answered by the cache")));
  EXPECT_THAT(key_faults("headers: [Connection]"), ElementsAre(HasSubstr("is never handed on")));
  EXPECT_THAT(key_faults("headers: [X-Forwarded-Host]"), ElementsAre(HasSubstr("is written by the node itself")));
  EXPECT_THAT(key_faults("headers: [\"a b\"]"), ElementsAre(HasSubstr("is not a field's name")));
}

TEST(CacheKey, ANameGivenTwiceIsAFault) {
  EXPECT_THAT(key_faults("headers: [X-A, x-a]"), ElementsAre("3:112: \"x-a\" is given twice"));
  EXPECT_THAT(key_faults("cookies: [a, A]"), IsEmpty());
  EXPECT_THAT(key_faults("query: {deny: [a, a]}"), ElementsAre(HasSubstr("\"a\" is given twice")));
}

TEST(CacheKey, SharingBetweenHostsNeedsAFullNameFirst) {
  EXPECT_THAT(site_faults(sites("cache: {key: {host: false}}", "\"*.example.com\", a.example.com")),
              ElementsAre(HasSubstr("\"*.example.com\" is none; put a full name first")));
}

TEST(CacheKey, AWordWhereAListBelongsIsAFaultThatShowsTheList) {
  EXPECT_THAT(key_faults("cookies: session"),
              ElementsAre(HasSubstr("\"session\" is not none; for a name write a list, [session]")));
}

TEST(Forward, IsAWordOrAList) {
  EXPECT_THAT(site_faults(sites("forward: all")), IsEmpty());
  EXPECT_THAT(site_faults(sites("forward: [accept, \"x-app-*\"]")), IsEmpty());
  EXPECT_THAT(site_faults(sites("forward: everything")),
              ElementsAre(HasSubstr("\"everything\" is not safe or all; for a name write a list, [everything]")));
  EXPECT_THAT(site_faults(sites("forward: [Host]")), ElementsAre(HasSubstr("is always sent")));
  EXPECT_THAT(site_faults(sites("forward: [x-forwarded-for]")),
              ElementsAre(HasSubstr("is written by the node itself")));
}

} // namespace
} // namespace verge::config
