#include "config/tables.h"

#include "config/cache_kinds.h"
#include "config/checks.h"
#include "config/event_tables.h"
#include "config/kinds.h"

namespace verge::config {
namespace {

constexpr uint64_t kKiB = 1ull << 10, kMiB = 1ull << 20, kTiB = 1ull << 40;
constexpr Millis kMs{1}, kDay{Seconds(86'400)};

bool is_off(std::string_view word) { return word == "off" || word == "false" || word == "no"; }
bool is_on(std::string_view word) { return word == "on" || word == "true" || word == "yes"; }

const Table<Certificate>& certificate_table() {
  static const Table<Certificate> table(
      {"listen[].tls.certificates[]",
       "One certificate; which one a client gets is chosen by the name it asks for (SNI).",
       "",
       {},
       {}},
      {
          row("chain", &Certificate::chain, Path{}, "PEM file: the certificate, then those that signed it").required(),
          row("key", &Certificate::key, Path{}, "PEM file of the private key").required(),
      });
  return table;
}

const Table<ClientAuth>& client_auth_table() {
  static const Table<ClientAuth> table = [] {
    Table<ClientAuth> made(
        {"listen[].tls.client_auth", "Whether clients show a certificate (mutual TLS).", "", {}, {}},
        {
            row("mode", &ClientAuth::mode,
                Choice<ClientAuthMode>{{{"off", ClientAuthMode::off},
                                        {"optional", ClientAuthMode::optional},
                                        {"required", ClientAuthMode::required}}},
                "ask for none; check one if shown; refuse the handshake without one"),
            row("ca", &ClientAuth::ca, Path{},
                "PEM file of the authorities that sign clients; needed unless mode is off"),
            row("verified", &ClientAuth::verified, Count{0, 10'000'000},
                "good certificate chains remembered, so that they are not checked anew before a "
                "reload or the end of their time; about 200 octets each"),
            row("sessions", &ClientAuth::sessions, Count{0, 10'000'000},
                "TLS sessions kept for resumption, about 6 KB each; 0: every handshake is a full one"),
        });
    made.word = [](std::string_view word, ClientAuth& out) {
      if (is_off(word)) out.mode = ClientAuthMode::off;
      return is_off(word);
    };
    return made;
  }();
  return table;
}

const Table<Tls>& tls_table() {
  static const Table<Tls> table(
      {"listen[].tls", "With it the address speaks HTTPS: HTTP/2 and HTTP/1.1, chosen by ALPN.", "", {}, {}},
      {
          row("certificates", &Tls::certificates, ListOf<Sub<Certificate>>{{certificate_table()}},
              "the first is for clients that name no host, or none of the certificates' hosts")
              .required(),
          row("client_auth", &Tls::client_auth, Sub<ClientAuth>{client_auth_table()}, "certificates of clients"),
          row("min_version", &Tls::min_version, Choice<std::string>{{{"1.2", "1.2"}, {"1.3", "1.3"}}},
              "the oldest TLS version that is spoken"),
      });
  return table;
}

const Table<Listen>& listen_table() {
  static const Table<Listen> table(
      {"listen[]", "An address that clients connect to.", "", {}, {}},
      {
          row("address", &Listen::address, Text{check_listen, false, false, "address"},
              "127.0.0.1:8443, [::1]:8443, :8443 for all addresses, or unix:/path; port 0 takes a free one")
              .required(),
          row("tls", &Listen::tls, Sub<Tls>{tls_table()},
              "without it: HTTP/1.1 and HTTP/2 (prior knowledge), unencrypted"),
      });
  return table;
}

const Table<Cache>& cache_table() {
  static const Table<Cache> table(
      {"cache", "Where stored responses live.", "", {}, {}},
      {
          row("path", &Cache::path, Path{true}, "folder of the disk cache, made if it is not there; off: memory only"),
          row("disk", &Cache::disk, size_between(kMiB, 64 * kTiB), "most octets on disk; the oldest entries make room"),
          row("memory", &Cache::memory, size_between(kMiB, kTiB), "most octets of bodies held in memory"),
          row("memory_object", &Cache::memory_object, size_between(0, kTiB), "larger bodies are not held in memory"),
          row("variants", &Cache::variants, Count{1, 4'096},
              "most responses under one key that differ by Vary; beyond it the least used goes"),
      });
  return table;
}

} // namespace

const Table<Credentials>& credentials_table() {
  static const Table<Credentials> table(
      {"origins.NAME.credentials",
       "What requests are signed with. Without it: AWS_ACCESS_KEY_ID and its companions, then the shared file.",
       "",
       {},
       {}},
      {
          row("access_key_id", &Credentials::access_key_id, Text{check_header_token}, "with secret_access_key"),
          row("secret_access_key", &Credentials::secret_access_key, Text{check_header_token, false, true},
              "write it as ${NAME} and keep it out of the file"),
          row("session_token", &Credentials::session_token, Text{check_header_token, false, true},
              "of temporary credentials"),
          row("profile", &Credentials::profile, Text{},
              "a section of the shared credentials file, in place of the keys"),
      });
  return table;
}

namespace {

const Table<Timeouts>& timeouts_table() {
  static const Table<Timeouts> table(
      {"origins.NAME.timeouts", "How long an origin may take.", "", {}, {}},
      {
          row("connect", &Timeouts::connect, Duration{kMs, kDay}, "name look-up, connection and TLS handshake"),
          row("first_byte", &Timeouts::first_byte, Duration{kMs, kDay}, "request sent to first octet of the answer"),
          row("between_bytes", &Timeouts::between_bytes, Duration{kMs, kDay}, "silence inside an answer"),
          row("head", &Timeouts::head, Duration{kMs, kDay}, "the answer's whole head"),
          row("idle", &Timeouts::idle, Duration{kMs, kDay}, "how long an unused connection is kept"),
      });
  return table;
}

const Table<Origin>& origin_table() {
  constexpr uint32_t http = 1, folder = 2, s3 = 4, api = 8, lambda = 16;
  constexpr uint32_t net = http | s3 | api | lambda, aws = s3 | api | lambda;
  static const Table<Origin> table = [] {
    Table<Origin> made(
        {"origins.NAME",
         "Something that answers requests. Its type decides which fields it has.",
         "type",
         {"http", "folder", "s3", "api-gateway", "lambda"},
         {}},
        {
            row("type", &Origin::type,
                Choice<OriginType>{{{"http", OriginType::http},
                                    {"folder", OriginType::folder},
                                    {"s3", OriginType::s3},
                                    {"api-gateway", OriginType::api_gateway},
                                    {"lambda", OriginType::lambda}}},
                "what kind of origin this is")
                .required(),
            row("url", &Origin::url, Text{check_url, false, false, "URL"},
                "http(s)://host[:port][/path]; the path goes before the request's, as a stage does")
                .only(http | api)
                .required(http | api),
            row("host", &Origin::host, Text{check_host_header}, "the Host to send")
                .only(http | api)
                .fallback("http: the client's; api-gateway: the URL's"),
            row("sign", &Origin::sign, Flag{}, "sign requests (SigV4, IAM authorization)").only(api),
            row("tls_ca", &Origin::tls_ca, Path{}, "PEM file of the authorities to trust")
                .only(net)
                .fallback("the system's"),
            row("tls_verify", &Origin::tls_verify, Flag{}, "check the origin's certificate; false is for tests only")
                .only(net),
            row("path", &Origin::path, Path{}, "the folder to serve").only(folder).required(folder),
            row("bucket", &Origin::bucket, Text{check_bucket}, "the bucket's name").only(s3).required(s3),
            row("index", &Origin::index, Text{nullptr, true}, "what a path that ends with / means; \"\" for nothing")
                .only(s3 | folder),
            row("prefix", &Origin::prefix, Text{nullptr, true}, "put before the key").only(s3),
            row("path_style", &Origin::path_style, Flag{},
                "bucket in the path, not in the host; implied by an endpoint or a bucket with dots")
                .only(s3),
            row("anonymous", &Origin::anonymous, Flag{}, "do not sign: the bucket is public").only(s3),
            row("function", &Origin::function, Text{check_function}, "name or ARN").only(lambda).required(lambda),
            row("qualifier", &Origin::qualifier, Text{check_function}, "a version or an alias").only(lambda),
            row("region", &Origin::region, Text{check_region}, "the AWS region, eu-west-1")
                .only(aws)
                .fallback("that of the ARN or URL, AWS_REGION, AWS_DEFAULT_REGION"),
            row("endpoint", &Origin::endpoint, Text{check_url, false, false, "URL"}, "in place of the region's own")
                .only(s3 | lambda),
            row("credentials", &Origin::credentials, Sub<Credentials>{credentials_table()}, "to sign with").only(aws),
            row("timeouts", &Origin::timeouts, Sub<Timeouts>{timeouts_table()}, "how long it may take").only(net),
            row("connections", &Origin::connections, Count{1, 65'535}, "at most, for each worker").only(net),
            row("max_request_body", &Origin::max_request_body, size_between(0, kTiB),
                "a larger request is answered with 413; 0: no limit")
                .only(http | api | lambda)
                .fallback("0; lambda: 6MiB"),
        });
    made.variant = [](const Origin& origin) { return static_cast<size_t>(origin.type); };
    return made;
  }();
  return table;
}

const Table<Ttl>& ttl_table() {
  static const Table<Ttl> table(
      {"sites[].routes[].cache.ttl",
       "How long responses stay fresh, where the origin's word is not enough.",
       "",
       {},
       {}},
      {
          row("default", &Ttl::default_, Duration{}, "for responses that say nothing about it"),
          row("min", &Ttl::min, Duration{}, "raises what the origin says"),
          row("max", &Ttl::max, Duration{}, "caps what the origin says"),
      });
  return table;
}

const Table<KeyQuery>& key_query_table() {
  static const Table<KeyQuery> table = [] {
    Table<KeyQuery> made(
        {"sites[].routes[].cache.key.query",
         "Which query parameters are in the key. `query: none` has none in it, `query: all` is the default. The origin "
         "gets the query that is in the key.",
         "",
         {},
         {}},
        {
            row("allow", &KeyQuery::allow, ListOf<Text>{{check_parameter}},
                "only these; * stands for any run of characters"),
            row("deny", &KeyQuery::deny, ListOf<Text>{{check_parameter}}, "all but these"),
            row("tracking", &KeyQuery::drop_tracking, Choice<bool>{{{"keep", false}, {"drop", true}}},
                "whether the well-known parameters of campaigns are denied: utm_*, gclid, fbclid, msclkid ..."),
            row("sort", &KeyQuery::sort, Flag{}, "put in order by name, so that ?a&b and ?b&a share an answer"),
            row("dropped", &KeyQuery::forward_dropped, Choice<bool>{{{"hide", false}, {"forward", true}}},
                "whether the origin gets, as sent, what the key leaves out; its answers must not depend on it"),
        });
    made.words = "all or none";
    made.word = [](std::string_view word, KeyQuery& out) {
      if (word == "none") out.mode = KeyQueryMode::none;
      return word == "none" || word == "all";
    };
    return made;
  }();
  return table;
}

const Table<RouteKey>& route_key_table() {
  static const Table<RouteKey> table(
      {"sites[].routes[].cache.key",
       "What an answer is stored under: by default scheme, host, path and query as sent.",
       "",
       {},
       {}},
      {
          row("query", &RouteKey::query, Sub<KeyQuery>{key_query_table()}, "query parameters").fallback("all"),
          row("headers", &RouteKey::headers, ListOf<Text>{{check_key_header, false, false, "field name"}},
              "request fields whose values are in the key"),
          row("cookies", &RouteKey::cookies, WordOrList{{"none"}, {check_cookie_name, false, false, "cookie name"}},
              "cookies that are in the key; those that aren't are then hidden from the origin. * stands for any run of "
              "characters")
              .fallback("not in the key, forwarded"),
          row("scheme", &RouteKey::scheme, Flag{}, "false: http and https share answers; the origin is told https"),
          row("host", &RouteKey::host, Flag{},
              "false: all hosts of the site share answers; the origin is told the first"),
      });
  return table;
}

const Table<RouteCache>& route_cache_table() {
  static const Table<RouteCache> table = [] {
    Table<RouteCache> made(
        {"sites[].routes[].cache", "How a route's responses are stored. `cache: off` stores none.", "", {}, {}},
        {
            row("key", &RouteCache::key, Sub<RouteKey>{route_key_table()}, "what answers are stored under"),
            row("methods", &RouteCache::methods, ListOf<Text>{{check_cached_method, false, false, "method"}},
                "whose answers are stored; GET and HEAD always are. With QUERY or POST the body is part of the key; "
                "POST "
                "only where it asks and changes nothing"),
            row("key_body", &RouteCache::key_body, size_between(1, kMiB),
                "most octets of a body that is part of the key; larger requests pass"),
            row("ttl", &RouteCache::ttl, Sub<Ttl>{ttl_table()}, "freshness"),
            row("set_cookie", &RouteCache::store_set_cookie, Choice<bool>{{{"skip", false}, {"store", true}}},
                "whether responses with Set-Cookie are stored"),
            row("heuristic", &RouteCache::heuristic, Flag{},
                "guess a lifetime from Last-Modified where nothing else is said (RFC 9111, 4.2.2)"),
            row("stale_while_revalidate", &RouteCache::stale_while_revalidate, Duration{},
                "serve stale this long while asking anew, where the origin does not say (RFC 5861)"),
            row("stale_if_error", &RouteCache::stale_if_error, Duration{},
                "serve stale this long while the origin fails, where it does not say (RFC 5861)"),
            row("no_vary_search", &RouteCache::no_vary_search, Choice<bool>{{{"honour", true}, {"ignore", false}}},
                "whether a response may say in No-Vary-Search which query parameters it does not depend on"),
            row("reflection", &RouteCache::refuse_reflections, Choice<bool>{{{"refuse", true}, {"allow", false}}},
                "whether a response that repeats a request field that is not in its key is not stored"),
            row("negative", &RouteCache::negative, StatusTtls{},
                "how long errors are kept that name no lifetime themselves; 404 goes before 4xx; 0s: not at all"),
            row("client_cache_control", &RouteCache::client_cache_control, Directives{},
                "which directives of a client's Cache-Control count; Pragma goes with no-cache"),
            row("targets", &RouteCache::targets, FieldNames{check_target},
                "fields that count before Cache-Control, the first that speaks: surrogate-control, or "
                "NAME-cache-control "
                "(RFC 9213)"),
            row("surrogate_id", &RouteCache::surrogate_id, Text{check_field_name, false, false, "token"},
                "what Surrogate-Control calls us: max-age=60;verge is for us alone"),
            row("surrogate_capability", &RouteCache::surrogate_capability, Flag{},
                "tell the origin by Surrogate-Capability that Surrogate-Control is obeyed"),
            row("tag_headers", &RouteCache::tag_headers, TagHeaders{},
                "fields whose members are tags, and what stands between these"),
            row("strip", &RouteCache::strip, FieldNames{}, "fields that are meant for us and not handed to clients")
                .fallback("verge-cache-control, surrogate-control and the tag_headers"),
            row("stale_if_slow", &RouteCache::stale_if_slow, Duration{},
                "where stale_if_error allows it: after so long without an answer the client gets the stale response, "
                "and the origin goes on to be waited for behind it; 0s: when the fetch has failed"),
            row("fail_timeout", &RouteCache::fail_timeout, Duration{},
                "how long a failure is remembered: until then, or until the origin answers well, stale_if_error serves "
                "at once and asks behind; 0s: each request finds out for itself"),
            row("refresh_ahead", &RouteCache::refresh_ahead, PercentOrDuration{50},
                "refresh what is asked for again in this last part of its lifetime, before it expires"),
            row("follow_timeout", &RouteCache::follow_timeout, Duration{kMs, kDay},
                "how long a request waits for another one's fetch of the same before it asks for itself")
                .fallback("limits.follow_timeout"),
            row("cache_status", &RouteCache::status_field,
                Choice<StatusField>{{{"on", StatusField::on}, {"key", StatusField::key}, {"off", StatusField::off}}},
                "the Cache-Status field of responses (RFC 9211): on; key: with the cache key in it, to look into "
                "things; "
                "off: none"),
            row("early_hints", &RouteCache::early_hints,
                Choice<EarlyHints>{{{"http2", EarlyHints::http2}, {"on", EarlyHints::on}, {"off", EarlyHints::off}}},
                "send the preload, preconnect and modulepreload links of a stale response as 103 while the origin is "
                "asked; http2: to HTTP/2 clients"),
            row("tags", &RouteCache::tags, ListOf<Text>{{check_tag}}, "tags of every response, to invalidate by"),
            row("max_object", &RouteCache::max_object, size_between(1, 64 * kTiB), "larger bodies are not stored"),
            row("slice", &RouteCache::slice, SizeOrOff{size_between(64 * kKiB, 1024 * kMiB), 8 * kMiB},
                "fetch and store in pieces of this size, on demand: for large bodies that are sought in"),
        });
    made.word = [](std::string_view word, RouteCache& out) {
      if (is_off(word)) out.enabled = false;
      return is_off(word) || is_on(word);
    };
    return made;
  }();
  return table;
}

const Table<Route>& route_table() {
  static const Table<Route> table(
      {"sites[].routes[]", "Which origin answers a path. The first route that matches is taken.", "", {}, {}},
      {
          row("match", &Route::match, Text{check_match, false, false, "pattern"},
              "the path; * stands for any run of characters")
              .required(),
          row("origin", &Route::origin, Text{}, "the name of one of the origins").required(),
          row("forward", &Route::forward, WordOrList{{"safe", "all"}, {check_forward, false, false, "field name"}},
              "which request fields the origin gets: all; all but those that override what is asked for, such as "
              "X-Original-URL; or a list, * for any run of characters. One that overrides and is forwarded is in the "
              "key"),
          row("cache", &Route::cache, Sub<RouteCache>{route_cache_table()}, "storing"),
      });
  return table;
}

const Table<Site>& site_table() {
  static const Table<Site> table(
      {"sites[]", "Hosts and their routes. A request for a host of no site is answered with 421.", "", {}, {}},
      {
          row("hosts", &Site::hosts, ListOf<Text>{{check_host, false, false, "host"}},
              "www.example.com; *.example.org for all names below; * for any other")
              .required(),
          row("routes", &Site::routes, ListOf<Sub<Route>>{{route_table()}}, "tried in this order").required(),
          row("quota", &Site::quota, size_between(0, 64 * kTiB),
              "most octets of its responses on disk; beyond it its own oldest go; 0: no limit of its own"),
      });
  return table;
}

} // namespace

const Table<PurgeAllow>& purge_allow_table() {
  static const Table<PurgeAllow> table(
      {"allow",
       "What a source of invalidations may name. Without it: everything. `*` matches any run of characters.",
       "",
       {},
       {}},
      {
          row("hosts", &PurgeAllow::hosts, ListOf<Text>{{check_host, false, false, "host"}},
              "only on these hosts; what names no host is refused"),
          row("paths", &PurgeAllow::paths, ListOf<Text>{{check_purge_path, false, false, "path"}},
              "only these paths and what lies wholly in them, as /blog/*; no tags, unless they are listed too"),
          row("tags", &PurgeAllow::tags, ListOf<Text>{{check_tag, false, false, "tag"}},
              "only these tags; no paths, unless they are listed too"),
          row("soft_only", &PurgeAllow::soft_only, Flag{}, "mark stale only, drop nothing"),
      });
  return table;
}

namespace {

const Table<Sns>& sns_table() {
  static const Table<Sns> table(
      {"invalidation.sns", "Invalidation by SNS notifications that are posted to this node.", "", {}, {}},
      {
          row("path", &Sns::path, Text{check_sns_path, false, false, "path of URLs"},
              "where SNS posts to, on every listening address and host"),
          row("topics", &Sns::topics, ListOf<Text>{{check_topic, false, false, "ARN"}},
              "the topics that are confirmed and obeyed; all others are refused")
              .required(),
          row("certificate_origin", &Sns::certificate_origin, Text{check_https_url, false, false, "URL"},
              "for tests: where signing certificates are fetched, in place of the region's SNS host"),
          row("certificate_ca", &Sns::certificate_ca, Path{},
              "for tests: PEM file of the authorities to trust for that"),
          row("confirm_endpoint", &Sns::confirm_endpoint, Text{check_url, false, false, "URL"},
              "for tests: where subscriptions are confirmed, in place of the region's SNS host"),
          row("require_version_2", &Sns::require_version_2, Flag{},
              "refuse signature version 1 (SHA-1); set the topic's SignatureVersion to 2 first"),
          row("s3_prefix", &Sns::s3_prefix, Text{nullptr, true},
              "S3 event records: keys below this prefix become paths without it"),
          row("allow", &Sns::allow, Sub<PurgeAllow>{purge_allow_table()}, "what notifications may invalidate"),
      });
  return table;
}

const Table<PurgeToken>& purge_token_table() {
  static const Table<PurgeToken> table(
      {"invalidation.tokens[]",
       "Who may call the purge APIs: Fastly-Key, Authorization: Bearer, X-Auth-Key. admin.token may do all.",
       "",
       {},
       {}},
      {
          row("name", &PurgeToken::name, Text{check_name}, "how the log and `verge purges` call its holder").required(),
          row("token", &PurgeToken::token, Text{check_header_token, false, true}, "write it as ${NAME}"),
          row("token_file", &PurgeToken::token_file, Path{}, "or the file that holds it; read at start"),
          row("allow", &PurgeToken::allow, Sub<PurgeAllow>{purge_allow_table()}, "what its holder may invalidate"),
      });
  return table;
}

const Table<PurgeScope>& purge_scope_table() {
  static const Table<PurgeScope> table(
      {"scope", "The hosts that a tool means by an id of its own.", "", {}, {}},
      {
          row("hosts", &PurgeScope::hosts, ListOf<Text>{{check_purge_host, false, false, "host"}},
              "what names no host is meant for these; nothing else may be named")
              .required(),
      });
  return table;
}

const Table<CloudFrontKey>& cloudfront_key_table() {
  static const Table<CloudFrontKey> table(
      {"invalidation.cloudfront.keys[]", "A key pair that requests are signed with (SigV4).", "", {}, {}},
      {
          row("id", &CloudFrontKey::id, Text{check_name}, "the access key id").required(),
          row("secret", &CloudFrontKey::secret, Text{check_header_token, false, true},
              "the secret access key; write it as ${NAME}"),
          row("secret_file", &CloudFrontKey::secret_file, Path{}, "or the file that holds it; read at start"),
          row("allow", &CloudFrontKey::allow, Sub<PurgeAllow>{purge_allow_table()}, "what its holder may invalidate"),
      });
  return table;
}

const Table<CloudFront>& cloudfront_table() {
  static const Table<CloudFront> table(
      {"invalidation.cloudfront",
       "CloudFront's invalidation API, for the AWS CLI and SDKs with --endpoint-url.",
       "",
       {},
       {}},
      {
          row("keys", &CloudFront::keys, ListOf<Sub<CloudFrontKey>>{{cloudfront_key_table()}}, "who may sign")
              .required(),
          row("distributions", &CloudFront::distributions,
              MapOf<PurgeScope>{purge_scope_table(), &PurgeScope::name, check_name},
              "ids of distributions and distribution tenants")
              .fallback("any id, for every host"),
      });
  return table;
}

const Table<Fastly>& fastly_table() {
  static const Table<Fastly> table(
      {"invalidation.fastly", "Fastly's purge API: /service/ID/purge and the like.", "", {}, {}},
      {
          row("services", &Fastly::services, MapOf<PurgeScope>{purge_scope_table(), &PurgeScope::name, check_name},
              "ids of services")
              .fallback("any id, for every host"),
      });
  return table;
}

const Table<Cloudflare>& cloudflare_table() {
  static const Table<Cloudflare> table(
      {"invalidation.cloudflare", "Cloudflare's purge API: /client/v4/zones/ID/purge_cache.", "", {}, {}},
      {
          row("zones", &Cloudflare::zones, MapOf<PurgeScope>{purge_scope_table(), &PurgeScope::name, check_name},
              "ids of zones")
              .fallback("any id, for every host"),
      });
  return table;
}

const Table<Invalidation>& invalidation_table() {
  static const Table<Invalidation> table(
      {"invalidation", "Who may invalidate stored responses.", "", {}, {}},
      {
          row("sns", &Invalidation::sns, Sub<Sns>{sns_table()}, "SNS notifications"),
          row("listen", &Invalidation::listen, Text{check_listen, false, false, "address"},
              "an address for the purge APIs alone (PURGE, BAN, CloudFront, Fastly, Cloudflare); the admin address has "
              "them too, a public one never"),
          row("tokens", &Invalidation::tokens, ListOf<Sub<PurgeToken>>{{purge_token_table()}},
              "who may call them, besides the holder of admin.token"),
          row("cloudfront", &Invalidation::cloudfront, Sub<CloudFront>{cloudfront_table()}, "CloudFront's API"),
          row("fastly", &Invalidation::fastly, Sub<Fastly>{fastly_table()}, "Fastly's API"),
          row("cloudflare", &Invalidation::cloudflare, Sub<Cloudflare>{cloudflare_table()}, "Cloudflare's API"),
          row("push", &Invalidation::push, Sub<Push>{push_table()}, "events that nobody signed"),
          row("sqs", &Invalidation::sqs, ListOf<Sub<SqsQueue>>{{sqs_queue_table()}}, "queues of this node alone"),
          row("rules", &Invalidation::rules, ListOf<Sub<EventRule>>{{event_rule_table()}},
              "which events of a deploy invalidate what"),
      });
  return table;
}

const Table<Admin>& admin_table() {
  static const Table<Admin> table(
      {"admin", "The address for metrics, health, readiness and purges. Without it there is none.", "", {}, {}},
      {
          row("address", &Admin::address, Text{check_listen, false, false, "address"},
              "loopback or unix:/path, unless a token is set")
              .required(),
          row("token", &Admin::token, Text{check_header_token, false, true},
              "asked for as Authorization: Bearer TOKEN"),
      });
  return table;
}

const Table<AccessLog>& access_log_table() {
  static const Table<AccessLog> table = [] {
    Table<AccessLog> made({"access_log", "One line for each request. `access_log: off` is the default.", "", {}, {}},
                          {
                              row("path", &AccessLog::path, Path{true}, "a file, /dev/stdout, or off").required(),
                              row("format", &AccessLog::format,
                                  Choice<LogFormat>{{{"json", LogFormat::json}, {"combined", LogFormat::combined}}},
                                  "JSON objects, or the combined format of other servers"),
                          });
    made.word = [](std::string_view word, AccessLog& out) {
      if (is_off(word)) out.path.clear();
      return is_off(word);
    };
    return made;
  }();
  return table;
}

const Table<ErrorLog>& error_log_table() {
  static const Table<ErrorLog> table(
      {"error_log", "What the program has to say.", "", {}, {}},
      {
          row("path", &ErrorLog::path, Path{}, "a file").fallback("standard error"),
          row("level", &ErrorLog::level,
              Choice<std::string>{{{"debug", "debug"}, {"info", "info"}, {"warn", "warn"}, {"error", "error"}}},
              "the least that is written"),
      });
  return table;
}

const Table<Limits>& limits_table() {
  static const Table<Limits> table(
      {"limits", "How much a client may take up.", "", {}, {}},
      {
          row("request_head", &Limits::request_head, size_between(kKiB, kMiB), "request line and fields; more: 431"),
          row("request_fields", &Limits::request_fields, Count{1, 10'000}, "number of fields; more: 431"),
          row("request_target", &Limits::request_target, size_between(64, kMiB), "path and query; more: 414"),
          row("head_timeout", &Limits::head_timeout, Duration{kMs, kDay},
              "from connecting, or from a head's first octet, to its end"),
          row("idle_timeout", &Limits::idle_timeout, Duration{kMs, kDay}, "a connection without requests"),
          row("body_timeout", &Limits::body_timeout, Duration{kMs, kDay}, "no octet of a request's body comes"),
          row("send_timeout", &Limits::send_timeout, Duration{kMs, kDay}, "the client takes nothing"),
          row("drain_timeout", &Limits::drain_timeout, Duration{Millis(0), kDay},
              "after SIGTERM: how long running requests may go on"),
          row("follow_timeout", &Limits::follow_timeout, Duration{kMs, kDay},
              "how long requests for one URL wait for the first of them"),
          row("connections", &Limits::connections, Count{1, 1'000'000}, "clients at once, for each worker"),
          row("h2_streams", &Limits::h2_streams, Count{1, 10'000}, "requests at once on an HTTP/2 connection"),
          row("output_buffer", &Limits::output_buffer, size_between(16 * kKiB, 64 * kMiB),
              "octets that may wait in this process for one client"),
      });
  return table;
}

} // namespace

const Table<Config>& config_table() {
  static const Table<Config> table(
      {"", "", "", {}, {}},
      {
          row("listen", &Config::listen, ListOf<Sub<Listen>>{{listen_table()}}, "where clients connect").required(),
          row("workers", &Config::workers, Count{0, 256}, "threads that serve clients; 0: one for each core")
              .fallback("the number of cores"),
          row("cache", &Config::cache, Sub<Cache>{cache_table()}, "where stored responses live"),
          row("origins", &Config::origins, MapOf<Origin>{origin_table(), &Origin::name, check_name},
              "who answers what is not stored")
              .required(),
          row("sites", &Config::sites, ListOf<Sub<Site>>{{site_table()}}, "which hosts are served, and from where")
              .required(),
          row("invalidation", &Config::invalidation, Sub<Invalidation>{invalidation_table()},
              "how stored responses are dropped from outside"),
          row("admin", &Config::admin, Sub<Admin>{admin_table()}, "metrics, health and purges"),
          row("access_log", &Config::access_log, Sub<AccessLog>{access_log_table()}, "one line for each request"),
          row("error_log", &Config::error_log, Sub<ErrorLog>{error_log_table()}, "what the program has to say"),
          row("limits", &Config::limits, Sub<Limits>{limits_table()}, "how much a client may take up"),
      });
  return table;
}

} // namespace verge::config
