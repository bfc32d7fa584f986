// `atalaya check rules` and `atalaya test rules`: promtool's formats and exit codes.
#include <fmt/format.h>
#include <re2/re2.h>

#include <cstdio>
#include <iterator>
#include <string>

#include "app/commands.h"
#include "app/rule_files.h"
#include "app/tables.h"
#include "io/file_system.h"
#include "rules/groups/first_document.h"
#include "rules/groups/glob.h"
#include "rules/groups/unit_test_run.h"

namespace atalaya::app {
namespace {

constexpr int kFailed = 1;
constexpr int kLintFailed = 3;  ///< promtool's
constexpr std::size_t kMaxBytes = 32 << 20;
const TenantId kNobody = default_tenant();

std::string standard_input() {
  std::string text;
  char buffer[4096];
  for (std::size_t n = 0; (n = std::fread(buffer, 1, sizeof buffer, stdin)) > 0;) text.append(buffer, n);
  return text;
}

void print_errors(const config::Errors& errors) {
  fmt::print(stderr, "  FAILED:\n");
  for (const auto& error : errors) fmt::print(stderr, "{}\n", to_string(error));
}

/// Whether rules that are there twice are told: of a list with commas, as promtool takes it.
bool tells_duplicates(std::string_view lint) {
  bool out = false;
  for (;;) {
    const auto comma = std::min(lint.find(','), lint.size());
    const auto word = lint.substr(0, comma);
    if (word == "all" || word == "duplicate-rules") {
      out = true;
    } else if (word != "none") {
      fmt::print(stderr, "WARNING: unknown lint option \"{}\"\n", word);
    }
    if (comma == lint.size()) return out;
    lint.remove_prefix(comma + 1);
  }
}

/// True when rules are there twice.
bool lint(const RuleFile& file) {
  const auto duplicates = rules::duplicate_rules(file.groups);
  if (duplicates.empty()) return false;
  fmt::print("{} duplicate rule(s) found.\n", duplicates.size());
  for (const auto& one : duplicates) {
    fmt::print("{}: Metric: {}\n", to_string(one.place), one.name);
    for (const auto& [name, value] : one.labels) fmt::print("\t{}: {}\n", name, value);
  }
  fmt::print("Might cause inconsistency while recording expressions.\n");
  return true;
}

/// A unit test's file with the rules that it names; errors instead of either.
class UnitTests {
 public:
  UnitTests(io::FileSystem& files, std::string path, bool ignore_unknown)
      : files_(files), path_(std::move(path)), ignore_unknown_(ignore_unknown) {}

  bool load() {
    auto text = io::read_file(files_, path_, kMaxBytes);
    if (!text) {
      errors_.push_back(text.error());
      return false;
    }
    text->resize(rules::first_document_size(*text));
    auto document = config::Document::parse(std::move(*text), path_, errors_);
    if (!document) {
      errors_.push_back(document.error());
      return false;
    }
    file_ = rules::read_unit_tests(document->root(), ignore_unknown_, errors_);
    for (const auto& pattern : file_.rule_files) load_rules(pattern);
    return errors_.empty();
  }

  /// Runs the tests whose name matches; true when all hold.
  bool run(const std::vector<std::string>& wanted) const {
    std::string failures;
    std::string skipped;
    for (const auto& test : file_.tests) {
      if (!is_wanted(test.name, wanted)) continue;
      const auto result = rules::run_unit_test(test, file_, groups_);
      const auto head = test.name.empty() ? "" : fmt::format("    name: {},\n", test.name);
      for (const auto& failure : result.failures) failures += fmt::format("{}    {}\n\n", head, failure);
      for (const auto& one : result.skipped) skipped += fmt::format("  SKIPPED: {}\n", one);
    }
    fmt::print("{}", skipped);
    if (failures.empty()) {
      fmt::print("  SUCCESS\n\n");
      return true;
    }
    std::fflush(stdout);
    fmt::print(stderr, "  FAILED:\n{}", failures);
    return false;
  }
  const config::Errors& errors() const { return errors_; }

 private:
  void load_rules(const std::string& pattern) {
    const auto folder = io::parent_path(path_);
    const bool here = pattern.starts_with('/') || folder.empty() || folder == ".";
    const auto full = here ? pattern : folder + "/" + pattern;
    if (!rules::is_glob(full)) {
      errors_.push_back({ErrorCode::kInvalidArgument, fmt::format("{}: syntax error in pattern", full), {}, {}});
      return;
    }
    auto found = rules::expand_glob(files_, full);
    // promtool takes a name for a pattern: a file that is not there is told, and the tests decide.
    std::erase_if(found, [&](const auto& path) { return !files_.exists(path); });
    if (found.empty()) fmt::print("  WARNING: no file match pattern {}\n", full);
    for (const auto& path : found) {
      auto file = read_rule_file(files_, path, kNobody, ignore_unknown_);
      std::move(file.groups.begin(), file.groups.end(), std::back_inserter(groups_));
      std::move(file.errors.begin(), file.errors.end(), std::back_inserter(errors_));
    }
  }
  static bool is_wanted(const std::string& name, const std::vector<std::string>& wanted) {
    if (wanted.empty()) return true;
    for (const auto& pattern : wanted) {
      if (re2::RE2::PartialMatch(name, pattern)) return true;
    }
    return false;
  }

  io::FileSystem& files_;
  std::string path_;
  bool ignore_unknown_;
  rules::UnitTestFile file_;
  std::vector<rules::GroupSpec> groups_;
  config::Errors errors_;
};

}  // namespace

int check_rules(const config::Options& options) {
  const auto files = io::real_file_system();
  const bool ignore_unknown = options.boolean("ignore-unknown-fields");
  auto paths = options.arguments("FILE");
  if (paths.empty()) paths.emplace_back("-");
  const bool tells = tells_duplicates(options.text("lint"));
  bool failed = false;
  bool linted = false;
  for (const auto& path : paths) {
    const bool from_input = path == "-";
    fmt::print("Checking {}\n", from_input ? "standard input" : path);
    std::fflush(stdout);
    const auto file = from_input ? read_rule_text(standard_input(), "standard input", kNobody, ignore_unknown)
                                 : read_rule_file(*files, path, kNobody, ignore_unknown);
    if (!file.errors.empty()) {
      print_errors(file.errors);
      failed = true;
      continue;
    }
    const bool doubled = tells && lint(file);
    linted = linted || doubled;
    std::size_t count = 0;
    for (const auto& group : file.groups) count += group.rules.size();
    if (doubled && options.boolean("lint-fatal")) continue;
    fmt::print("  SUCCESS: {} rules found\n\n", count);
  }
  if (failed) return kFailed;
  return linted && options.boolean("lint-fatal") ? kLintFailed : 0;
}

int test_rules(const config::Options& options) {
  const auto files = io::real_file_system();
  bool good = true;
  for (const auto& pattern : options.list("run")) {
    if (const re2::RE2 regex(pattern, re2::RE2::Quiet); !regex.ok()) {
      return complain({ErrorCode::kInvalidArgument, fmt::format("--run {}: {}", pattern, regex.error()), {}, {}});
    }
  }
  for (const auto& path : options.arguments("FILE")) {
    fmt::print("Unit Testing:  {}\n", path);
    std::fflush(stdout);
    UnitTests tests(*files, path, options.boolean("ignore-unknown-fields"));
    if (!tests.load()) {
      print_errors(tests.errors());
      good = false;
      continue;
    }
    good = tests.run(options.list("run")) && good;
  }
  return good ? 0 : kFailed;
}

}  // namespace atalaya::app
