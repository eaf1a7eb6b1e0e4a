// The rows of a route's caching that have kinds of their own: what they read, and how they say what is wrong.
#include "tests/config/faults.h"

namespace verge::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Loaded load_cache(const std::string& cache) {
  return load_text(
      "listen: [{address: \"127.0.0.1:0\"}]\norigins: {web: {type: folder, path: a}}\n"
      "sites: [{hosts: [\"*\"], routes: [{match: /*, origin: web, cache: " +
          cache + "}]}]\n",
      "edge.yaml", "/srv");
}
RouteCache read(const std::string& cache) {
  const auto loaded = load_cache(cache);
  EXPECT_THAT(faults(loaded), IsEmpty()) << cache;
  return loaded.config.sites.at(0).routes.at(0).cache;
}
std::vector<std::string> wrong(const std::string& cache) { return faults(load_cache(cache)); }

TEST(Negative, ReadsStatusesAndClasses) {
  const auto c = read("{negative: {404: 10s, 410: 1m, 4xx: 2s, 5xx: 0s}}");
  ASSERT_EQ(c.negative.size(), 4u);
  EXPECT_EQ(c.negative[0].status, 404);
  EXPECT_EQ(c.negative[0].ttl, Seconds(10));
  EXPECT_EQ(c.negative[1].ttl, Seconds(60));
  EXPECT_EQ(c.negative[2].status, 4);
  EXPECT_EQ(c.negative[3].status, 5);
}

TEST(Negative, SaysWhichKeysItTakes) {
  for (const std::string key : {"200", "3xx", "600", "40", "4040", "any", "5XX", "-404", "0404"}) {
    EXPECT_THAT(wrong("{negative: {" + key + ": 1s}}"), ElementsAre(HasSubstr("is no error; a status from 400 to 599")))
        << key;
  }
  EXPECT_THAT(wrong("{negative: {429: 1s}}"), ElementsAre(HasSubstr("a 429 answers one request alone")));
  EXPECT_THAT(wrong("{negative: {404: soon}}"), ElementsAre(HasSubstr("soon")));
  EXPECT_THAT(wrong("{negative: {}}"), ElementsAre(HasSubstr("at least one status")));
  EXPECT_THAT(wrong("{negative: 10s}"), ElementsAre(HasSubstr("a mapping is needed")));
}

TEST(ClientCacheControl, ReadsAWordOrAList) {
  EXPECT_TRUE(read("{}").client_cache_control.no_cache);
  EXPECT_TRUE(read("{client_cache_control: honour}").client_cache_control.max_stale);
  EXPECT_FALSE(read("{client_cache_control: ignore}").client_cache_control.only_if_cached);
  const auto some = read("{client_cache_control: [no-store, max-age]}").client_cache_control;
  EXPECT_TRUE(some.no_store && some.max_age);
  EXPECT_FALSE(some.no_cache || some.min_fresh || some.max_stale || some.only_if_cached);
}

TEST(ClientCacheControl, SaysWhatItDoesNotKnow) {
  EXPECT_THAT(wrong("{client_cache_control: [no-cach]}"), ElementsAre(HasSubstr("did you mean \"no-cache\"?")));
  EXPECT_THAT(wrong("{client_cache_control: maybe}"), ElementsAre(HasSubstr("is none of honour, ignore")));
  EXPECT_THAT(wrong("{client_cache_control: []}"), ElementsAre(HasSubstr("the list is empty")));
}

TEST(Targets, AreNamesInOrderOrOff) {
  EXPECT_THAT(read("{targets: [CDN-Cache-Control, surrogate-control]}").targets,
              ElementsAre("cdn-cache-control", "surrogate-control"));
  EXPECT_THAT(read("{targets: off}").targets, IsEmpty());
  EXPECT_THAT(read("{}").targets, ElementsAre("verge-cache-control", "cdn-cache-control", "surrogate-control"));
}

TEST(Targets, SaysWhichFieldsCanBeSome) {
  EXPECT_THAT(wrong("{targets: [cache-control]}"), ElementsAre(HasSubstr("counts always")));
  EXPECT_THAT(wrong("{targets: [expires]}"), ElementsAre(HasSubstr("must be surrogate-control, or a name that ends")));
  EXPECT_THAT(wrong("{targets: [\"a b\"]}"), ElementsAre(HasSubstr("is no name of a field")));
  EXPECT_THAT(wrong("{targets: [a-cache-control, A-Cache-Control]}"), ElementsAre(HasSubstr("is named twice")));
}

TEST(TagHeaders, NameTheirSeparators) {
  const auto c = read("{tag_headers: {X-Tags: space, edge-cache-tag: comma}}");
  ASSERT_EQ(c.tag_headers.size(), 2u);
  EXPECT_EQ(c.tag_headers[0].name, "x-tags");
  EXPECT_EQ(c.tag_headers[0].separator, ' ');
  EXPECT_EQ(c.tag_headers[1].separator, ',');
  EXPECT_THAT(read("{tag_headers: off}").tag_headers, IsEmpty());
  EXPECT_THAT(wrong("{tag_headers: {x: tab}}"), ElementsAre(HasSubstr("is none of comma, space")));
  EXPECT_THAT(wrong("{tag_headers: {\"a b\": space}}"), ElementsAre(HasSubstr("is no name of a field")));
}

TEST(Strip, IsUnsetAListOrOff) {
  EXPECT_FALSE(read("{}").strip);
  EXPECT_THAT(*read("{strip: [X-A]}").strip, ElementsAre("x-a"));
  EXPECT_THAT(*read("{strip: off}").strip, IsEmpty());
  EXPECT_THAT(wrong("{strip: []}"), ElementsAre(HasSubstr("the list is empty")));
}

TEST(Surrogate, HasANameThatIsAToken) {
  const auto c = read("{surrogate_id: edge1, surrogate_capability: true}");
  EXPECT_EQ(c.surrogate_id, "edge1");
  EXPECT_TRUE(c.surrogate_capability);
  EXPECT_THAT(wrong("{surrogate_id: \"a b\"}"), ElementsAre(HasSubstr("is no name")));
}

} // namespace
} // namespace verge::config
