// Options and help of `tsdb`, and of what else asks a server.
#include "app/tables.h"
#include "app/tsdb_care_command.h"

namespace atalaya::app {
namespace {

using config::Command;
using config::Option;
using config::OptionType;

std::vector<Option> with_server(std::vector<Option> own) {
  for (auto& option : server_access_options("Whose series, with --data.")) own.push_back(std::move(option));
  return own;
}

Command import_command() {
  return {.name = "import",
          .help = "Write the samples of a file to a server: Prometheus text with times, OpenMetrics, or JSON lines.",
          .options = with_server({{.name = "format",
                                   .fallback = "auto",
                                   .help = "What the file holds; auto looks at its beginning, and takes text that "
                                           "ends with # EOF for OpenMetrics.",
                                   .choices = {"auto", "json", "text", "openmetrics"}}}),
          .arguments = {{.name = "FILE", .help = "The file, or - for standard input."}},
          .examples = {{"atalaya tsdb import history.jsonl", "to the server that runs on ./atalaya-data"},
                       {"atalaya tsdb import --server https://mon.example.org:2001 --token $TOKEN metrics.txt", ""}}};
}

Command export_command() {
  return {.name = "export",
          .help =
              "Write samples of a server to a file. What cannot be read is left out and named: exit code 1. Where "
              "samples are not kept any more there are last values of buckets, and it says until when.",
          .options = with_server(
              {{.name = "format",
                .fallback = "json",
                .help = "JSON lines, which keep everything, or Prometheus text, which has no stale markers.",
                .choices = {"json", "text"}},
               {.name = "match",
                .fallback = "{__name__!=\"\"}",
                .help = "Selector of the series.",
                .value_name = "SELECTOR"},
               {.name = "from", .help = "First time, RFC 3339 or Unix seconds.", .value_name = "TIME"},
               {.name = "to", .help = "Last time.", .value_name = "TIME"}}),
          .arguments = {{.name = "FILE", .help = "The file, or - for standard output."}},
          .examples = {{"atalaya tsdb export --match 'up{job=\"node\"}' up.jsonl", ""}}};
}

}  // namespace

std::vector<Option> server_access_options(std::string tenant_help) {
  return {{.name = "data",
           .fallback = "./atalaya-data",
           .help = "Folder of a server on this machine: its address and its key are there.",
           .value_name = "DIR",
           .section = "Server"},
          {.name = "tenant", .fallback = "default", .help = std::move(tenant_help), .section = "Server"},
          {.name = "server", .help = "Address of a server elsewhere.", .value_name = "URL", .section = "Server"},
          {.name = "token",
           .help = "Token for it, of `atalaya token create`.",
           .value_name = "TOKEN",
           .section = "Server",
           .secret = true},
          {.name = "ca-file",
           .help = "Certificates (PEM) to trust instead of the system's.",
           .value_name = "FILE",
           .section = "Server"}};
}

std::vector<Option> with_answer_options(std::vector<Option> own, std::string tenant_help) {
  own.push_back({.name = "output",
                 .fallback = "text",
                 .help = "Form of the answer; json is the API's own.",
                 .choices = {"text", "json"},
                 .letter = 'o'});
  for (auto& option : server_access_options(std::move(tenant_help))) own.push_back(std::move(option));
  return own;
}

Command tsdb_command() {
  std::vector<Command> commands{import_command(), export_command()};
  for (auto& command : tsdb_care_commands()) commands.push_back(std::move(command));
  return {.name = "tsdb", .help = "Time series of a server.", .commands = std::move(commands)};
}

}  // namespace atalaya::app
