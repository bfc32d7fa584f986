#include "app/serve.h"

#include <fmt/format.h>
#include <signal.h>

#include <cstdio>
#include <optional>

#include "app/external_labels.h"
#include "app/local_agent.h"
#include "app/series_options.h"
#include "app/server.h"
#include "app/server_facts.h"
#include "app/server_file.h"
#include "app/tables.h"
#include "io/file_system.h"
#include "telemetry/log.h"

namespace atalaya::app {
namespace {

Result<ServerOptions> server_options(const config::Options& options) {
  ServerOptions out;
  out.data = options.text("data");
  out.listen = options.list("listen");
  out.tls_cert = options.text("tls-cert");
  out.tls_key = options.text("tls-key");
  out.insecure_http = options.boolean("insecure-http");
  out.insecure_no_auth = options.boolean("insecure-no-auth");
  out.external_url = options.text("external-url");
  AT_TRY(out.external_labels, read_external_labels(options.list("external-label")));
  out.connections_per_address = static_cast<std::size_t>(options.integer("connections-per-address"));
  out.cors_origins = options.list("cors-origin");
  out.package_keys = options.list("package-key");
  out.publish_allow = options.list("publish-allow");
  out.sensors.sensors = static_cast<std::size_t>(options.integer("sensors-max"));
  out.sensors.collectors = static_cast<std::size_t>(options.integer("sensor-collectors-max"));
  out.sensors.values_per_second = static_cast<double>(options.integer("sensor-values-max"));
  out.scrape_configs = options.list("scrape-config");
  out.alertmanager_config = options.text("alertmanager.config");
  out.alert_timeout = options.duration("alerta.alert-timeout");
  out.rule_files = options.list("rule-files");
  out.rules_on_arrival = options.text("rules.on-arrival") == "on";
  AT_TRY(out.series, series_options(options));
  out.memory_bytes = options.bytes("memory");
  out.logs_max_bytes = options.bytes("logs-max-bytes");
  out.logs_max_age = options.duration("logs-max-age");
  out.late_after = options.duration("late-after");
  out.down_after = options.duration("down-after");
  out.queries.timeout = options.duration("query-timeout");
  out.queries.limits.lookback = options.duration("query-lookback");
  out.queries.limits.max_samples = static_cast<std::size_t>(options.integer("query-max-samples"));
  out.query_concurrency = static_cast<std::size_t>(options.integer("query-concurrency"));
  out.most_exemplars = static_cast<std::size_t>(options.integer("exemplars-max"));
  out.flags = flags_of(options);
  out.configuration = given_options(options);
  return out;
}

/// Amounts with which nothing would be kept.
Status check_amounts(const ServerOptions& options) {
  const auto at_least = [](const char* name, Duration given, Duration least) -> Status {
    if (given >= least) return {};
    return fail(ErrorCode::kInvalidArgument, fmt::format("--{} {} is too little", name, format_duration(given)),
                fmt::format("give at least {}", format_duration(least)));
  };
  constexpr Duration kLeastKept = std::chrono::minutes{10};
  constexpr std::uint64_t kLeastBytes = 16 << 20;  // one file of the log store
  AT_TRY(at_least("logs-max-age", options.logs_max_age, kLeastKept));
  AT_TRY(at_least("late-after", options.late_after, std::chrono::seconds{1}));
  AT_TRY(at_least("query-timeout", options.queries.timeout, Duration{1}));
  AT_TRY(at_least("query-lookback", options.queries.limits.lookback, Duration{1}));
  AT_TRY(at_least("down-after", options.down_after, std::chrono::seconds{1}));
  if (options.logs_max_bytes >= kLeastBytes) return {};
  return fail(ErrorCode::kInvalidArgument, fmt::format("--logs-max-bytes {} is too little", options.logs_max_bytes),
              "give at least 16MiB");
}

/// Taken by `sigtimedwait` in the main thread; blocked in every other, which inherits the mask.
sigset_t awaited_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGCHLD}) sigaddset(&signals, number);
  return signals;
}

Status start_agent(Server& server, const ServerOptions& options, const Clock& clock, std::optional<LocalAgent>& agent) {
  const auto folder = options.data + "/agent";
  AT_TRY(auto executable, agent_executable());
  AT_TRY(server.prepare_local_agent(folder));
  agent.emplace(std::vector<std::string>{executable, "run", "--data", folder}, clock);
  return agent->start();
}

void wait_for_the_end(Server& server, std::optional<LocalAgent>& agent, const sigset_t& signals) {
  const timespec second{1, 0};
  for (;;) {
    const int number = sigtimedwait(&signals, nullptr, &second);
    if (number == SIGINT || number == SIGTERM) return;
    if (number == SIGHUP && server.reload().empty()) telemetry::log_info("server", "reloaded");
    if (agent) agent->look_after();
  }
}

}  // namespace

int serve(const config::Options& options) {
  const auto signals = awaited_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  const auto read = server_options(options);
  if (!read) return complain(read.error());
  const auto& given = *read;
  if (auto fine = check_amounts(given); !fine) return complain(fine.error());
  const bool with_agent = options.command_text() == "up";
  SystemClock clock;

  auto server = Server::start(given);
  if (!server) return complain(server.error());
  std::optional<LocalAgent> agent;
  if (with_agent) {
    if (auto started = start_agent(**server, given, clock, agent); !started) return complain(started.error());
  }
  const auto link = (*server)->sign_in_link();
  if (!link) return complain(link.error());
  const auto files = io::real_file_system();
  if (auto told = write_server_file(*files, given.data, (*server)->url()); !told) {
    telemetry::log_warn("server", "commands will not find this server", {{"reason", to_string(told.error())}});
  }
  std::printf("Atalaya is at %s - sign in once, within 10 minutes, with %s\n", (*server)->url().c_str(), link->c_str());
  std::fflush(stdout);

  wait_for_the_end(**server, agent, signals);
  if (auto gone = remove_server_file(*files, given.data); !gone) {
    telemetry::log_warn("server", "server.json stays", {{"reason", to_string(gone.error())}});
  }
  if (agent) agent->stop();
  (*server)->stop();
  return 0;
}

}  // namespace atalaya::app
