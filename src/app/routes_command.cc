// `atalaya check routes` and `atalaya test routes`: configurations of routing in Alertmanager's format.
#include <boost/json.hpp>
#include <fmt/format.h>

#include <cstdio>
#include <iostream>
#include <iterator>

#include "api/routes.h"
#include "app/commands.h"
#include "app/tables.h"
#include "io/file_system.h"
#include "routing/config.h"
#include "routing/matchers.h"

namespace atalaya::app {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxBytes = 32 << 20;

struct RoutingFile {
  std::string path;
  routing::ConfigPtr config;  ///< null after errors
  config::Errors errors;
  config::Errors warnings;
};

/// A file of Alertmanager's, or one of a package with the section `alertmanager`.
void read_document(std::string text, RoutingFile& out) {
  const auto document = config::Document::parse(std::move(text), out.path, out.errors);
  if (!document) {
    out.errors.push_back(document.error());
    return;
  }
  const auto& root = document->root();
  const auto* section = root.get("package") != nullptr ? root.get("alertmanager") : nullptr;
  out.config = routing::read_config(section != nullptr ? *section : root, out.errors, out.warnings);
  if (!out.errors.empty()) out.config.reset();
  config::sort_by_place(out.errors);
}

RoutingFile read_routing(io::FileSystem& files, const std::string& path) {
  RoutingFile out{path == "-" ? "standard input" : path, nullptr, {}, {}};
  if (path == "-") {
    read_document({std::istreambuf_iterator<char>(std::cin), {}}, out);
    return out;
  }
  auto text = io::read_file(files, path, kMaxBytes);
  if (text) {
    read_document(std::move(*text), out);
  } else {
    out.errors.push_back(text.error());
  }
  return out;
}

std::size_t count_routes(const routing::Route& route) {
  std::size_t count = 1;
  for (const auto& child : route.routes) count += count_routes(child);
  return count;
}

std::string counts_of(const routing::Config& config) {
  return fmt::format("{} routes, {} receivers, {} inhibitions, {} time intervals", count_routes(config.root),
                     config.receivers.size(), config.inhibit_rules.size(), config.time_intervals.size());
}

json::array to_json(const config::Errors& errors) {
  json::array out;
  for (const auto& error : errors) {
    json::object one{{"message", error.message}, {"remedy", error.remedy}};
    if (error.place) one["place"] = to_string(*error.place);
    out.push_back(std::move(one));
  }
  return out;
}

std::string group_words(const routing::RouteOptions& options) {
  if (options.group_by_all) return "by all labels";
  if (options.group_by.empty()) return "together";
  return fmt::format("by {}", fmt::join(options.group_by, ", "));
}

std::string interval_words(const routing::RouteOptions& options) {
  std::string out;
  if (!options.mute_time_intervals.empty())
    out += fmt::format(", muted {}", fmt::join(options.mute_time_intervals, ", "));
  if (!options.active_time_intervals.empty()) {
    out += fmt::format(", active {}", fmt::join(options.active_time_intervals, ", "));
  }
  return out;
}

/// The receiver's integrations: "webhook, email", or that there are none.
std::string integration_words(const routing::Receiver& receiver) {
  std::string out;
  for (const auto& one : receiver.integrations) {
    if (one.carried_out) out += fmt::format("{}{}", out.empty() ? "" : ", ", one.type);
  }
  return out.empty() ? "nobody" : out;
}

void print_route(const routing::Config& config, const routing::Route& route, const Labels& labels) {
  const auto& options = route.options;
  fmt::print("{}: {}\n", to_string(route.place), route.key);
  fmt::print("  to {} ({})\n", options.receiver, integration_words(config.receivers.at(options.receiver)));
  fmt::print("  grouped {}: {}\n", group_words(options), to_string(routing::group_labels(options, labels)));
  fmt::print("  waits {}, tells changes after {}, repeats after {}{}\n", format_duration(options.group_wait),
             format_duration(options.group_interval), format_duration(options.repeat_interval),
             interval_words(options));
}

Result<Labels> read_labels(const std::vector<std::string>& given) {
  Matchers all;
  for (const auto& text : given) {
    auto matcher = routing::parse_matcher(text);
    if (!matcher) {
      return fail(ErrorCode::kInvalidArgument, fmt::format("label {}: {}", text, matcher.error().message),
                  "write labels as name=value");
    }
    all.push_back(std::move(*matcher));
  }
  return routing::labels_of(all);
}

}  // namespace

int check_routes(const config::Options& options) {
  const auto files = io::real_file_system();
  const bool as_json = options.text("output") == "json";
  auto paths = options.arguments("FILE");
  if (paths.empty()) paths.emplace_back("-");
  bool good = true;
  json::array all;
  for (const auto& path : paths) {
    const auto file = read_routing(*files, path);
    good = good && file.config != nullptr;
    all.push_back(
        json::object{{"file", file.path}, {"errors", to_json(file.errors)}, {"warnings", to_json(file.warnings)}});
    if (as_json) continue;
    fmt::print("Checking {}\n", file.path);
    std::fflush(stdout);
    for (const auto& warning : file.warnings) fmt::print(stderr, "  WARNING: {}\n", to_string(warning));
    if (file.config != nullptr) {
      fmt::print("  SUCCESS: {}\n\n", counts_of(*file.config));
      continue;
    }
    fmt::print(stderr, "  FAILED:\n");
    for (const auto& error : file.errors) fmt::print(stderr, "{}\n", to_string(error));
  }
  if (as_json) fmt::print("{}\n", json::serialize(json::object{{"files", std::move(all)}}));
  return good ? 0 : 1;
}

int test_routes(const config::Options& options) {
  const auto files = io::real_file_system();
  const auto file = read_routing(*files, options.text("config.file"));
  if (file.config == nullptr) {
    for (const auto& error : file.errors) fmt::print(stderr, "{}\n", to_string(error));
    return 1;
  }
  const auto labels = read_labels(options.arguments("LABEL"));
  if (!labels) {
    complain(labels.error());
    return 1;
  }
  const auto routes = routing::match(file.config->root, *labels);
  std::string receivers;
  json::array matched;
  for (const auto* route : routes) {
    receivers += fmt::format("{}{}", receivers.empty() ? "" : ",", route->options.receiver);
    matched.push_back(api::told_by(*route, *labels));
  }
  if (options.text("output") == "json") {
    fmt::print("{}\n", json::serialize(json::object{{"receivers", receivers}, {"routes", std::move(matched)}}));
  } else {
    if (options.boolean("tree")) {
      for (const auto* route : routes) print_route(*file.config, *route, *labels);
    }
    fmt::print("{}\n", receivers);
  }
  const auto& expected = options.text("verify.receivers");
  if (expected.empty() || expected == receivers) return 0;
  std::fflush(stdout);
  fmt::print(stderr, "WARNING: Expected receivers did not match resolved receivers.\n");
  return 1;
}

}  // namespace atalaya::app
