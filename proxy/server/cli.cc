#include "proxy/server/cli.h"

#include <fmt/core.h>

#include <CLI/CLI.hpp>

#include "config/loader.h"
#include "proxy/control/purge_client.h"
#include "proxy/server/serve.h"

namespace verge::server {
namespace {

constexpr const char* kDefaultConfig = "/etc/verge/verge.yaml";

int purge(const std::string& config_path, control::PurgeRequest request, bool config_given) {
  if (request.admin_address.empty()) {
    const auto loaded = config::load_file(config_path);
    if (!loaded.faults.empty()) {
      for (const auto& fault : loaded.faults) fmt::print(stderr, "{}\n", fault.text());
      if (!config_given) fmt::print(stderr, "Name the node with -c FILE (its configuration) or --admin ADDRESS.\n");
      return kUsage;
    }
    request.admin_address = loaded.config.admin.address;
    if (request.token.empty()) request.token = loaded.config.admin.token;
    if (request.admin_address.empty()) {
      fmt::print(stderr, "{}: no admin address; add `admin: {{address: 127.0.0.1:9090}}` and restart the node\n",
                 config_path);
      return kUsage;
    }
  }
  const auto done = control::run_purge(request);
  if (!done) {
    fmt::print(stderr, "verge purge: {}\n", done.error().what);
    return done.error().code == Errc::bad_input ? kUsage : kFailed;
  }
  fmt::print("{}\n", *done);
  return kOk;
}

} // namespace

int run_cli(int argc, char** argv, const char* version) {
  CLI::App app{"Verge: an edge caching proxy for serverless apps on AWS."};
  app.require_subcommand(1);
  app.footer("Exit codes: 0 done, 1 failed while running, 2 wrong usage or faulty configuration.");
  std::string config_path = kDefaultConfig;

  auto* serve_command = app.add_subcommand("serve", "Run a node until SIGTERM (drains) or SIGINT; SIGHUP reloads.");
  serve_command->add_option("-c,--config", config_path, "Configuration file")->capture_default_str();

  auto* check_command = app.add_subcommand("check", "Check a configuration; prints every fault as file:line:column.");
  check_command->add_option("-c,--config", config_path, "Configuration file")->capture_default_str();

  control::PurgeRequest request;
  auto* purge_command = app.add_subcommand("purge", "Invalidate what a running node has cached.");
  auto* config_option =
      purge_command->add_option("-c,--config", config_path, "The node's configuration, for its admin address")
          ->capture_default_str();
  purge_command->add_option("--admin", request.admin_address, "Admin address instead: 127.0.0.1:9090 or unix:/path");
  purge_command
      ->add_option("--token", request.token, "Admin token (default: from the configuration or VERGE_ADMIN_TOKEN)")
      ->envname("VERGE_ADMIN_TOKEN");
  purge_command->add_option("-t,--tag", request.tags, "Everything with this tag; may be repeated")
      ->allow_extra_args(false);
  purge_command->add_flag("--all", request.all, "Everything");
  purge_command->add_flag("--soft", request.soft, "Mark stale instead of dropping: revalidated at the next request");
  purge_command->add_option("paths", request.paths,
                            "URLs or paths; `*` matches any run of characters: https://www.example.com/a, /img/*");

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
    if (!request.all && request.paths.empty() && request.tags.empty()) {
      fmt::print(stderr, "verge purge: name a URL, a path, --tag TAG or --all; see verge purge --help\n");
      return kUsage;
    }
    return purge(config_path, std::move(request), config_option->count() > 0);
  }
  if (*version_command) fmt::print("verge {}\n", version);
  return kOk;
}

} // namespace verge::server
