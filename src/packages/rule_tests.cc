#include "packages/rule_tests.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "alerts/annotations.h"
#include "packages/rules_of_folder.h"
#include "rules/script.h"

namespace atalaya::packages {
namespace {

constexpr std::uint64_t kMaxScript = 1 << 20;
constexpr std::size_t kMaxAnnotation = 64 << 10;

/// "ping@db1/reach/down" and "ping/reach/down" are the same rule.
std::string without_instance(const std::string& id) {
  const auto at = id.find('@');
  const auto slash = id.find('/');
  return at < slash ? id.substr(0, at) + id.substr(slash) : id;
}

std::string folder_name(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path.substr(path.rfind('/') + 1);
}

class Runner {
 public:
  Runner(io::FileSystem& files, std::string package, const RulesOf& rules_of)
      : files_(files), package_(std::move(package)), annotations_("", {}, kMaxAnnotation) {
    options_.package = [this, &rules_of](
                           const std::string& name,
                           const std::map<std::string, std::string>& with) -> Result<std::vector<rules::RuleSpec>> {
      AT_TRY(auto found, rules_of(name, with));
      if (name == package_)
        for (const auto& rule : found) known_.insert(without_instance(rule.id));
      return found;
    };
    options_.annotations = [this](const rules::Verdict& v) {
      return annotations_.render(v.annotations, v.labels, v.value);
    };
  }

  void run(const std::string& path) {
    ++report_.scripts;
    const auto text = io::read_file(files_, path, kMaxScript);
    if (!text) {
      report_.faults.push_back({path, 0, to_string(text.error())});
      return;
    }
    auto result = rules::run_script(*text, options_);
    for (auto& fault : result.faults) report_.faults.push_back({path, fault.line, std::move(fault.message)});
    for (const auto& id : result.firing) firing_.insert(without_instance(id));
    for (const auto& id : result.quiet) quiet_.insert(without_instance(id));
  }

  /// Without a script nobody has named the package yet.
  RuleTestReport finish() {
    if (report_.scripts == 0) {
      const auto rules = options_.package(package_, {});
      if (!rules) report_.faults.push_back({package_, 0, to_string(rules.error())});
    }
    report_.rules.assign(known_.begin(), known_.end());
    std::ranges::set_difference(known_, firing_, std::back_inserter(report_.never_firing));
    std::ranges::set_difference(known_, quiet_, std::back_inserter(report_.never_quiet));
    return std::move(report_);
  }

 private:
  io::FileSystem& files_;
  const std::string package_;
  alerts::Annotations annotations_;
  rules::ScriptOptions options_;
  RuleTestReport report_;
  std::set<std::string> known_;
  std::set<std::string> firing_;
  std::set<std::string> quiet_;
};

}  // namespace

RulesOf rules_below(io::FileSystem& files, std::string root, std::vector<SourceFile> base) {
  return [&files, root = std::move(root), base = std::move(base)](
             const std::string& package, const std::map<std::string, std::string>& parameters) {
    return rules_of_folder(files, root + "/" + package, parameters, base);
  };
}

Result<RuleTestReport> run_rule_tests(io::FileSystem& files, const std::string& folder, const RulesOf& rules_of) {
  Runner runner(files, folder_name(folder), rules_of);
  const auto tests = folder + "/tests";
  if (files.exists(tests)) {
    AT_TRY(const auto entries, files.list(tests));
    for (const auto& entry : entries)
      if (!entry.is_directory && entry.name.ends_with(".test")) runner.run(tests + "/" + entry.name);
  }
  return runner.finish();
}

std::string to_string(const RuleTestReport& report) {
  std::string out;
  for (const auto& fault : report.faults) out += fmt::format("{}:{}: {}\n", fault.file, fault.line, fault.message);
  for (const auto& rule : report.never_firing) out += fmt::format("rule {}: no test sees it fire\n", rule);
  for (const auto& rule : report.never_quiet) out += fmt::format("rule {}: no test sees it quiet\n", rule);
  return out;
}

}  // namespace atalaya::packages
