#include "config/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/sizes.h"
#include "io/memory_file_system.h"

namespace atalaya::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

Program program() {
  Command server{
      .name = "server",
      .help = "Runs the server. It keeps everything below --data.",
      .options =
          {{.name = "data", .fallback = "./atalaya-data", .help = "Where everything is kept.", .value_name = "DIR"},
           {.name = "listen",
            .type = OptionType::kList,
            .fallback = "127.0.0.1:2001",
            .help = "Addresses.",
            .section = "Network"},
           {.name = "retention", .type = OptionType::kDuration, .fallback = "15d", .help = "How long."},
           {.name = "cache", .type = OptionType::kBytes, .fallback = "64MiB", .help = "Memory."},
           {.name = "workers",
            .type = OptionType::kInteger,
            .fallback = "2",
            .help = "Threads.",
            .at_least = 1,
            .at_most = 64},
           {.name = "ratio", .type = OptionType::kNumber, .help = "A share."},
           {.name = "insecure-http", .type = OptionType::kBoolean, .help = "No TLS."},
           {.name = "password", .fallback = "hunter2", .help = "A secret.", .secret = true},
           {.name = "config", .help = "File.", .value_name = "FILE"}},
      .examples = {{"atalaya server --data /srv", "Keeps everything below /srv."}}};
  Command create{
      .name = "create",
      .help = "Makes a token.",
      .options = {{.name = "role", .help = "What it may do.", .choices = {"viewer", "admin"}, .required = true}}};
  Command list{.name = "list", .help = "Lists tokens."};
  Command query{.name = "query", .help = "Asks.", .arguments = {{"EXPR", "PromQL."}, {"MORE", "Others.", false, true}}};
  Command token{.name = "token", .help = "Tokens.", .commands = {create, list}};
  Command up{.name = "up", .help = "Both."};
  return {.root = {.name = "atalaya",
                   .help = "Watches.",
                   .options = {{.name = "log-level",
                                .fallback = "info",
                                .help = "Detail.",
                                .section = "Logging",
                                .choices = {"debug", "info"}}},
                   .commands = {server, token, query, up}},
          .version = "1.2.3"};
}

using Variables = std::map<std::string, std::string>;

std::variant<Options, Exit> read(std::vector<std::string> words, const Variables& variables = {},
                                 const std::string& file = {}, const Program& table = program()) {
  io::MemoryFileSystem files;
  EXPECT_TRUE(io::write_file_atomically(files, "atalaya.yaml", file));
  return read_options(
      table, words,
      [&](const std::string& name) -> std::optional<std::string> {
        const auto it = variables.find(name);
        if (it == variables.end()) return std::nullopt;
        return it->second;
      },
      files);
}

Options good(std::vector<std::string> words, const Variables& variables = {}, const std::string& file = {},
             const Program& table = program()) {
  auto outcome = read(std::move(words), variables, file, table);
  if (auto* exit = std::get_if<Exit>(&outcome)) throw std::runtime_error(exit->err + exit->out);
  return std::get<Options>(std::move(outcome));
}

std::string usage_error(std::vector<std::string> words, const Variables& variables = {}, const std::string& file = {},
                        const Program& table = program()) {
  const auto outcome = read(std::move(words), variables, file, table);
  const auto* exit = std::get_if<Exit>(&outcome);
  if (!exit) return "no error";
  EXPECT_EQ(exit->code, 2);
  EXPECT_EQ(exit->out, "");
  return exit->err;
}

TEST(Options, WhatNobodyGivesHasItsFallback) {
  const auto options = good({"server"});
  EXPECT_THAT(options.command(), ElementsAre("server"));
  EXPECT_EQ(options.text("data"), "./atalaya-data");
  EXPECT_THAT(options.list("listen"), ElementsAre("127.0.0.1:2001"));
  EXPECT_EQ(options.duration("retention"), Duration{15 * 86400000LL});
  EXPECT_EQ(options.bytes("cache"), 64u << 20);
  EXPECT_EQ(options.integer("workers"), 2);
  EXPECT_FALSE(options.boolean("insecure-http"));
  EXPECT_FALSE(options.has("ratio"));
  EXPECT_TRUE(options.has("data"));
  EXPECT_FALSE(options.given("data"));
  EXPECT_FALSE(options.declares("role"));
}

