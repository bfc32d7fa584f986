// Options and help of `alert` and `silence`.
#include "app/tables.h"

namespace atalaya::app {
namespace {

using config::Command;
using config::Option;
using config::OptionType;

std::vector<Option> with_server(std::vector<Option> own) {
  return with_answer_options(std::move(own), "Whose alerts, with --data.");
}

Option note() { return {.name = "note", .help = "Why; kept in the history.", .value_name = "TEXT"}; }
Option lasts(std::string help, std::string fallback = {}) {
  return {.name = "for", .type = OptionType::kDuration, .fallback = std::move(fallback), .help = std::move(help)};
}
config::Argument alert_argument() { return {.name = "ID", .help = "Of the alert, as `alert list` shows it."}; }

Command verb(std::string name, std::string help, std::vector<Option> options, std::vector<config::Example> examples) {
  return {.name = std::move(name),
          .help = std::move(help),
          .options = with_server(std::move(options)),
          .arguments = {alert_argument()},
          .examples = std::move(examples)};
}

}  // namespace

Command alert_command() {
  Command list{
      .name = "list",
      .help = "List alerts, newest first.",
      .options = with_server({{.name = "state",
                               .fallback = "open",
                               .help = "Of which state.",
                               .choices = {"open", "pending", "firing", "no_data", "resolved", "all"}},
                              {.name = "severity", .help = "Of which severity.", .choices = {"warning", "critical"}},
                              {.name = "host", .help = "With this label instance.", .value_name = "NAME"},
                              {.name = "text", .help = "In name, text or labels.", .value_name = "TEXT"},
                              {.name = "limit",
                               .type = OptionType::kInteger,
                               .fallback = "100",
                               .help = "At most so many.",
                               .value_name = "COUNT",
                               .at_least = 1,
                               .at_most = 1000}}),
      .examples = {{"atalaya alert list", "what is open"}, {"atalaya alert list --state all --host db1", ""}}};
  auto show = verb("show", "Show an alert with its history and what was told about it.", {}, {});
  auto ack = verb("ack", "Acknowledge an open alert: you take care of it.",
                  {note(), lasts("How long you do; without it until the alert is over.")},
                  {{"atalaya alert ack 1f0c8e7a22b3d455 --note 'on it' --for 2h", ""}});
  auto shelve = verb("shelve", "Tell nobody of an alert for a while; what was missed is told afterwards.",
                     {note(), lasts("How long.", "1h")}, {{"atalaya alert shelve 1f0c8e7a22b3d455 --for 8h", ""}});
  auto close = verb("close", "End an alert by hand; what it had found does not open it again, anything worse does.",
                    {note()}, {});
  auto remark = verb("note", "Add a line to the history of an alert.", {}, {});
  remark.arguments.push_back({.name = "TEXT", .help = "What to remember."});
  return {.name = "alert",
          .help = "Alerts: what is wrong, and who takes care of it.",
          .commands = {std::move(list), std::move(show), std::move(ack), std::move(shelve), std::move(close),
                       std::move(remark)}};
}

Command silence_command() {
  Command add{
      .name = "add",
      .help = "Tell nobody of some alerts for a while; print the silence's id.",
      .options = with_server({{.name = "comment", .help = "Why.", .value_name = "TEXT"},
                              {.name = "start", .help = "When it begins; at once without it.", .value_name = "TIME"},
                              lasts("How long, from its begin.", "1h")}),
      .arguments = {{.name = "MATCHER",
                     .help = "Such as instance=db1 or 'team=~\"a|b\"'; all must match.",
                     .many = true}},
      .examples = {{"atalaya silence add instance=db1 --for 2h --comment 'new disk'", ""}}};
  Command list{
      .name = "list",
      .help = "List silences and how many alerts each hides now.",
      .options = with_server({{.name = "expired", .type = OptionType::kBoolean, .help = "Those that are over too."}})};
  Command expire{.name = "expire",
                 .help = "End a silence now.",
                 .options = with_server({}),
                 .arguments = {{.name = "ID", .help = "As `silence list` shows it."}}};
  return {.name = "silence",
          .help = "Silences: alerts that nobody is told of for a while.",
          .commands = {std::move(add), std::move(list), std::move(expire)}};
}

}  // namespace atalaya::app
