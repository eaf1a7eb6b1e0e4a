// Config: a whole configuration as plain values, checked, with every default filled in. Immutable once loaded; shared.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/events.h"
#include "proxy/base/clock.h"

namespace verge::config {

struct Certificate {
  std::string chain, key;
};
enum class ClientAuthMode : uint8_t { off, optional, required };
struct ClientAuth {
  ClientAuthMode mode = ClientAuthMode::off;
  std::string ca;
  uint32_t verified = 10'000; // chains remembered at most
};
struct Tls {
  std::vector<Certificate> certificates;
  ClientAuth client_auth;
  std::string min_version = "1.2";
  uint32_t sessions = 10'000; // kept at most; 0: in tickets
};
struct Listen {
  std::string address;
  std::optional<Tls> tls;
};

struct Cache {
  std::string path = "./cache"; // "off": RAM only
  uint64_t disk = 10ull << 30, memory = 256ull << 20, memory_object = 1ull << 20;
  uint32_t variants = 32; // of one key
};

enum class OriginType : uint8_t { http, folder, s3, api_gateway, lambda };
struct Credentials { // empty: environment, then shared file
  std::string access_key_id, secret_access_key, session_token;
  std::string profile;
  bool operator==(const Credentials&) const = default;
};
struct Timeouts {
  Millis connect{3'000}, first_byte{10'000}, between_bytes{30'000}, head{60'000}, idle{60'000};
};
struct Origin {
  std::string name;
  OriginType type = OriginType::http;
  // http, api-gateway
  std::string url;
  std::string host;   // Host to send; empty: the url's for api-gateway, the client's for http
  bool sign = false;  // api-gateway: SigV4 execute-api
  std::string tls_ca; // PEM; empty: system roots
  bool tls_verify = true;
  // folder
  std::string path;
  // s3
  std::string bucket;
  std::string index = "index.html";
  std::string prefix;      // put before the key
  bool path_style = false; // implied by an endpoint or a bucket with dots
  bool anonymous = false;  // do not sign
  // lambda
  std::string function, qualifier;
  // s3, lambda, api-gateway
  std::string region, endpoint;
  Credentials credentials;
  Timeouts timeouts;
  uint32_t connections = 256;    // at most, a worker
  uint64_t max_request_body = 0; // octets; 0: no limit (lambda: 6 MiB)
};

struct Ttl {
  std::optional<Seconds> default_;
  Seconds min{0}, max{31'536'000};
};
// A word in place of a list, or the list.
struct Names {
  std::string word;
  std::vector<std::string> list;
};
enum class KeyQueryMode : uint8_t { all, none };
struct KeyQuery {
  KeyQueryMode mode = KeyQueryMode::all; // where neither list says otherwise
  std::vector<std::string> allow, deny;
  bool drop_tracking = false; // tracking: keep | drop
  bool sort = false;
  bool forward_dropped = false; // dropped: hide | forward
};
struct RouteKey {
  KeyQuery query;
  std::vector<std::string> headers;
  Names cookies; // "none", or those that are in the key; neither: cookies are forwarded and not in the key
  bool scheme = true, host = true;
};
// How long an error is kept that names no lifetime: by status, or 4 and 5 for a whole class.
struct NegativeTtl {
  int status = 0;
  Seconds ttl{0};
};
// Which directives of a client's Cache-Control count.
struct ClientDirectives {
  bool no_cache = true, no_store = true, max_age = true, min_fresh = true, max_stale = true, only_if_cached = true;
};
struct TagHeader {
  std::string name; // lower case
  char separator = ',';
};
// Of the lifetime, or a time; both 0: off.
struct RefreshAhead {
  uint32_t percent = 0;
  Millis time{0};
};
enum class EarlyHints : uint8_t { off, http2, on };
enum class StatusField : uint8_t { off, on, key };
struct RouteCache {
  bool enabled = true; // `cache: off`
  std::vector<std::string> methods{"GET", "HEAD"};
  uint64_t key_body = 64 << 10;
  RouteKey key;
  Ttl ttl;
  bool store_set_cookie = false; // set_cookie: store | skip
  bool heuristic = true;
  Seconds stale_while_revalidate{0}, stale_if_error{0};
  bool no_vary_search = true;     // no_vary_search: honour | ignore
  bool refuse_reflections = true; // reflection: refuse | allow
  std::vector<NegativeTtl> negative;
  ClientDirectives client_cache_control; // honour | ignore | some of them
  std::vector<std::string> targets = {"verge-cache-control", "cdn-cache-control", "surrogate-control"};
  std::string surrogate_id = "verge";
  bool surrogate_capability = false;
  std::vector<TagHeader> tag_headers = {{"surrogate-key", ' '}, {"cache-tag", ','}, {"x-amz-meta-cache-tag", ','}};
  std::optional<std::vector<std::string>> strip; // lower case; none: what is meant for us
  Millis stale_if_slow{2'000}, fail_timeout{10'000};
  RefreshAhead refresh_ahead;
  std::optional<Millis> follow_timeout; // none: limits.follow_timeout
  EarlyHints early_hints = EarlyHints::http2;
  StatusField status_field = StatusField::on; // cache_status: on | key | off
  std::vector<std::string> tags;
  uint64_t max_object = 5ull << 30;
  uint64_t slice = 0; // octets; 0: off
};
struct Route {
  std::string match;         // `*` matches any run of characters
  std::string origin;        // name
  Names forward{"safe", {}}; // all, safe, or which request fields
  RouteCache cache;
};
struct Site {
  std::vector<std::string> hosts; // "www.example.com", "*.example.org", "*"
  std::vector<Route> routes;
  uint64_t quota = 0; // octets of its responses on disk; 0: no limit of its own
};

// What one source of invalidations may name. Of paths and tags either list given: only what they name.
struct PurgeAllow {
  std::vector<std::string> hosts;       // empty: all; `*` matches any run of characters
  std::vector<std::string> paths, tags; // the same
  bool soft_only = false;
  bool operator==(const PurgeAllow&) const = default;
};
struct Sns {
  std::string path = "/_verge/sns";
  std::vector<std::string> topics;
  std::string certificate_origin; // for tests: "https://127.0.0.1:1234" in place of the region's SNS host
  std::string certificate_ca;     // PEM to trust for it
  std::string confirm_endpoint;   // for tests: where ConfirmSubscription is sent
  bool require_version_2 = false;
  // S3 event records: object keys below this prefix become URL paths without it.
  std::string s3_prefix;
  PurgeAllow allow;
  bool operator==(const Sns&) const = default;
};
// Events that nobody signed, with another proof.
struct Push {
  std::string path;
  std::string user, password;               // Basic
  std::string key_field = "x-api-key", key; // a field that holds a key
  PurgeAllow allow;
  bool operator==(const Push&) const = default;
};
struct SqsQueue {
  std::string queue; // URL
  std::string region, endpoint;
  Credentials credentials;
  std::string tls_ca; // PEM; empty: system roots
  std::vector<std::string> topics;
  PurgeAllow allow;
  bool operator==(const SqsQueue&) const = default;
};
// Who calls a purge API, by a secret: the text or the file that holds it.
struct PurgeToken {
  std::string name; // for the log and the list
  std::string token, token_file;
  PurgeAllow allow;
  bool operator==(const PurgeToken&) const = default;
};
struct CloudFrontKey {
  std::string id;
  std::string secret, secret_file;
  PurgeAllow allow;
  bool operator==(const CloudFrontKey&) const = default;
};
// What a tool calls a distribution, a service or a zone.
struct PurgeScope {
  std::string name;
  std::vector<std::string> hosts; // empty: every host
  bool operator==(const PurgeScope&) const = default;
};
struct CloudFront {
  std::vector<CloudFrontKey> keys;
  std::map<std::string, PurgeScope> distributions; // empty: any id, for every host
  bool operator==(const CloudFront&) const = default;
};
struct Fastly {
  std::map<std::string, PurgeScope> services; // the same
  bool operator==(const Fastly&) const = default;
};
struct Cloudflare {
  std::map<std::string, PurgeScope> zones; // the same
  bool operator==(const Cloudflare&) const = default;
};
// What a node does that may have missed invalidations.
struct Guard {
  Millis after{60'000};
  Millis retention{Seconds(4 * 86'400)};
  Millis retry_window{60'000}, retry_delay{35'000};
  Millis stale_if_error{3'600'000};
  bool operator==(const Guard&) const = default;
};
// What was asked for often is fetched again after an invalidation that asks for it.
struct Refetch {
  bool by_default = false;
  uint32_t most = 1'000, per_second = 50, at_once = 8;
  bool operator==(const Refetch&) const = default;
};
struct Invalidation {
  std::optional<Sns> sns;
  std::optional<Push> push;
  std::vector<SqsQueue> sqs;
  std::vector<EventRule> rules;
  std::string listen; // empty: the purge APIs are on the admin address only
  std::vector<PurgeToken> tokens;
  std::optional<CloudFront> cloudfront;
  Fastly fastly;
  Cloudflare cloudflare;
  Guard guard;
  Refetch refetch;
  Seconds forget{600};
  bool operator==(const Invalidation&) const = default;
};
// The other nodes that serve the same sites, and how purges taken by one reach all.
struct Fleet {
  std::string name;               // of this node; not in the file: the host's (filled in)
  std::vector<std::string> nodes; // "https://10.0.1.7:9443", "10.0.1.7:9090"
  std::string dns;                // the same with a name: each of its addresses is a node
  std::string token, token_file;  // shown to the nodes, and by them
  std::string tls_ca;             // PEM; empty: system roots
  std::string topic, endpoint;    // where purges that this node's APIs take are published; empty: nowhere
  Credentials credentials;
  Millis down_after{5'000}, publish_timeout{5'000}, wait_timeout{60'000}, count_timeout{2'000};
  Millis resolve_interval{10'000}, wait_limit{20'000};
  uint32_t remembered = 1'000; // purges whose way through the fleet is known
  bool operator==(const Fleet&) const = default;
};
struct Admin {
  std::string address; // empty: none
  std::string token;
};
enum class LogFormat : uint8_t { json, combined };
struct AccessLog {
  std::string path; // empty: off
  LogFormat format = LogFormat::json;
};
struct ErrorLog {
  std::string path;
  std::string level = "info";
};
struct Limits {
  uint64_t request_head = 65'536, request_fields = 100, request_target = 16'384;
  Millis head_timeout{10'000};   // accept to end of head, and each following head once begun
  Millis idle_timeout{60'000};   // keep-alive
  Millis body_timeout{15'000};   // no octet of request body for so long
  Millis send_timeout{15'000};   // client takes nothing for so long
  Millis drain_timeout{30'000};  // SIGTERM: running exchanges may end
  Millis follow_timeout{30'000}; // a follower waits for the leader's head
  uint32_t connections = 10'000; // a worker
  uint32_t h2_streams = 128;
  uint64_t output_buffer = 262'144; // octets a client may have waiting in this process
};
struct Config {
  std::string file; // where it came from
  // Lines (from 1) of what the file says, by path: "sites[0].routes[2].cache.ttl". For `verge why`.
  std::map<std::string, int> lines;
  std::vector<Listen> listen;
  uint32_t workers = 0; // 0 in the file: the number of cores (filled in)
  Cache cache;
  std::map<std::string, Origin> origins;
  std::vector<Site> sites;
  Invalidation invalidation;
  Fleet fleet;
  Admin admin;
  AccessLog access_log;
  ErrorLog error_log;
  Limits limits;
};

} // namespace verge::config
