// Options and help of `package` and `test`.
#include "app/tables.h"

namespace atalaya::app {
namespace {

using config::Command;
using config::Option;
using config::OptionType;

Option output() {
  return {.name = "output",
          .fallback = "text",
          .help = "Form of the answer; json is the API's own.",
          .choices = {"text", "json"},
          .letter = 'o'};
}

/// How a verb finds the server.
std::vector<Option> with_server(std::vector<Option> own) {
  own.push_back(output());
  for (auto& option : server_access_options("Whose packages, with --data.")) own.push_back(std::move(option));
  return own;
}

Option reason() { return {.name = "reason", .help = "Why; kept in the history.", .value_name = "TEXT"}; }
Option dry_run() {
  return {.name = "dry-run", .type = OptionType::kBoolean, .help = "Say what would change, and change nothing."};
}
Option signing_key() {
  return {.name = "key", .help = "Private key (PEM) to sign with, of `package keygen`.", .value_name = "FILE"};
}
config::Argument package_argument() { return {.name = "PACKAGE", .help = "Its name, as `package list` shows it."}; }
config::Argument archive_argument() {
  return {.name = "WHAT", .help = "An archive, or a folder, which is packed first."};
}

std::vector<Command> looking() {
  Command list{.name = "list",
               .help = "List packages and instances, and what is wrong with the broken ones.",
               .options = with_server({}),
               .examples = {{"atalaya package list", "of the server that runs on ./atalaya-data"},
                            {"atalaya package list -o json --server https://watch.example.org:2001 --token …", ""}}};
  Command show{.name = "show",
               .help = "Show a package: what it needs, holds and overrides; or the items of one section.",
               .options = with_server({}),
               .arguments = {package_argument(),
                             {.name = "SECTION", .help = "Such as rules: its items by name.", .required = false}},
               .examples = {{"atalaya package show host rules", "every rule of the package with its title"}}};
  Command explain{.name = "explain",
                  .help =
                      "Print each value of an item and where it comes from: written, default, override, parameter "
                      "or link.",
                  .options = with_server({}),
                  .arguments = {package_argument(),
                                {.name = "SECTION", .help = "Such as rules."},
                                {.name = "PATH",
                                 .help = "Group and name, as two words or as group/name; none for a document.",
                                 .required = false,
                                 .many = true}},
                  .examples = {{"atalaya package explain host rules disk filesystem_filling", ""}}};
  Command diff{.name = "diff",
               .help = "Show how a package differs from the one that ships, or what an archive or folder would change.",
               .options = with_server({}),
               .arguments = {package_argument(),
                             {.name = "WHAT", .help = "An archive or a folder to compare with.", .required = false}},
               .examples = {{"atalaya package diff host", "against what ships with the program"},
                            {"atalaya package diff site ./packages/site", "what installing the folder would change"}}};
  Command history{.name = "history",
                  .help = "List the changes of a package, the newest first.",
                  .options = with_server({{.name = "limit",
                                           .type = OptionType::kInteger,
                                           .fallback = "50",
                                           .help = "How many.",
                                           .at_least = 1,
                                           .at_most = 500}}),
                  .arguments = {package_argument()},
                  .examples = {{"atalaya package history host", ""}}};
  return {std::move(list), std::move(show), std::move(explain), std::move(diff), std::move(history)};
}

std::vector<Command> changing() {
  Command install{.name = "install",
                  .help = "Install a package that is not there yet.",
                  .options = with_server({reason(), dry_run(), signing_key()}),
                  .arguments = {archive_argument()},
                  .examples = {{"atalaya package install ./site", ""},
                               {"atalaya package install mysql-1.2.0.atpkg --dry-run", "what it would bring"}}};
  Command upgrade{.name = "upgrade",
                  .help = "Put a newer version in the place of an installed package; or install it.",
                  .options = with_server({reason(), dry_run(), signing_key()}),
                  .arguments = {archive_argument()},
                  .examples = {{"atalaya package upgrade mysql-1.3.0.atpkg --reason 'new checks'", ""}}};
  Command remove{
      .name = "remove",
      .help = "Remove a package: shows what ends with it, then asks for its name.",
      .options = with_server(
          {reason(), dry_run(), {.name = "yes", .type = OptionType::kBoolean, .help = "Do not ask.", .letter = 'y'}}),
      .arguments = {package_argument()},
      .examples = {{"atalaya package remove mysql --dry-run", "what would end"}}};
  Command revert{.name = "revert",
                 .help = "Take one change back; later ones stay.",
                 .options = with_server({reason(), dry_run()}),
                 .arguments = {{.name = "COMMIT", .help = "Its number, as `package history` shows it."}},
                 .examples = {{"atalaya package revert 12 --reason 'too many pages'", ""}}};
  return {std::move(install), std::move(upgrade), std::move(remove), std::move(revert)};
}

std::vector<Command> making() {
  Command check{.name = "check",
                .help = "Check package folders without running them; the same as `atalaya check`.",
                .options = {output()},
                .arguments = {{.name = "DIR", .help = "A package folder.", .many = true}},
                .examples = {{"atalaya package check ./site", "prints every mistake with file, line and column"}}};
  Command pack{.name = "pack",
               .help = "Make an archive of a package folder; one with a mistake is refused.",
               .options = {{.name = "file",
                            .help = "Where to; by default PACKAGE-VERSION.atpkg here.",
                            .value_name = "FILE",
                            .letter = 'f'},
                           signing_key(),
                           output()},
               .arguments = {{.name = "DIR", .help = "A package folder."}},
               .examples = {{"atalaya package pack ./site --key ops.key", "signed"}}};
  Command exporting{
      .name = "export",
      .help = "Fetch a package from the server, as an archive or as a folder.",
      .options = with_server(
          {{.name = "file",
            .help = "Archive to write; by default PACKAGE-VERSION.atpkg here; - for "
                    "standard output.",
            .value_name = "FILE",
            .letter = 'f'},
           {.name = "directory",
            .help = "Folder to write its files to instead; absent or empty.",
            .value_name = "DIR",
            .letter = 'd'},
           {.name = "force", .type = OptionType::kBoolean, .help = "Replace an archive that is there already."}}),
      .arguments = {package_argument()},
      .examples = {{"atalaya package export host -d ./host", ""}}};
  Command keygen{.name = "keygen",
                 .help = "Make a key pair to sign archives with: NAME.key, and NAME.pub for servers.",
                 .options = {output()},
                 .arguments = {{.name = "NAME", .help = "Path without ending."}},
                 .examples = {{"atalaya package keygen ops", "then start servers with --package-key ops.pub"}}};
  return {std::move(check), std::move(pack), std::move(exporting), std::move(keygen)};
}

}  // namespace

config::Command check_command() {
  return {.name = "check",
          .help = "Check package folders without running them.",
          .options = {output()},
          .arguments = {{.name = "DIR", .help = "A package folder.", .many = true}},
          .examples = {{"atalaya check packages/host", "prints every mistake with file, line and column"}}};
}

config::Command test_command() {
  return {.name = "test",
          .help = "Run the rule tests of package folders (tests/*.test).",
          .options = {{.name = "strict",
                       .type = OptionType::kBoolean,
                       .help = "A rule that no test sees fire, or none sees quiet, is a fault too."},
                      output()},
          .arguments = {{.name = "DIR",
                         .help = "A package folder; packages that its tests name lie beside it.",
                         .many = true}},
          .examples = {{"atalaya test packages/host", "prints every fault with file and line"}},
          .commands = {{.name = "promql",
                        .help = "Run scripts of PromQL evaluations in promqltest's notation. Leaves with 0 when all "
                                "passed, 1 when one failed, 2 when a script cannot be read.",
                        .arguments = {{.name = "FILE", .help = "A script.", .many = true}},
                        .examples = {{"atalaya test promql rates.test",
                                      "prints each failure with file and line, then how many passed"}}}},
          .runs = true};
}

config::Command package_command() {
  Command out{.name = "package", .help = "Packages: look at them, change them, make them."};
  for (auto part : {looking(), changing(), making()}) {
    for (auto& command : part) out.commands.push_back(std::move(command));
  }
  return out;
}

}  // namespace atalaya::app
