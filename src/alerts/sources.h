// What stands behind an alert: the newest raw events, and where its rule names an identity the label sets in breach.
#pragma once

#include <vector>

#include "alerts/alert.h"
#include "db/database.h"

namespace atalaya::alerts {

/// The newest ones are kept.
constexpr std::uint64_t kKeptEvents = 100;

/// One judgement of one label set, or what was posted. Of alerts without an identity what came after the first one of
/// an episode and said something else: what comes again in the same words is counted alone.
struct RawEvent {
  std::uint64_t number = 0;
  Time at{};
  Time data_at{};
  Labels labels;
  Level level = Level::kOk;
  double value = 0;
  std::string text;
};

/// A label set that is not well, as it was judged last.
struct Source {
  AlertId alert;
  Labels labels;
  Level level = Level::kOk;
  double value = 0;
  std::string text;
  Time at{};
  bool sustained = false;
};

Result<std::vector<Source>> load_sources(db::Session& session, const TenantId& tenant, const AlertId& id);
/// Newest first.
Result<std::vector<RawEvent>> load_events(db::Session& session, const TenantId& tenant, const AlertId& id);

}  // namespace atalaya::alerts
