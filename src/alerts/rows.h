// Alerts as rows (docs/formats/control-database.md).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alerts/alert.h"
#include "db/database.h"

namespace atalaya::alerts {

/// An alert with what only the machine needs: which batch was applied last.
struct StoredAlert {
  Alert alert;
  std::string judged_name;  ///< cursor name; "" if the last judgement had none
  std::uint64_t judged_position = 0;
};

/// Columns in the order that `read_alert` expects.
extern const std::string_view kAlertColumns;
StoredAlert read_alert(const db::Row& row);

/// The id, and what `read_seen_labels` needs: `seen_labels` without reading the whole alert.
extern const std::string_view kSeenColumns;
Labels read_seen_labels(const db::Row& row);

Result<std::optional<StoredAlert>> load_alert(db::Session& session, const TenantId& tenant, const AlertId& id);
Status store_alert(db::Session& session, const TenantId& tenant, const StoredAlert& stored);
Status add_history(db::Session& session, const TenantId& tenant, const AlertId& id, const HistoryLine& line);
/// Columns in the order that `read_history` expects, and their number.
extern const std::string_view kHistoryColumns;
constexpr std::size_t kHistoryWidth = 12;
HistoryLine read_history(const db::Row& row, std::size_t first = 0);
/// The newest lines, oldest first.
Result<std::vector<HistoryLine>> load_history(db::Session& session, const TenantId& tenant, const AlertId& id,
                                              std::size_t limit);

}  // namespace atalaya::alerts
