// What this server does for its sensors' publishers: the stores and the alerts here.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "control/runner.h"
#include "sense/publish/publisher.h"
#include "storage/logs.h"
#include "storage/series.h"

namespace atalaya::app {

/// Thread-safe. Borrows all.
class SensorPlatform final : public sense::publish::Platform {
 public:
  SensorPlatform(storage::SeriesAppender& series, storage::LogAppender& logs, control::Runner& control,
                 const Clock& clock)
      : series_(series), logs_(logs), control_(control), clock_(clock) {}

  /// Series and streams have the labels of their records and `sensor`; lines the label job="sensor" besides.
  void store(const Who& who, const std::string& metric, std::vector<sense::publish::Item> items, Done done) override;
  /// Posted alerts, which end by the sensor's word alone.
  void alert(const Who& who, const std::string& name, const std::string& severity,
             std::vector<sense::publish::Item> items, Done done) override;
  /// Into the outbox: it is delivered as notifications are.
  void mail(const Who& who, const std::string& channel, const std::vector<std::string>& to, const std::string& subject,
            const std::string& text, Done done) override;

 private:
  void post(control::Event event, Done done);

  storage::SeriesAppender& series_;
  storage::LogAppender& logs_;
  control::Runner& control_;
  const Clock& clock_;
};

}  // namespace atalaya::app
