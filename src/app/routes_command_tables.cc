// Options and help of `check routes` and `test routes`.
#include "app/tables.h"

namespace atalaya::app {

using config::OptionType;

config::Command check_routes_command() {
  return {
      .name = "routes",
      .help =
          "Check configurations of routing in Alertmanager's format, as amtool check-config does. Leaves with 1 "
          "when one is wrong.",
      .arguments = {{.name = "FILE",
                     .help = "An Alertmanager configuration, or a package's file with the section alertmanager; none "
                             "or - for standard input.",
                     .required = false,
                     .many = true}},
      .examples = {{"atalaya check routes alertmanager.yml", "prints every mistake with file, line and column"}}};
}

config::Command test_routes_command() {
  return {.name = "routes",
          .help =
              "Say which receivers an alert with these labels would reach, as amtool config routes test does. Leaves "
              "with 1 when they are not those of --verify.receivers.",
          .options = {{.name = "config.file",
                       .help = "An Alertmanager configuration, or a package's file with the section alertmanager.",
                       .value_name = "FILE",
                       .required = true},
                      {.name = "verify.receivers",
                       .help = "The receivers that are expected, in their order and separated by commas.",
                       .value_name = "NAMES"},
                      {.name = "tree",
                       .type = OptionType::kBoolean,
                       .help = "Show each route with its place, group and times first."}},
          .arguments = {{.name = "LABEL", .help = "A label as name=value.", .required = false, .many = true}},
          .examples = {{"atalaya test routes --config.file=alertmanager.yml service=database severity=critical",
                        "prints the receivers, separated by commas"},
                       {"atalaya test routes --config.file=am.yml --verify.receivers=db-pager service=database", ""}}};
}

}  // namespace atalaya::app
