#include "config/event_tables.h"

#include "config/checks.h"
#include "config/event_pattern.h"
#include "config/invalidation_tables.h"
#include "config/kinds.h"

namespace verge::config {
namespace {

const Table<RulePurge>& rule_purge_table() {
  static const Table<RulePurge> table(
      {"invalidation.rules[].purge",
       "What the events of a rule invalidate: at least one of paths, tags and all.",
       "",
       {},
       {}},
      {
          row("hosts", &RulePurge::hosts, ListOf<Text>{{check_host_header, false, false, "host"}},
              "where paths without a host and `all` hold; without it on every host"),
          row("paths", &RulePurge::paths, ListOf<Text>{{check_purge_target, false, false, "path or URL"}},
              "paths, patterns and URLs, as `verge purge` takes them"),
          row("tags", &RulePurge::tags, ListOf<Text>{{check_tag, false, false, "tag"}}, "tags"),
          row("all", &RulePurge::all, Flag{}, "everything on the hosts"),
          row("soft", &RulePurge::soft, Flag{}, "mark stale instead of dropping"),
      });
  return table;
}

} // namespace

const Table<EventRule>& event_rule_table() {
  static const Table<EventRule> table(
      {"invalidation.rules[]",
       "Which events invalidate what: EventBridge's (CodePipeline, CodeDeploy, Amplify, your own), CloudFormation's "
       "notifications, or any other JSON object. Every rule that fits counts.",
       "",
       {},
       {}},
      {
          row("when", &EventRule::when, Pattern{},
              "fields and what they must be, in the words of EventBridge's patterns: values, lists of values, and in "
              "lists {prefix: x}, {suffix: x}, {wildcard: \"a*b\"}, {equals-ignore-case: x}, {exists: true}, "
              "{anything-but: x}")
              .required(),
          row("purge", &EventRule::purge, Sub<RulePurge>{rule_purge_table()}, "what is then invalidated").required(),
      });
  return table;
}

const Table<Push>& push_table() {
  static const Table<Push> table(
      {"invalidation.push",
       "Events that nobody signed: SNS's raw message delivery, EventBridge's API destinations, storage that posts "
       "its own records. They prove themselves by user and password, by a key, or by a path that nobody can guess. "
       "TLS is needed around it, in this node or before it.",
       "",
       {},
       {}},
      {
          row("path", &Push::path, Text{check_sns_path, false, true, "path of URLs"},
              "where they are posted to, on every listening address and host; without user and key it is the proof, "
              "and its last part has 24 characters or more")
              .required(),
          row("user", &Push::user, Text{check_header_token}, "of Basic authentication"),
          row("password", &Push::password, Text{check_header_token, false, true},
              "its password; write it as ${NAME} and keep it out of the file"),
          row("key_field", &Push::key_field, Text{check_field_name}, "the field that holds the key"),
          row("key", &Push::key, Text{check_header_token, false, true}, "the key; write it as ${NAME}"),
          row("allow", &Push::allow, Sub<PurgeAllow>{purge_allow_table()}, "what they may invalidate"),
      });
  return table;
}

const Table<SqsQueue>& sqs_queue_table() {
  static const Table<SqsQueue> table(
      {"invalidation.sqs[]",
       "A queue that this node polls, and no other node: for nodes that SNS can't reach. Its messages are SNS "
       "notifications, with raw message delivery or without, or events that AWS sends to queues. The queue's policy "
       "says who may put messages into it; their signatures are not looked at.",
       "",
       {},
       {}},
      {
          row("queue", &SqsQueue::queue, Text{check_url, false, false, "URL"},
              "its URL, as https://sqs.eu-west-1.amazonaws.com/123456789012/verge-node-1")
              .required(),
          row("region", &SqsQueue::region, Text{check_region}, "the queue's AWS region")
              .fallback("that of the URL, AWS_REGION, AWS_DEFAULT_REGION"),
          row("endpoint", &SqsQueue::endpoint, Text{check_url, false, false, "URL"},
              "where calls are sent, in place of the queue's own host: a VPC endpoint, an emulator"),
          row("credentials", &SqsQueue::credentials, Sub<Credentials>{credentials_table()}, "to sign with"),
          row("tls_ca", &SqsQueue::tls_ca, Path{}, "PEM file of the authorities to trust").fallback("the system's"),
          row("topics", &SqsQueue::topics, ListOf<Text>{{check_topic, false, false, "ARN"}},
              "only SNS notifications of these topics; needs raw message delivery to be off")
              .fallback("whatever the queue holds"),
          row("allow", &SqsQueue::allow, Sub<PurgeAllow>{purge_allow_table()}, "what its messages may invalidate"),
      });
  return table;
}

} // namespace verge::config
