#include "config/fleet_tables.h"

#include "config/checks.h"
#include "config/event_tables.h"
#include "config/kinds.h"

namespace verge::config {

const Table<Fleet>& fleet_table() {
  static const Table<Fleet> table(
      {"fleet",
       "The nodes that serve the same sites. A purge that this node's APIs take is published to the topic, which "
       "carries it to all; which of them have applied it is asked of each.",
       "",
       {},
       {}},
      {
          row("name", &Fleet::name, Text{check_name}, "how this node calls itself").fallback("the host's name"),
          row("nodes", &Fleet::nodes, ListOf<Text>{{check_node, false, false, "address or URL"}},
              "the nodes' admin.address or invalidation.listen, as 10.0.1.7:9090 or https://10.0.1.7:9443; this node "
              "may be among them"),
          row("dns", &Fleet::dns, Text{check_node, false, false, "address or URL"},
              "or the same with a name of which each address is a node, as edge.internal:9090"),
          row("token", &Fleet::token, Text{check_header_token, false, true},
              "what the nodes show each other; who shows it may read which purges were applied, and nothing else; "
              "write it as ${NAME}"),
          row("token_file", &Fleet::token_file, Path{}, "or the file that holds it; read at start"),
          row("tls_ca", &Fleet::tls_ca, Path{}, "PEM file of the authorities to trust for https nodes")
              .fallback("the system's"),
          row("topic", &Fleet::topic, Text{check_topic, false, false, "ARN"},
              "the SNS topic that every node gets its messages from, by sns or sqs; needs sns:Publish"),
          row("endpoint", &Fleet::endpoint, Text{check_url, false, false, "URL"},
              "where it is published, in place of the region's SNS host: a VPC endpoint, an emulator"),
          row("credentials", &Fleet::credentials, Sub<Credentials>{credentials_table()}, "to sign that with"),
          row("down_after", &Fleet::down_after, Duration{Millis(500), Seconds(600)},
              "a node that has not answered for so long is down: nothing waits for it, and it is named"),
          row("publish_timeout", &Fleet::publish_timeout, Duration{Millis(100), Seconds(60)},
              "how long publishing may take, tries included; then the purge's sender gets an error"),
          row("wait_timeout", &Fleet::wait_timeout, Duration{Millis(100), Seconds(3'600)},
              "how long `verge purge --wait` waits, unless it says so itself; then the log names who is late"),
          row("count_timeout", &Fleet::count_timeout, Duration{Millis(0), Seconds(600)},
              "how long --wait then waits for the nodes to count what went"),
          row("resolve_interval", &Fleet::resolve_interval, Duration{Seconds(1), Seconds(3'600)},
              "how often `dns` is looked up"),
          row("wait_limit", &Fleet::wait_limit, Duration{Millis(100), Seconds(60)},
              "how long a question for a purge's state may be left open here (?wait=)"),
          row("remembered", &Fleet::remembered, Count{1, 100'000},
              "purges whose way through the fleet is known, the latest"),
      });
  return table;
}

} // namespace verge::config
