// Options and help of `incident`.
#include "app/tables.h"

namespace atalaya::app {
namespace {

using config::Command;
using config::Option;
using config::OptionType;

std::vector<Option> with_server(std::vector<Option> own) {
  return with_answer_options(std::move(own), "Whose incidents, with --data.");
}

Option note() { return {.name = "note", .help = "Why; kept in the history.", .value_name = "TEXT"}; }

Command verb(std::string name, std::string help, std::vector<Option> options, std::vector<config::Example> examples) {
  return {.name = std::move(name),
          .help = std::move(help),
          .options = with_server(std::move(options)),
          .arguments = {{.name = "NUMBER", .help = "Of the incident, as `incident list` shows it."}},
          .examples = std::move(examples)};
}

}  // namespace

Command incident_command() {
  Command list{
      .name = "list",
      .help = "List incidents, newest first.",
      .options = with_server({{.name = "state",
                               .fallback = "active",
                               .help = "Of which state; active are open and acknowledged ones.",
                               .choices = {"active", "open", "acknowledged", "closed", "all"}},
                              {.name = "owner", .help = "Whose; - for nobody's.", .value_name = "NAME"},
                              {.name = "severity", .help = "Of which severity.", .choices = {"warning", "critical"}},
                              {.name = "text", .help = "In title, labels or owner.", .value_name = "TEXT"},
                              {.name = "limit",
                               .type = OptionType::kInteger,
                               .fallback = "100",
                               .help = "At most so many.",
                               .value_name = "COUNT",
                               .at_least = 1,
                               .at_most = 1000}}),
      .examples = {{"atalaya incident list", "what is going on"}, {"atalaya incident list --owner -", ""}}};
  auto show =
      verb("show", "Show an incident with its alerts and what happened.", {}, {{"atalaya incident show 42", ""}});
  auto ack = verb(
      "ack", "Acknowledge an incident: you take care of it, or somebody else does.",
      {note(),
       {.name = "for", .type = OptionType::kDuration, .help = "How long; without it until it closes or becomes worse."},
       {.name = "owner", .help = "Who takes care of it; you without it.", .value_name = "NAME"}},
      {{"atalaya incident ack 42 --note 'on it' --for 2h", ""}});
  auto assign = verb("assign", "Give an incident to somebody.", {note()}, {{"atalaya incident assign 42 ana", ""}});
  assign.arguments.push_back({.name = "OWNER", .help = "Whom; - for nobody."});
  auto close = verb("close", "Close an incident by hand, and its open alerts with it.", {note()}, {});
  auto merge = verb("merge", "Let the open alerts of an incident go on in another, and close it.", {note()},
                    {{"atalaya incident merge 43 42 --note 'the same switch'", "43 goes on in 42"}});
  merge.arguments.push_back({.name = "INTO", .help = "Number of the incident that goes on."});
  auto remark = verb("note", "Add a line to the history of an incident.", {}, {});
  remark.arguments.push_back({.name = "TEXT", .help = "What to remember."});
  return {.name = "incident",
          .help = "Incidents: alerts that belong together, and who takes care of them.",
          .commands = {std::move(list), std::move(show), std::move(ack), std::move(assign), std::move(close),
                       std::move(merge), std::move(remark)}};
}

}  // namespace atalaya::app
