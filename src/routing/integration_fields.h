// What Alertmanager's integrations and its `global` hold, as data.
#pragma once

#include <string_view>
#include <vector>

namespace atalaya::routing {

struct IntegrationField {
  enum class Kind { kText, kUrl, kInteger, kNumber, kBoolean, kDuration, kMap, kList, kAny };
  std::string_view name;
  Kind kind = Kind::kText;
  /// The key of `global` whose value is taken where neither this key nor its twin with (or without)
  /// `_file` is written.
  std::string_view global = {};
};

struct IntegrationType {
  std::string_view name;  ///< `webhook` for `webhook_configs`
  bool carried_out = false;
  bool send_resolved = true;  ///< where nothing is said
  std::vector<IntegrationField> fields;
  std::vector<std::vector<std::string_view>> one_of;  ///< of each list at least one, `global` counted in
  std::vector<std::vector<std::string_view>> at_most_one;
};

const std::vector<IntegrationType>& integration_table();
/// Keys of `global` but resolve_timeout, which is routing's own.
const std::vector<IntegrationField>& global_fields();
/// Keys of `http_config`.
const std::vector<std::string_view>& http_fields();

}  // namespace atalaya::routing
