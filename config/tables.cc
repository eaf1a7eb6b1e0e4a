#include "config/tables.h"

#include "config/checks.h"
#include "config/fleet_tables.h"
#include "config/invalidation_tables.h"
#include "config/kinds.h"
#include "config/route_cache_tables.h"

namespace verge::config {
namespace {

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
    Table<ClientAuth> made({"listen[].tls.client_auth", "Whether clients show a certificate (mutual TLS).", "", {}, {}},
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
          row("sessions", &Tls::sessions, Count{0, 10'000'000},
              "TLS sessions kept for resumption, the latest; about 1 KB each, 6 KB with a client's certificate; "
              "0: they go into encrypted tickets, which costs more CPU, or with client_auth nowhere"),
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
              "octets that may wait in this process for one client, beside what lies in the memory tier anyway"),
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
          row("fleet", &Config::fleet, Sub<Fleet>{fleet_table()}, "the other nodes that serve the same sites"),
          row("admin", &Config::admin, Sub<Admin>{admin_table()}, "metrics, health and purges"),
          row("access_log", &Config::access_log, Sub<AccessLog>{access_log_table()}, "one line for each request"),
          row("error_log", &Config::error_log, Sub<ErrorLog>{error_log_table()}, "what the program has to say"),
          row("limits", &Config::limits, Sub<Limits>{limits_table()}, "how much a client may take up"),
      });
  return table;
}

} // namespace verge::config
