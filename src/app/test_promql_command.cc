// atalaya test promql: scripts in promqltest's notation.
#include <boost/json.hpp>
#include <fmt/format.h>

#include "app/commands.h"
#include "app/tables.h"
#include "io/file_system.h"
#include "promql/script.h"

namespace atalaya::app {
namespace {

namespace json = boost::json;

constexpr std::uint64_t kMaxScriptBytes = 64 << 20;

json::array texts(const std::vector<std::string>& all) { return json::array(all.begin(), all.end()); }

void print_text(const promql::ScriptReport& all) {
  for (const auto& failure : all.failures) fmt::print("{}\n", failure);
  for (const auto& one : all.skipped) fmt::print("{} (skipped)\n", one);
  const auto skipped = all.skipped.empty() ? "" : fmt::format(", {} skipped", all.skipped.size());
  fmt::print("{} passed, {} failed{}\n", all.passed, all.failures.size(), skipped);
}

}  // namespace

int test_promql(const config::Options& options) {
  if (options.boolean("strict")) {
    complain({ErrorCode::kInvalidArgument, "--strict is about rules; scripts of PromQL have none", std::nullopt,
              "leave it out"});
    return 2;
  }
  const auto files = io::real_file_system();
  promql::ScriptReport all;
  bool readable = true;
  for (const auto& path : options.arguments("FILE")) {
    const auto text = io::read_file(*files, path, kMaxScriptBytes);
    if (!text) {
      fmt::print(stderr, "{}\n", to_string(text.error()));
      readable = false;
      continue;
    }
    const auto report = promql::run_script(path, *text);
    readable = readable && report.understood;
    all.passed += report.passed;
    all.failures.insert(all.failures.end(), report.failures.begin(), report.failures.end());
    all.skipped.insert(all.skipped.end(), report.skipped.begin(), report.skipped.end());
  }
  if (options.text("output") == "json") {
    fmt::print("{}\n",
               json::serialize(json::object{
                   {"passed", all.passed}, {"failures", texts(all.failures)}, {"skipped", texts(all.skipped)}}));
  } else {
    print_text(all);
  }
  if (!readable) return 2;
  return all.failures.empty() ? 0 : 1;
}

}  // namespace atalaya::app