TEST(Options, AFlagMayHaveALetterBeforeOrAfterTheCommand) {
  const Program table{
      .root = {.name = "atalaya",
               .options = {{.name = "output", .help = "Form.", .letter = 'o'}},
               .commands =
                   {{.name = "show",
                     .options = {{.name = "yes", .type = OptionType::kBoolean, .help = "Do not ask.", .letter = 'y'}},
                     .arguments = {{"NAME", "Which."}}}}},
      .version = "1"};
  const auto options = good({"-o", "json", "show", "-y", "host"}, {}, {}, table);
  EXPECT_THAT(options.command(), ElementsAre("show"));
  EXPECT_EQ(options.text("output"), "json");
  EXPECT_TRUE(options.boolean("yes"));
  EXPECT_EQ(options.argument("NAME"), "host");
  EXPECT_EQ(good({"show", "host", "-otext"}, {}, {}, table).text("output"), "text");
  EXPECT_THAT(render_help(table, {"show"}), HasSubstr("  -y, --yes "));
  EXPECT_THAT(usage_error({"show", "host", "-x"}, {}, {}, table), HasSubstr("no option -x"));
}

TEST(Options, FlagsComeBeforeOrAfterTheCommandAndInBothNotations) {
  const auto options = good({"--log-level", "debug", "server", "--data=/srv", "--ratio", "0.5", "--insecure-http",
                             "--listen", "a:1,b:2", "--listen", "c:3"});
  EXPECT_EQ(options.text("log-level"), "debug");
  EXPECT_EQ(options.text("data"), "/srv");
  EXPECT_EQ(options.number("ratio"), 0.5);
  EXPECT_TRUE(options.boolean("insecure-http"));
  EXPECT_THAT(options.list("listen"), ElementsAre("a:1", "b:2", "c:3"));
  EXPECT_TRUE(options.given("data"));
  EXPECT_EQ(good({"server", "--log-level", "debug"}).text("log-level"), "debug");
  EXPECT_EQ(good({"server", "--data", "a", "--data", "b"}).text("data"), "b");
  EXPECT_FALSE(good({"server", "--insecure-http=false"}).boolean("insecure-http"));
}

TEST(Options, ValuesAreTakenAsTheyAre) {
  EXPECT_EQ(good({"server", "--data", "[a-z]"}).text("data"), "[a-z]");
  EXPECT_EQ(good({"server", "--data", "a b=c"}).text("data"), "a b=c");
  EXPECT_EQ(good({"server", "--data", "server"}).text("data"), "server");
  EXPECT_EQ(good({"server", "--ratio=-5"}).number("ratio"), -5);
}

TEST(Options, ArgumentsMayLookLikeCommands) {
  const auto options = good({"query", "up", "token", "--", "--server"});
  EXPECT_THAT(options.command(), ElementsAre("query"));
  EXPECT_EQ(options.argument("EXPR"), "up");
  EXPECT_THAT(options.arguments("MORE"), ElementsAre("token", "--server"));
  EXPECT_EQ(good({"query", "{a=~\"[x]\"}"}).argument("EXPR"), "{a=~\"[x]\"}");
  EXPECT_EQ(good({"query", "[x]"}).argument("EXPR"), "[x]");
  EXPECT_EQ(good({"query", "x"}).argument("MORE"), "");
}

TEST(Options, AFlagWinsOverTheEnvironmentThatOverTheFileThatOverTheFallback) {
  const Variables variables{
      {"ATALAYA_CONFIG", "atalaya.yaml"}, {"ATALAYA_DATA", "env"}, {"ATALAYA_CACHE", "1KiB"}, {"ATALAYA_WORKERS", ""}};
  const auto options = good({"server", "--data", "flag"}, variables,
                            "data: file\ncache: 2KiB\nretention: 1h # short\nlisten: [x:1, y:2]\nrole: viewer\n");
  EXPECT_EQ(options.text("data"), "flag");
  EXPECT_EQ(options.bytes("cache"), 1024u);
  EXPECT_EQ(options.duration("retention"), Duration{3600000});
  EXPECT_THAT(options.list("listen"), ElementsAre("x:1", "y:2"));
  EXPECT_EQ(options.integer("workers"), 2);
}

