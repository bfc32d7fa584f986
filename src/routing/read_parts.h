// Parts of the configuration's reader that stand in files of their own.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "calendar/time_interval.h"
#include "config/reader.h"
#include "config/yaml.h"
#include "routing/config.h"
#include "routing/intervals.h"

namespace atalaya::routing {

/// Alertmanager reads YAML 1.1: `yes` and `on` are true where a boolean is meant.
struct YesNo {
  bool value = false;
};
void decode(const config::Node& node, YesNo& out, config::Errors& errors);

/// The names that routes may use, with the places where they are declared.
struct Names {
  std::map<std::string, Place> receivers;
  std::map<std::string, Place> intervals;
};

void complain(config::Errors& errors, const Place& place, std::string message, std::string remedy = {});

/// `matchers`, `match` and `match_re`, each with `prefix` before it, sorted as Alertmanager does.
Matchers read_matchers(config::Reader& read, std::string_view prefix, config::Errors& errors);
/// The tree. `names` may have been read with mistakes.
Route read_root(const config::Node& node, const Names& names, config::Errors& errors);

/// `global`, read; its values are what integrations fall back on.
struct Global {
  Duration resolve_timeout{std::chrono::minutes{5}};
  config::YamlValue values = config::YamlValue::map();
};
Global read_global(const config::Node& node, config::Errors& errors);
Receiver read_receiver(const config::Node& node, const Global& global, config::Errors& errors,
                       config::Errors& warnings);

}  // namespace atalaya::routing
