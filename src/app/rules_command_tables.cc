// Options and help of `check rules` and `test rules`.
#include "app/tables.h"

namespace atalaya::app {
namespace {

using config::OptionType;

config::Option ignore_unknown() {
  return {.name = "ignore-unknown-fields",
          .type = OptionType::kBoolean,
          .help = "Pass over fields that rule files do not have, instead of telling them as mistakes."};
}

}  // namespace

config::Command check_rules_command() {
  return {.name = "rules",
          .help = "Check Prometheus rule files, as promtool does. Leaves with 1 when one is wrong.",
          .options = {{.name = "lint",
                       .fallback = "duplicate-rules",
                       .help = "What is told beside mistakes, with commas: all, duplicate-rules, none."},
                      {.name = "lint-fatal",
                       .type = OptionType::kBoolean,
                       .help = "Leave with 3 when there was something of that kind."},
                      ignore_unknown()},
          .arguments =
              {{.name = "FILE", .help = "A rule file; none or - for standard input.", .required = false, .many = true}},
          .examples = {{"atalaya check rules alerts.yml", "prints every mistake with file, line and column"}}};
}

config::Command test_rules_command() {
  return {.name = "rules",
          .help = "Run unit tests of Prometheus rule files, as promtool does. Leaves with 1 when one fails.",
          .options = {{.name = "run",
                       .type = OptionType::kList,
                       .help = "Run only tests whose name matches; may be given several times.",
                       .value_name = "REGEX"},
                      ignore_unknown()},
          .arguments = {{.name = "FILE", .help = "A file of tests, which names its rule files.", .many = true}},
          .examples = {{"atalaya test rules alerts_test.yml", "prints what was expected and what came instead"}}};
}

}  // namespace atalaya::app
