#include "config/invalidation_tables.h"

#include "config/checks.h"
#include "config/event_tables.h"
#include "config/kinds.h"

namespace verge::config {

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

const Table<Guard>& guard_table() {
  static const Table<Guard> table(
      {"invalidation.guard",
       "What a node does that may have missed invalidations: it was down, its queue can't be read. After a longer "
       "time than `after` it is guarded: what it stored before is not used until the origin has validated it, until "
       "all that was published meanwhile has been read.",
       "",
       {},
       {}},
      {
          row("after", &Guard::after, Duration{Seconds(3), kDay},
              "how old the node's knowledge may be: for so long it goes on as usual and says cut-off in "
              "Cache-Status; once guarded, what it validates is used for so long"),
          row("retention", &Guard::retention, Duration{Seconds(1), 14 * kDay},
              "how long the queues keep messages (MessageRetentionPeriod): after a longer gap everything is marked "
              "stale"),
          row("retry_window", &Guard::retry_window, Duration{Seconds(1), kDay},
              "how long SNS, or whoever posts, tries to deliver one message: after a longer gap everything is marked "
              "stale. SNS by default: 3 retries, 20s apart"),
          row("retry_delay", &Guard::retry_delay, Duration{Seconds(1), kDay},
              "the longest time from one of these tries to the next, with what a try takes: so long a node waits for "
              "what it missed. SNS by default: 20s, and 15s for an answer"),
          row("stale_if_error", &Guard::stale_if_error, Duration{},
              "how long after the last proof a guarded node may use what it can't validate because the origin fails, "
              "where the response and its route allow that at all"),
      });
  return table;
}

const Table<Refetch>& refetch_table() {
  static const Table<Refetch> table(
      {"invalidation.refetch",
       "What was in memory and asked for often is fetched again after an invalidation that asks for it (`verge purge "
       "--refetch`, \"refetch\": true), before clients ask.",
       "",
       {},
       {}},
      {
          row("by_default", &Refetch::by_default, Flag{},
              "after every invalidation that does not say \"refetch\": false"),
          row("most", &Refetch::most, Count{1, 1'000'000}, "responses for one invalidation, those most asked for"),
          row("per_second", &Refetch::per_second, Count{1, 100'000}, "fetches that begin in a second"),
          row("at_once", &Refetch::at_once, Count{1, 10'000}, "fetches under way"),
      });
  return table;
}

} // namespace

const Table<Invalidation>& invalidation_table() {
  static const Table<Invalidation> table(
      {"invalidation", "Who may invalidate stored responses.", "", {}, {}},
      {
          row("sns", &Invalidation::sns, Sub<Sns>{sns_table()}, "SNS notifications"),
          row("listen", &Invalidation::listen, Text{check_listen, false, false, "address"},
              "an address for the purge APIs alone (PURGE, BAN, CloudFront, Fastly, Cloudflare); the admin address "
              "has them too, a public one never"),
          row("tokens", &Invalidation::tokens, ListOf<Sub<PurgeToken>>{{purge_token_table()}},
              "who may call them, besides the holder of admin.token"),
          row("cloudfront", &Invalidation::cloudfront, Sub<CloudFront>{cloudfront_table()}, "CloudFront's API"),
          row("fastly", &Invalidation::fastly, Sub<Fastly>{fastly_table()}, "Fastly's API"),
          row("cloudflare", &Invalidation::cloudflare, Sub<Cloudflare>{cloudflare_table()}, "Cloudflare's API"),
          row("push", &Invalidation::push, Sub<Push>{push_table()}, "events that nobody signed"),
          row("sqs", &Invalidation::sqs, ListOf<Sub<SqsQueue>>{{sqs_queue_table()}}, "queues of this node alone"),
          row("guard", &Invalidation::guard, Sub<Guard>{guard_table()}, "what happens after some may have been missed"),
          row("refetch", &Invalidation::refetch, Sub<Refetch>{refetch_table()}, "what is fetched again"),
          row("forget", &Invalidation::forget, Duration{Seconds(1), kDay},
              "how often the store is looked through for the commands that nothing in it is older than, to forget "
              "them"),
          row("rules", &Invalidation::rules, ListOf<Sub<EventRule>>{{event_rule_table()}},
              "which events of a deploy invalidate what"),
      });
  return table;
}

} // namespace verge::config
