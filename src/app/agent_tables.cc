#include <cstdio>

#include "app/tables.h"
#include "app/version.h"
#include "telemetry/log.h"

namespace atalaya::app {
namespace {

using config::Option;
using config::OptionType;

std::vector<Option> connection_options() {
  return {
      {.name = "proxy",
       .help = "HTTP proxy on the way to the server, reached by CONNECT: http://[user[:password]@]host:port.",
       .value_name = "URL",
       .section = "Connection",
       .secret = true},
      {.name = "proxy-password-file",
       .help = "File whose first line is the proxy's password.",
       .value_name = "FILE",
       .section = "Connection"},
      {.name = "ca-file",
       .help = "Certificate authorities (PEM) to trust instead of the system's, where the certificate is not pinned.",
       .value_name = "FILE",
       .section = "Connection"},
  };
}

Option data_option() {
  return {.name = "data",
          .fallback = "/var/lib/atalaya-agent",
          .help = "Folder of identity, spool and log offsets.",
          .value_name = "DIR"};
}

}  // namespace

std::vector<Option> logging_options() {
  return {{.name = "log-level",
           .fallback = "info",
           .help = "Least important kind of event that is logged.",
           .section = "Logging",
           .choices = {"debug", "info", "warn", "error"}},
          {.name = "log-format",
           .fallback = "logfmt",
           .help = "Form of the log on standard error.",
           .section = "Logging",
           .choices = {"logfmt", "json"}}};
}

Status configure_logging(const config::Options& options) {
  AT_TRY(auto level, telemetry::parse_level(options.text("log-level")));
  telemetry::configure_log(
      level, options.text("log-format") == "json" ? telemetry::LogFormat::kJson : telemetry::LogFormat::kLogfmt);
  return {};
}

int complain(const Error& error) {
  std::fprintf(stderr, "atalaya: %s\n", to_string(error).c_str());
  return exit_code(error.code);
}

config::Program agent_program() {
  config::Command enroll{
      .name = "enroll",
      .help = "Introduce this machine to a server, once.",
      .options = {data_option(),
                  {.name = "server", .help = "Address of the server.", .value_name = "URL", .required = true},
                  {.name = "token",
                   .help = "Enrolment token, from the page Hosts or POST /api/atalaya/v1/enrolments.",
                   .value_name = "TOKEN",
                   .required = true,
                   .secret = true},
                  {.name = "name", .help = "Name of this host; by default the machine's."},
                  {.name = "replace",
                   .type = OptionType::kBoolean,
                   .help = "Take the place of a host of this name, even if that one is up."}},
      .examples = {{"atalaya-agent enroll --server https://watch.example.org:2001 --token …",
                    "keeps the identity under /var/lib/atalaya-agent"}}};
  config::Command run{
      .name = "run",
      .help = "Measure this machine and send to the server, until told to stop.",
      .options = {data_option(),
                  {.name = "spool-bytes",
                   .type = OptionType::kBytes,
                   .fallback = "512MiB",
                   .help = "Room on disk for what the server has not acknowledged; beyond it the oldest goes, counted.",
                   .section = "Spool"},
                  {.name = "spool-sync",
                   .type = OptionType::kBoolean,
                   .help = "Sync the spool after every record, so that a power cut loses nothing.",
                   .section = "Spool"},
                  {.name = "scripts",
                   .type = OptionType::kBoolean,
                   .fallback = "true",
                   .help = "Run what packages on the server declare to run here: procedures and collectors of type "
                           "script. As nobody where the agent runs as root."},
                  {.name = "publish-allow",
                   .type = OptionType::kList,
                   .help = "Network that sensors with placement: agent may publish to from here, such as "
                           "192.0.2.0/24. Without one they write files and give to the server alone; networks of "
                           "this machine's own want one that is not wider.",
                   .value_name = "CIDR"},
                  {.name = "root",
                   .fallback = "/",
                   .help = "Folder under which the measured machine's /proc and /sys are mounted.",
                   .value_name = "DIR"}},
      .examples = {
          {"atalaya-agent run --data /var/lib/atalaya-agent", "as the service does"},
          {"atalaya-agent run --publish-allow 192.0.2.0/24", "lets sensors publish to the site's own machines"}}};
  for (auto* command : {&enroll, &run}) {
    for (auto& option : connection_options()) command->options.push_back(std::move(option));
  }
  return {.root = {.name = "atalaya-agent",
                   .help = "The agent of Atalaya: measures its machine, keeps everything until the server has it.",
                   .options = logging_options(),
                   .commands = {std::move(enroll), std::move(run)}},
          .version = std::string(kVersion) + " (" + kRevision + ")"};
}

}  // namespace atalaya::app
