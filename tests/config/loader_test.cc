#include "config/loader.h"

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "tests/config/faults.h"

namespace verge::config {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view kFull = R"(listen:
  - address: 127.0.0.1:8443
    tls:
      certificates: [{chain: edge.pem, key: edge.key}]       # several: chosen by SNI
      client_auth: {mode: off}                               # off | optional | required, with ca: clients.pem
  - address: 127.0.0.1:8080                                  # no tls: cleartext HTTP/1.1 and h2c by prior knowledge
workers: 2                                                   # default: the number of cores
cache: {path: ./cache, disk: 10GiB, memory: 256MiB}
origins:
  web: {type: s3, bucket: site, region: eu-west-1, endpoint: "http://127.0.0.1:4568", index: index.html}
  api: {type: api-gateway, url: "http://127.0.0.1:3000/prod"}
  fn:  {type: lambda, function: hello, region: eu-west-1, endpoint: "http://127.0.0.1:3002"}
  app: {type: http, url: "http://127.0.0.1:9000"}
  dir: {type: folder, path: ./public}
sites:
  - hosts: [www.example.com, "*.example.org", "*"]
    routes:                                                  # first match wins; `*` matches any run of characters
      - {match: "/api/*", origin: api}
      - {match: "/fn/*", origin: fn}
      - {match: "/*", origin: web, cache: {ttl: {default: 60s, min: 0s, max: 1y}}}
invalidation:
  sns: {path: /_verge/sns, topics: ["arn:aws:sns:eu-west-1:123456789012:deploys"]}
admin: {address: 127.0.0.1:9090}                             # loopback or unix:/path only, unless it is given a token
access_log: {path: /dev/stdout, format: json}
)";

Config sound(std::string_view yaml) {
  Loaded loaded = load_text(yaml, "edge.yaml", "/srv");
  EXPECT_THAT(faults(loaded), IsEmpty());
  return std::move(loaded.config);
}

TEST(Loader, ReadsTheWholeExampleIntoItsValues) {
  const Config c = sound(kFull);
  EXPECT_EQ(c.file, "edge.yaml");
  ASSERT_EQ(c.listen.size(), 2u);
  EXPECT_EQ(c.listen[0].address, "127.0.0.1:8443");
  ASSERT_TRUE(c.listen[0].tls);
  ASSERT_EQ(c.listen[0].tls->certificates.size(), 1u);
  EXPECT_EQ(c.listen[0].tls->certificates[0].chain, "/srv/edge.pem");
  EXPECT_EQ(c.listen[0].tls->certificates[0].key, "/srv/edge.key");
  EXPECT_EQ(c.listen[0].tls->client_auth.mode, ClientAuthMode::off);
  EXPECT_EQ(c.listen[1].address, "127.0.0.1:8080");
  EXPECT_FALSE(c.listen[1].tls);
  EXPECT_EQ(c.workers, 2u);
  EXPECT_EQ(c.cache.path, "/srv/cache");
  EXPECT_EQ(c.cache.disk, 10ull << 30);
  EXPECT_EQ(c.cache.memory, 256ull << 20);

  ASSERT_EQ(c.origins.size(), 5u);
  const Origin& web = c.origins.at("web");
  EXPECT_EQ(web.name, "web");
  EXPECT_EQ(web.type, OriginType::s3);
  EXPECT_EQ(web.bucket, "site");
  EXPECT_EQ(web.region, "eu-west-1");
  EXPECT_EQ(web.endpoint, "http://127.0.0.1:4568");
  EXPECT_EQ(web.index, "index.html");
  EXPECT_EQ(c.origins.at("api").type, OriginType::api_gateway);
  EXPECT_EQ(c.origins.at("api").url, "http://127.0.0.1:3000/prod");
  EXPECT_EQ(c.origins.at("fn").type, OriginType::lambda);
  EXPECT_EQ(c.origins.at("fn").function, "hello");
  EXPECT_EQ(c.origins.at("fn").max_request_body, 6ull << 20);
  EXPECT_EQ(c.origins.at("app").type, OriginType::http);
  EXPECT_EQ(c.origins.at("app").max_request_body, 0u);
  EXPECT_EQ(c.origins.at("dir").type, OriginType::folder);
  EXPECT_EQ(c.origins.at("dir").path, "/srv/public");

  ASSERT_EQ(c.sites.size(), 1u);
  EXPECT_THAT(c.sites[0].hosts, ElementsAre("www.example.com", "*.example.org", "*"));
  ASSERT_EQ(c.sites[0].routes.size(), 3u);
  EXPECT_EQ(c.sites[0].routes[0].match, "/api/*");
  EXPECT_EQ(c.sites[0].routes[0].origin, "api");
  EXPECT_FALSE(c.sites[0].routes[0].cache.ttl.default_);
  EXPECT_EQ(c.sites[0].routes[2].cache.ttl.default_, 60s);
  EXPECT_EQ(c.sites[0].routes[2].cache.ttl.min, 0s);
  EXPECT_EQ(c.sites[0].routes[2].cache.ttl.max, 31'536'000s);

  ASSERT_TRUE(c.invalidation.sns);
  EXPECT_EQ(c.invalidation.sns->path, "/_verge/sns");
  EXPECT_THAT(c.invalidation.sns->topics, ElementsAre("arn:aws:sns:eu-west-1:123456789012:deploys"));
  EXPECT_EQ(c.admin.address, "127.0.0.1:9090");
  EXPECT_EQ(c.access_log.path, "/dev/stdout");
  EXPECT_EQ(c.access_log.format, LogFormat::json);
}

