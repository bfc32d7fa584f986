#include "app/server_facts.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "app/tables.h"
#include "app/version.h"
#include "app/web_files.h"

namespace atalaya::app {
namespace {

using config::Option;
using config::OptionType;

/// Rows of the chosen command and of the commands around it.
std::vector<Option> rows_of(const config::Options& options) {
  const auto program = server_program();
  std::vector<Option> rows = program.root.options;
  const auto* level = &program.root;
  for (const auto& name : options.command()) {
    const auto found = std::find_if(level->commands.begin(), level->commands.end(),
                                    [&](const config::Command& command) { return command.name == name; });
    if (found == level->commands.end()) break;
    level = &*found;
    rows.insert(rows.end(), level->options.begin(), level->options.end());
  }
  std::erase_if(rows, [&](const Option& row) { return row.secret || !options.declares(row.name); });
  return rows;
}

std::vector<std::string> values_of(const config::Options& options, const Option& row) {
  if (!options.has(row.name))
    return row.type == OptionType::kBoolean ? std::vector<std::string>{"false"} : std::vector<std::string>{};
  switch (row.type) {
    case OptionType::kText: return {options.text(row.name)};
    case OptionType::kInteger: return {std::to_string(options.integer(row.name))};
    case OptionType::kNumber: return {boost::json::serialize(boost::json::value(options.number(row.name)))};
    case OptionType::kBoolean: return {options.boolean(row.name) ? "true" : "false"};
    case OptionType::kDuration: return {format_duration(options.duration(row.name))};
    case OptionType::kBytes: return {std::to_string(options.bytes(row.name))};
    case OptionType::kList: break;
  }
  return options.list(row.name);
}

/// YAML takes JSON's strings.
std::string quoted(const std::string& text) { return boost::json::serialize(boost::json::string(text)); }

std::int64_t thread_count() {
  std::error_code ignored;
  const std::filesystem::directory_iterator tasks("/proc/self/task", ignored);
  return std::distance(begin(tasks), end(tasks));
}

std::string_view api_document() {
  for (const auto& file : embedded_api()) {
    if (file.path == "openapi.yaml") return file.bytes;
  }
  return {};
}

}  // namespace

std::map<std::string, std::string> flags_of(const config::Options& options) {
  std::map<std::string, std::string> flags;
  for (const auto& row : rows_of(options)) {
    auto& text = flags[row.name];
    for (const auto& value : values_of(options, row)) text += (text.empty() ? "" : ",") + value;
  }
  return flags;
}

std::string given_options(const config::Options& options) {
  std::string out;
  for (const auto& row : rows_of(options)) {
    if (!options.given(row.name) || row.name == "config") continue;
    const auto values = values_of(options, row);
    out += row.name + ":";
    if (row.type == OptionType::kList) {
      for (const auto& value : values) out += "\n  - " + quoted(value);
    } else if (!values.empty()) {
      out += " " + (row.type == OptionType::kText ? quoted(values.front()) : values.front());
    }
    out += "\n";
  }
  return out;
}

Status stores_take_data(telemetry::Registry& metrics) {
  constexpr std::array kStores{std::pair("atalaya_tsdb_read_only", "samples"),
                               std::pair("atalaya_logdb_read_only", "log lines")};
  for (const auto& [gauge, what] : kStores) {
    if (metrics.gauge(gauge, "").value() == 0) continue;
    return fail(ErrorCode::kUnavailable, fmt::format("Atalaya takes no {}: their store cannot be written", what),
                "free space on the disk; the server tries again by itself");
  }
  return {};
}

api::StatusServices server_facts(const ServerOptions& options, const tsdb::Store& series, const Clock& clock,
                                 const LastReload& reload, std::function<Status()> ready) {
  return {.series = series,
          .clock = clock,
          .version = std::string(kVersion),
          .revision = kRevision,
          .flags = options.flags,
          .configuration = options.configuration,
          .retention = format_duration(options.series.retention),
          .started = clock.now(),
          .damaged = series.report().damaged.size(),
          .threads = thread_count,
          .reload = [&reload] { return reload.get(); },
          .ready = std::move(ready),
          .api_document = api_document()};
}

}  // namespace atalaya::app
