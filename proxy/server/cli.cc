#include "proxy/server/cli.h"

#include <fmt/core.h>

#include <CLI/CLI.hpp>

#include "config/loader.h"
#include "proxy/control/inspect_client.h"
#include "proxy/control/purge_client.h"
#include "proxy/control/purge_id.h"
#include "proxy/server/serve.h"

namespace verge::server {
namespace {

constexpr const char* kDefaultConfig = "/etc/verge/verge.yaml";

// How a running node is found: by its admin address, or by its configuration.
struct NodeOptions {
  std::string config_path = kDefaultConfig;
  control::AdminAddress node;
  CLI::Option* config_option = nullptr;

  void add_to(CLI::App& command) {
    config_option = command.add_option("-c,--config", config_path, "The node's configuration, for its admin address")
                        ->capture_default_str();
    command.add_option("--admin", node.address, "Admin address instead: 127.0.0.1:9090 or unix:/path");
    command.add_option("--token", node.token, "Admin token (default: from the configuration or VERGE_ADMIN_TOKEN)")
        ->envname("VERGE_ADMIN_TOKEN");
  }
  // False: said what is amiss.
  bool resolve() {
    if (!node.address.empty()) return true;
    const auto loaded = config::load_file(config_path);
    if (!loaded.faults.empty()) {
      for (const auto& fault : loaded.faults) fmt::print(stderr, "{}\n", fault.text());
      if (config_option->count() == 0) {
        fmt::print(stderr, "Name the node with -c FILE (its configuration) or --admin ADDRESS.\n");
      }
      return false;
    }
    node.address = loaded.config.admin.address;
    if (node.token.empty()) node.token = loaded.config.admin.token;
    if (node.address.empty()) {
      fmt::print(stderr, "{}: no admin address; add `admin: {{address: 127.0.0.1:9090}}` and restart the node\n",
                 config_path);
    }
    return !node.address.empty();
  }
};

int report(std::string_view command, const Error& error) {
  fmt::print(stderr, "verge {}: {}\n", command, error.what);
  return error.code == Errc::bad_input ? kUsage : kFailed;
}

int print_result(std::string_view command, const Result<std::string>& text) {
  if (!text) return report(command, text.error());
  fmt::print("{}", *text);
  return kOk;
}

// What CLI11 calls a validator: what is wrong with a text, or nothing.
std::string purge_id(const std::string& id) {
  return control::is_purge_id(id) ? "" : "an id is 1 to 128 letters, digits and -_.:+=@";
}

int print_done(std::string_view command, const Result<control::PurgeDone>& done) {
  if (!done) return report(command, done.error());
  fmt::print("{}", done->text);
  if (!done->fault.empty()) fmt::print(stderr, "verge {}: {}\n", command, done->fault);
  return done->status;
}

bool parse_fields(std::string_view command, const std::vector<std::string>& given, control::Fields& out) {
  for (const auto& text : given) {
    auto field = control::parse_field(text);
    if (!field) {
      report(command, field.error());
      return false;
    }
    out.push_back(std::move(*field));
  }
  return true;
}

} // namespace

int run_cli(int argc, char** argv, const char* version) {
  CLI::App app{"Verge: an edge caching proxy for serverless apps on AWS."};
  app.require_subcommand(1);
  app.footer(
      "Exit codes: 0 done, 1 failed while running, 2 wrong usage or faulty configuration; of --wait also 3: applied by "
      "every node that answers, others are down, 4: a node that answers has not applied it.");
  std::string config_path = kDefaultConfig;

  auto* serve_command = app.add_subcommand("serve", "Run a node until SIGTERM (drains) or SIGINT; SIGHUP reloads.");
  serve_command->add_option("-c,--config", config_path, "Configuration file")->capture_default_str();

  auto* check_command = app.add_subcommand("check", "Check a configuration; prints every fault as file:line:column.");
  check_command->add_option("-c,--config", config_path, "Configuration file")->capture_default_str();

  NodeOptions node;
  control::PurgeRequest request;
  int64_t timeout = 0; // seconds
  auto* purge_command = app.add_subcommand("purge", "Invalidate what a running node has cached.");
  node.add_to(*purge_command);
  purge_command->add_option("-t,--tag", request.tags, "Everything with this tag; may be repeated")
      ->allow_extra_args(false);
  purge_command->add_option("--site", request.sites, "Everything of the site with this host; may be repeated")
      ->allow_extra_args(false);
  purge_command->add_flag("--all", request.all, "Everything");
  purge_command->add_flag("--dry-run", request.dry_run, "Change nothing; count the stored responses that would go");
  purge_command->add_flag("--wait", request.wait,
                          "Until every node of the fleet has applied it; tells node by node when, and how many stored "
                          "responses it hit. Exit code 3: nodes are down; 4: one that answers has not applied it");
  const auto add_timeout = [&](CLI::App* command) {
    command->add_option("--timeout", timeout, "Seconds for --wait (default: fleet.wait_timeout of the node)")
        ->check(CLI::Range(1, 86'400));
  };
  add_timeout(purge_command);
  purge_command
      ->add_option("--id", request.id,
                   "The purge's id, as of a build: given again, to this node or another, it is done once")
      ->check(purge_id);
  purge_command->add_flag("--soft", request.soft, "Mark stale instead of dropping: revalidated at the next request");
  purge_command->add_flag("--refetch", request.refetch, "Fetch what was asked for often again, before clients ask");
  purge_command->add_option("paths", request.paths,
                            "URLs or paths; `*` matches any run of characters: https://www.example.com/a, /img/*");

  size_t most_purges = 0;
  std::string awaited;
  bool purges_json = false;
  auto* purges_command = app.add_subcommand("purges", "List a running node's latest purges, the newest first.");
  node.add_to(*purges_command);
  purges_command->add_option("--limit", most_purges, "At most so many (default: all it knows, 1,000)");
  purges_command->add_flag("--json", purges_json, "As JSON, one object a line");
  purges_command
      ->add_option("--wait", awaited,
                   "Until every node of the fleet has applied the purge with this id: of `purge --id`, or the "
                   "MessageId of `aws sns publish`; tells as `purge --wait` does")
      ->check(purge_id);
  add_timeout(purges_command);

  control::InspectRequest inspect;
  std::vector<std::string> fields;
  const auto add_json = [&inspect](CLI::App* command) { command->add_flag("--json", inspect.json, "As JSON"); };

  auto* why_command = app.add_subcommand("why", "Say what a running node does with a request, and why. Sends nothing.");
  node.add_to(*why_command);
  why_command->add_option("-H,--header", fields, "A field of the request, as in 'Accept-Encoding: br'; may be repeated")
      ->allow_extra_args(false);
  add_json(why_command);
  why_command->add_option("-X,--request", inspect.method, "Method (default: GET)");
  why_command->add_option("url", inspect.url, "The whole URL: https://www.example.com/app.js")->required();

  auto* ls_command = app.add_subcommand("ls", "List what a running node has stored, the oldest first.");
  node.add_to(*ls_command);
  add_json(ls_command);
  ls_command->add_option("-t,--tag", inspect.tag, "Only what has this tag");
  ls_command->add_option("--limit", inspect.limit, "At most so many (default: all)");
  ls_command->add_option("pattern", inspect.pattern, "URLs, paths or patterns as purge takes them: /img/*");

  auto* get_command = app.add_subcommand("get", "Show one stored response: fields, freshness, variants, invalidation.");
  node.add_to(*get_command);
  add_json(get_command);
  get_command->add_option("-k,--key,key", inspect.key, "The key as ls lists it: https://www.example.com/app.js")
      ->required();

  auto* version_command = app.add_subcommand("version", "Print the version.");

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? kOk : kUsage;
  }
  if (*serve_command) return serve(config_path, version);
  if (*check_command) {
    if (!report_faults(config_path)) return kUsage;
    fmt::print("{}: ok\n", config_path);
    return kOk;
  }
  if (*purge_command) {
    if (!request.all && request.paths.empty() && request.tags.empty() && request.sites.empty()) {
      fmt::print(stderr, "verge purge: name a URL, a path, --tag TAG, --site HOST or --all; see verge purge --help\n");
      return kUsage;
    }
    if (!node.resolve()) return kUsage;
    request.node = node.node;
    request.timeout = Seconds(timeout);
    return print_done("purge", control::run_purge(request));
  }
  if (*purges_command) {
    if (!node.resolve()) return kUsage;
    if (!awaited.empty()) {
      return print_done("purges", control::wait_for_purge(node.node, awaited, Seconds(timeout)));
    }
    return print_result("purges", control::run_purges(node.node, most_purges, purges_json));
  }
  for (auto* command : {why_command, ls_command, get_command}) {
    if (!*command) continue;
    if (!node.resolve() || !parse_fields(command->get_name(), fields, inspect.headers)) return kUsage;
    inspect.node = node.node;
    if (command == why_command) return print_result("why", control::run_why(inspect));
    if (command == get_command) return print_result("get", control::run_get(inspect));
    const auto listed = control::run_ls(
        inspect, [](std::string_view rows) { return std::fwrite(rows.data(), 1, rows.size(), stdout) == rows.size(); });
    return listed ? kOk : report("ls", listed.error());
  }
  if (*version_command) fmt::print("verge {}\n", version);
  return kOk;
}

} // namespace verge::server