TEST(Options, NestedCommandsHaveTheirNamesAndRequiredOptions) {
  const auto options = good({"token", "create", "--role", "admin"});
  EXPECT_EQ(options.command_text(), "token create");
  EXPECT_EQ(options.text("role"), "admin");
  EXPECT_EQ(usage_error({"token", "create"}),
            "atalaya token create: --role is missing (give it, or set ATALAYA_ROLE)\n");
  EXPECT_EQ(usage_error({"token", "create", "--role", "admni"}),
            "atalaya token create: --role: \"admni\" is not one of its values (did you mean \"admin\"?)\n");
}

TEST(Options, AUsageErrorIsOneLineWithItsRemedy) {
  EXPECT_EQ(usage_error({"server", "--lsten", "x"}), "atalaya server: no option --lsten (did you mean --listen?)\n");
  EXPECT_EQ(usage_error({"server", "-x"}), "atalaya server: no option -x (see atalaya server --help)\n");
  EXPECT_EQ(usage_error({"srever"}), "atalaya: no command \"srever\" (did you mean \"server\"?)\n");
  EXPECT_EQ(usage_error({"token"}), "atalaya token: which command? (known are: create, list)\n");
  EXPECT_EQ(usage_error({"token", "make"}), "atalaya token: no command \"make\" (known are: create, list)\n");
  EXPECT_EQ(usage_error({"server", "stray"}),
            "atalaya server: unexpected argument \"stray\" (see atalaya server --help)\n");
  EXPECT_EQ(usage_error({"query"}), "atalaya query: EXPR is missing (see atalaya query --help)\n");
  EXPECT_EQ(usage_error({"server", "--retention", "soon"}),
            "atalaya server: --retention: \"soon\" is not a duration"
            " (write units from large to small, such as 1h30m, 15s, 250ms)\n");
  EXPECT_EQ(usage_error({"server", "--workers", "0"}),
            "atalaya server: --workers: \"0\" is not large enough (at least 1)\n");
  EXPECT_EQ(usage_error({"server"}, {{"ATALAYA_CACHE", "lots"}}),
            "atalaya server: ATALAYA_CACHE: \"lots\" is not a number of bytes (write such as 512, 64KiB, 8MB, 1GiB)\n");
  EXPECT_THAT(usage_error({"server", "--data"}), StartsWith("atalaya server: --data"));
  EXPECT_THAT(usage_error({}), StartsWith("Usage: atalaya COMMAND"));
}

TEST(Options, EveryMistakeIsTold) {
  const auto text = usage_error({"server", "--workers", "x", "--ratio", "y"});
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2);
}

TEST(Options, MistakesInTheFileHaveTheirPlace) {
  const std::vector<std::string> words{"server", "--config", "atalaya.yaml"};
  EXPECT_EQ(usage_error(words, {}, "data: x\nretentoin: 5d\n"),
            "atalaya server: atalaya.yaml:2:1: no option \"retentoin\" (did you mean \"retention\"?)\n");
  EXPECT_EQ(usage_error(words, {}, "workers: many\n"),
            "atalaya server: atalaya.yaml:1:10: workers: \"many\" is not a whole number\n");
  EXPECT_EQ(usage_error(words, {}, "data: [a]\n"), "atalaya server: atalaya.yaml:1:7: expected a text, found a list\n");
  EXPECT_EQ(usage_error(words, {}, "- a\n"),
            "atalaya server: atalaya.yaml:1:1: expected a mapping, found a list (e.g. {name: value})\n");
  EXPECT_THAT(usage_error({"server", "--config", "absent.yaml"}), HasSubstr("absent.yaml: No such file"));
  EXPECT_EQ(good(words, {}, "# nothing\n").text("data"), "./atalaya-data");
}

