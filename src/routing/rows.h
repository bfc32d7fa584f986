// The machine's state as plain rows, to be stored in the transaction of the change.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "routing/alert.h"
#include "routing/notification.h"

namespace atalaya::routing {

/// What is told anew when it changes, beside beginning and end: the severity that the source gives, and its silence.
struct Heard {
  std::string severity;
  bool no_data = false;
  bool operator==(const Heard&) const = default;
};

/// An alert's place in a group. `left` is set when the alert went on to other routes: for this group
/// it ended then, as what it was.
struct Membership {
  std::string group;  ///< GroupRow::id
  std::optional<Time> left;
  Heard heard;
  bool flushed_end = false;  ///< a flush has seen that it is over
  bool operator==(const Membership&) const = default;
};

/// Identified by `alert.labels`.
struct AlertRow {
  Alert alert;
  std::vector<Membership> groups;
};

struct GroupRow {
  std::string id;     ///< Route::id, ':' and the labels
  std::string route;  ///< Route::id
  Labels labels;
  Time next_flush{};  ///< one of the group's flushes, from which the others follow
  bool flushed = false;
  bool dirty = true;  ///< the flush has something to look at
};

/// What one integration was told last of one group: Alertmanager's notification log.
struct LogRow {
  struct Sets {
    std::vector<std::uint64_t> firing;  ///< ascending hashes of alerts
    std::vector<std::uint64_t> resolved;
  };
  struct Pending {
    std::uint64_t flush = 0;
    Time at{};
    Time deadline{};
    Sets sets;
    bool missed = false;  ///< a flush came meanwhile
  };
  std::string group;  ///< NotificationKey::group
  Target target;
  bool told = false;  ///< whether `at` and `sets` say anything
  Time at{};
  Sets sets;
  std::optional<Pending> pending;  ///< handed out, not answered yet
  Time expires{};                  ///< once its group is gone
};

struct State {
  std::vector<AlertRow> alerts;
  std::vector<GroupRow> groups;
  std::vector<LogRow> log;
  std::uint64_t flushes = 0;  ///< the last flush number given
};

/// What became different since the last one: rows to write, keys of rows to delete.
struct Changes {
  std::vector<AlertRow> alerts;
  std::vector<Labels> gone_alerts;
  std::vector<GroupRow> groups;
  std::vector<std::string> gone_groups;
  std::vector<LogRow> log;
  std::vector<std::pair<std::string, Target>> gone_log;
  std::optional<std::uint64_t> flushes;

  bool empty() const;
};

}  // namespace atalaya::routing
