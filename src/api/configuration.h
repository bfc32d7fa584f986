// Routes of what is configured: packages, rules, checks.
#pragma once

#include <functional>
#include <future>
#include <string>
#include <vector>

#include "api/doors.h"
#include "packages/service.h"
#include "promql/engine.h"
#include "registry/hosts.h"
#include "rules/engine.h"
#include "storage/logs.h"
#include "storage/series.h"

namespace atalaya::api {

/// A rule with its state, copied out of the judge's strand.
struct JudgedRule {
  rules::RuleSpec rule;
  rules::Level level = rules::Level::kOk;
  std::size_t series = 0;
  std::string error;
};

struct ConfigurationServices {
  packages::Service& packages;
  registry::Hosts& hosts;
  const storage::SeriesQuerier& series;
  const storage::LogQuerier& logs;
  const Clock& clock;
  std::function<Result<std::vector<JudgedRule>>(const TenantId&)> judged_rules;
};

void add_configuration_routes(Doors& doors, ConfigurationServices services);

}  // namespace atalaya::api