TEST(Loader, NeedsListenOriginsAndSitesAlone) {
  const Config c = sound(kSound);
  EXPECT_EQ(c.workers, std::max(1u, std::thread::hardware_concurrency()));
  EXPECT_EQ(c.cache.path, "/srv/cache");
  EXPECT_EQ(c.cache.disk, 10ull << 30);
  EXPECT_FALSE(c.invalidation.sns);
  EXPECT_EQ(c.admin.address, "");
  EXPECT_EQ(c.access_log.path, "");
  EXPECT_EQ(c.error_log.level, "info");
  EXPECT_TRUE(c.sites[0].routes[0].cache.enabled);
  EXPECT_EQ(c.limits.request_head, 65'536u);
}

TEST(Loader, ReadsEveryFieldOfARoutesCache) {
  const Config c = sound(R"(listen: [{address: ":0"}]
origins: {dir: {type: folder, path: p}}
sites:
  - hosts: [A.Example.COM]
    routes:
      - {match: /off/*, origin: dir, cache: off}
      - {match: /on/*, origin: dir, cache: on}
      - match: "*.js"
        origin: dir
        cache:
          set_cookie: store
          heuristic: no
          stale_while_revalidate: 30s
          stale_if_error: 1d
          client_cache_control: ignore
          tags: [scripts, v2]
          max_object: 64KB
)");
  EXPECT_THAT(c.sites[0].hosts, ElementsAre("a.example.com"));
  EXPECT_FALSE(c.sites[0].routes[0].cache.enabled);
  EXPECT_TRUE(c.sites[0].routes[1].cache.enabled);
  const RouteCache& js = c.sites[0].routes[2].cache;
  EXPECT_TRUE(js.store_set_cookie);
  EXPECT_FALSE(js.heuristic);
  EXPECT_EQ(js.stale_while_revalidate, 30s);
  EXPECT_EQ(js.stale_if_error, 86'400s);
  EXPECT_FALSE(js.client_cache_control.no_cache || js.client_cache_control.max_age);
  EXPECT_THAT(js.tags, ElementsAre("scripts", "v2"));
  EXPECT_EQ(js.max_object, 64'000u);
}

TEST(Loader, ReadsLogsLimitsAdminAndClientCertificates) {
  const Config c = sound(R"(listen:
  - address: "[::1]:8443"
    tls:
      certificates: [{chain: /etc/a.pem, key: keys/a.key}, {chain: b.pem, key: b.key}]
      client_auth: {mode: required, ca: clients.pem}
      min_version: 1.3
  - {address: "unix:/run/edge.sock"}
origins: {app: {type: http, url: "https://app.internal:8443/base", tls_ca: ca.pem, host: app.example.com,
  timeouts: {connect: 250ms, idle: 2m}, connections: 7, max_request_body: 1MiB}}
sites: [{hosts: ["*"], routes: [{match: /*, origin: app}]}]
cache: {path: off, memory: 64MiB}
admin: {address: "0.0.0.0:9090", token: "s3cret"}
access_log: {path: logs/access.log, format: combined}
error_log: {path: logs/error.log, level: debug}
limits: {request_head: 32KiB, head_timeout: 5s, h2_streams: 64}
)");
  EXPECT_EQ(c.listen[0].tls->certificates[0].chain, "/etc/a.pem");
  EXPECT_EQ(c.listen[0].tls->certificates[0].key, "/srv/keys/a.key");
  EXPECT_EQ(c.listen[0].tls->client_auth.mode, ClientAuthMode::required);
  EXPECT_EQ(c.listen[0].tls->client_auth.ca, "/srv/clients.pem");
  EXPECT_EQ(c.listen[0].tls->min_version, "1.3");
  EXPECT_EQ(c.listen[1].address, "unix:/run/edge.sock");
  const Origin& app = c.origins.at("app");
  EXPECT_EQ(app.tls_ca, "/srv/ca.pem");
  EXPECT_EQ(app.host, "app.example.com");
  EXPECT_EQ(app.timeouts.connect, 250ms);
  EXPECT_EQ(app.timeouts.idle, 120s);
  EXPECT_EQ(app.timeouts.first_byte, 10s);
  EXPECT_EQ(app.connections, 7u);
  EXPECT_EQ(app.max_request_body, 1u << 20);
  EXPECT_EQ(c.cache.path, "off");
  EXPECT_EQ(c.admin.token, "s3cret");
  EXPECT_EQ(c.access_log.path, "/srv/logs/access.log");
  EXPECT_EQ(c.access_log.format, LogFormat::combined);
  EXPECT_EQ(c.error_log.path, "/srv/logs/error.log");
  EXPECT_EQ(c.error_log.level, "debug");
  EXPECT_EQ(c.limits.request_head, 32'768u);
  EXPECT_EQ(c.limits.head_timeout, 5s);
  EXPECT_EQ(c.limits.h2_streams, 64u);
}

TEST(Loader, TakesTheAccessLogAndClientCertificatesSwitchedOff) {
  const Config c = sound(kSound + "access_log: off\n");
  EXPECT_EQ(c.access_log.path, "");
  EXPECT_EQ(sound(kSound + "access_log: {path: off}\n").access_log.path, "");
  const Config tls = sound(R"(listen: [{address: ":1", tls: {certificates: [{chain: a, key: b}], client_auth: off}}]
origins: {dir: {type: folder, path: p}}
sites: [{hosts: ["*"], routes: [{match: /*, origin: dir}]}]
)");
  EXPECT_EQ(tls.listen[0].tls->client_auth.mode, ClientAuthMode::off);
}

TEST(Loader, TakesTheRegionFromTheArnTheUrlOrTheEnvironment) {
  const auto region = [](const std::string& origin) {
    return sound("listen: [{address: \":0\"}]\norigins: {o: " + origin +
                 "}\nsites: [{hosts: [\"*\"], routes: [{match: /*, origin: o}]}]\n")
        .origins.at("o")
        .region;
  };
  unsetenv("AWS_REGION");
  unsetenv("AWS_DEFAULT_REGION");
  EXPECT_EQ(region("{type: lambda, function: \"arn:aws:lambda:eu-west-2:123456789012:function:hello\"}"), "eu-west-2");
  EXPECT_EQ(region("{type: api-gateway, sign: true, url: \"https://a1.execute-api.us-east-2.amazonaws.com/prod\"}"),
            "us-east-2");
  setenv("AWS_REGION", "eu-north-1", 1);
  EXPECT_EQ(region("{type: s3, bucket: site}"), "eu-north-1");
  EXPECT_EQ(region("{type: s3, bucket: site, region: eu-west-1}"), "eu-west-1");
  unsetenv("AWS_REGION");
  EXPECT_EQ(region("{type: s3, bucket: site, anonymous: true, endpoint: \"http://127.0.0.1:7480\"}"), "");
}

TEST(Loader, ReplacesVariablesOfTheEnvironment) {
  setenv("EDGE_TOKEN", "abc", 1);
  setenv("EDGE_PORT", "1234", 1);
  const Config c =
      sound(kSound + "admin: {address: \"127.0.0.1:${EDGE_PORT}\", token: \"x-${EDGE_TOKEN}-$${EDGE_TOKEN}-$1\"}\n");
  EXPECT_EQ(c.admin.address, "127.0.0.1:1234");
  EXPECT_EQ(c.admin.token, "x-abc-${EDGE_TOKEN}-$1");
}

TEST(Loader, TakesPathsFromTheFilesOwnFolder) {
  const auto folder = std::filesystem::temp_directory_path() / ("verge-config-" + std::to_string(getpid()));
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "edge.yaml") << kSound;
  const Loaded loaded = load_file((folder / "edge.yaml").string());
  std::filesystem::remove_all(folder);
  EXPECT_THAT(faults(loaded), IsEmpty());
  EXPECT_EQ(loaded.config.origins.at("dir").path, (folder / "public").string());
}

TEST(Loader, SaysThatAFileIsMissingOrAFolder) {
  Loaded loaded = load_file("/nonexistent/edge.yaml");
  ASSERT_EQ(loaded.faults.size(), 1u);
  EXPECT_EQ(loaded.faults[0].text(), "/nonexistent/edge.yaml: can't be read: No such file or directory");
  loaded = load_file("/tmp");
  ASSERT_EQ(loaded.faults.size(), 1u);
  EXPECT_EQ(loaded.faults[0].text(), "/tmp: is a folder; name a file");
}

TEST(Loader, ShowsAFaultWithFileLineAndColumn) {
  const Loaded loaded = load_text(kSound + "workers: two\n", "conf/edge.yaml", "");
  ASSERT_EQ(loaded.faults.size(), 1u);
  EXPECT_EQ(loaded.faults[0].text(), "conf/edge.yaml:4:10: \"two\" is not a whole number");
}

} // namespace
} // namespace verge::config