TEST(Options, ARootMayRunItself) {
  Program agent{.root = {.name = "atalaya-agent",
                         .help = "Measures.",
                         .options = {{.name = "data", .fallback = "d", .help = "Where."}},
                         .commands = {{.name = "enroll",
                                       .help = "Joins.",
                                       .options = {{.name = "token", .help = "T.", .required = true, .secret = true}}}},
                         .runs = true},
                .version = "1"};
  EXPECT_THAT(good({}, {}, {}, agent).command(), ElementsAre());
  EXPECT_EQ(good({"--data", "x", "enroll", "--token", "t"}, {}, {}, agent).text("data"), "x");
  EXPECT_EQ(usage_error({"enrol"}, {}, {}, agent), "atalaya-agent: no command \"enrol\" (did you mean \"enroll\"?)\n");
}

TEST(Options, HelpAndVersionLeaveWithCodeZero) {
  const auto help = std::get<Exit>(read({"server", "--help", "--nonsense"}));
  EXPECT_EQ(help.code, 0);
  EXPECT_EQ(help.out, render_help(program(), {"server"}));
  EXPECT_EQ(std::get<Exit>(read({"--version"})).out, "atalaya 1.2.3\n");
  EXPECT_EQ(std::get<Exit>(read({"token", "-h"})).out, render_help(program(), {"token"}));
}

TEST(Options, HelpShowsTheTable) {
  EXPECT_EQ(render_help(program(), {"token", "create"}),
            "Usage: atalaya token create [OPTION…]\n"
            "\n"
            "Makes a token.\n"
            "\n"
            "Options:\n"
            "  --role TEXT                 What it may do. One of: viewer, admin. Required. [ATALAYA_ROLE]\n"
            "\n"
            "Logging:\n"
            "  --log-level TEXT            Detail. One of: debug, info. Default: info. [ATALAYA_LOG_LEVEL]\n"
            "\n"
            "Always:\n"
            "  -h, --help                  Prints this and leaves.\n"
            "  --version                   Prints the version and leaves.\n");
  const auto server = render_help(program(), {"server"});
  EXPECT_THAT(server, HasSubstr("Examples:\n  atalaya server --data /srv\n      Keeps everything below /srv.\n"));
  EXPECT_THAT(server, HasSubstr("\nNetwork:\n  --listen ITEM,…"));
  EXPECT_THAT(server, Not(HasSubstr("hunter2")));
  EXPECT_THAT(render_help(program(), {}), HasSubstr("  server                      Runs the server.\n"));
}

TEST(Options, ThePageHoldsEveryOptionButNoSecret) {
  const auto page = render_markdown({program()});
  EXPECT_THAT(page, HasSubstr("| `--retention` | `ATALAYA_RETENTION` | duration | `15d` | How long. |"));
  EXPECT_THAT(page, HasSubstr("## atalaya token create"));
  EXPECT_THAT(page, Not(HasSubstr("hunter2")));
}

TEST(Options, AWrongSecretIsNotShown) {
  Program table{.root = {.name = "p",
                         .help = "P.",
                         .options = {{.name = "pin", .type = OptionType::kInteger, .help = "Pin.", .secret = true}}},
                .version = "1"};
  EXPECT_EQ(usage_error({"--pin", "12x4"}, {}, {}, table), "p: --pin: is not a whole number\n");
}

TEST(Sizes, RoundTrip) {
  EXPECT_EQ(parse_bytes("1TiB").value(), 1ULL << 40);
  EXPECT_EQ(parse_bytes("2kB").value(), 2000u);
  EXPECT_EQ(format_bytes(8 << 20), "8MiB");
  EXPECT_EQ(format_bytes(1000), "1000");
  for (const auto* bad : {"", "B", "1.5GB", "-1", "16777216TiB", "1 GB", "1gb"}) EXPECT_FALSE(parse_bytes(bad)) << bad;
}

}  // namespace
}  // namespace atalaya::config
