// What routing knows of alerts and groups, stored as the log of its changes (docs/formats/control-database.md).
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "db/database.h"
#include "routing/machine.h"

namespace atalaya::dispatch {

/// Which alert of ours stands behind a label set of routing.
using AlertIdOf = std::function<AlertId(const Labels&)>;

struct StoredState {
  routing::State state;
  std::vector<AlertId> ids;  ///< of `state.alerts`, one each
};

/// Rows are appended, one an event, and never sought: a storm of alerts costs no more than its bytes. With each event a
/// share of the oldest entries is written again, as far as they still say something, and their rows go: there are
/// at most about twice as many entries as routing knows things. Thread-compatible; of one tenant.
class ChangeLog {
 public:
  /// `now`: routing as it stands after the changes.
  Status store(db::Session& session, const TenantId& tenant, const routing::Changes& changes,
               const routing::Machine& now, const AlertIdOf& id_of);
  /// Adds the alerts and groups to `out`, in order; throws what a reader of JSON throws, and then the next change takes
  /// the place of all rows.
  Status load(db::Session& session, const TenantId& tenant, StoredState& out);

 private:
  Status write_again(db::Session& session, const TenantId& tenant, const routing::Machine& now, const AlertIdOf& id_of);
  Status flush(db::Session& session, const TenantId& tenant);
  Status added(db::Session& session, const TenantId& tenant);
  void append_alert(const routing::AlertRow& row, const AlertIdOf& id_of);
  void append_group(const routing::GroupRow& row);
  bool is_last(std::uint64_t thing, std::int64_t row) const;

  std::int64_t next_ = 1;    ///< number of the next row
  bool damaged_ = false;     ///< the rows before that cannot be read
  std::size_t entries_ = 0;  ///< in all rows
  std::size_t owed_ = 0;     ///< how many old entries may be looked at
  /// Which row has the last entry of an alert or group, by a keyed hash of what identifies it.
  boost::unordered_flat_map<std::uint64_t, std::int64_t> last_;
  std::string body_;  ///< of the row that is being written
  std::size_t body_entries_ = 0;
};

}  // namespace atalaya::dispatch
