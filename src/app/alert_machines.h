// The machines of alerts in the control loop, connected: life cycle → incidents, routing → outbox.
#pragma once

#include <string>
#include <vector>

#include "alerts/machine.h"
#include "control/loop.h"
#include "dispatch/machine.h"
#include "incidents/machine.h"
#include "notify/outbox.h"

namespace atalaya::app {

/// Owned by the server; outlives the loop. `book` outlives it.
struct AlertMachines {
  AlertMachines(const notify::ChannelBook& book, const std::string& url, const Labels& labels)
      : outbox(book, {.external_url = url, .external_labels = labels}),
        dispatch(outbox, {.external_url = url, .external_labels = labels}),
        alerts(&dispatch, {.external_url = url, .external_labels = labels}) {
    outbox.report_to(dispatch);
    incidents.work_for(alerts);
  }

  /// With the loop's own tables.
  static std::vector<db::Migration> migrations() {
    auto out = control::Loop::migrations();
    for (const auto& part : {alerts::Machine::migrations(), incidents::Machine::migrations(),
                             notify::Outbox::migrations(), dispatch::Machine::migrations()}) {
      out.insert(out.end(), part.begin(), part.end());
    }
    return out;
  }
  std::vector<control::Machine*> all() { return {&alerts, &incidents, &outbox, &dispatch}; }

  notify::Outbox outbox;
  dispatch::Machine dispatch;
  incidents::Machine incidents;
  alerts::Machine alerts;
};

}  // namespace atalaya::app
