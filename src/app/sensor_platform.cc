#include "app/sensor_platform.h"

#include <fmt/format.h>

#include <cmath>
#include <memory>
#include <mutex>

#include "alerts/machine.h"
#include "base/random.h"
#include "model/sample.h"
#include "notify/outbox.h"

namespace atalaya::app {
namespace {

using sense::publish::Item;

/// Calls `done` once both stores have answered, with the first error.
class Both {
 public:
  Both(int parts, sense::publish::Platform::Done done) : left_(parts), done_(std::move(done)) {}

  void finish(Status status) {
    std::unique_lock lock(mutex_);
    if (status_ && !status) status_ = std::move(status);
    if (--left_ > 0) return;
    lock.unlock();
    done_(std::move(status_));
  }

 private:
  std::mutex mutex_;
  int left_;
  Status status_;
  sense::publish::Platform::Done done_;
};

/// A stream's name may hold what a series' may not.
std::string series_name(std::string_view stream) {
  std::string out;
  for (const char c : stream) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':';
    const bool digit = c >= '0' && c <= '9';
    if (out.empty() && digit) out += '_';
    out += letter || digit ? c : '_';
  }
  return out.empty() ? "_" : out;
}

}  // namespace

void SensorPlatform::store(const Who& who, const std::string& metric, std::vector<Item> items, Done done) {
  storage::SampleBatch samples;
  storage::LogBatch lines;
  for (auto& item : items) {
    LabelsBuilder labels(item.record.labels);
    labels.set("sensor", who.sensor);
    if (item.record.is_line()) {
      labels.set("job", "sensor");
      lines.records.push_back({item.record.time, labels.build(), std::move(*item.record.text)});
      continue;
    }
    if (!metric.empty())
      labels.set(kMetricName, metric);
    else if (!item.record.labels.has(kMetricName))
      labels.set(kMetricName, series_name(item.stream));
    auto series = series_.resolve(who.tenant, labels.build());
    if (!series) return done(std::unexpected(std::move(series).error()));
    samples.samples.push_back({*series, item.record.time, item.record.value});
  }
  const int parts = (samples.samples.empty() ? 0 : 1) + (lines.records.empty() ? 0 : 1);
  if (parts == 0) return done({});
  const auto both = std::make_shared<Both>(parts, std::move(done));
  const auto settled = [both](const Result<storage::Appended>& result) {
    both->finish(result ? Status{} : std::unexpected(result.error()));
  };
  if (!samples.samples.empty()) series_.append(who.tenant, std::move(samples), settled);
  if (!lines.records.empty()) logs_.append(who.tenant, std::move(lines), settled);
}

void SensorPlatform::alert(const Who& who, const std::string& name, const std::string& severity,
                           std::vector<Item> items, Done done) {
  alerts::Posted posted{"sensor", {}};
  for (const auto& item : items) {
    const bool clears = is_stale(item.record.value) || item.record.value == 0;
    if (!clears && std::isnan(item.record.value)) continue;
    LabelsBuilder labels(item.record.labels);
    labels.erase(kMetricName).set("alertname", name.empty() ? item.stream : name).set("sensor", who.sensor);
    labels.set("severity", severity);
    alerts::PostedAlert alert;
    alert.labels = labels.build();
    alert.annotations["summary"] = fmt::format("{} of sensor {}", item.stream, who.sensor);
    alert.starts = item.record.time;
    alert.ends = clears ? item.record.time : kMaxTime;
    alert.received = clock_.now();
    posted.alerts.push_back(std::move(alert));
  }
  if (posted.alerts.empty()) return done({});
  control::Event event;
  event.tenant = who.tenant;
  event.weight = posted.alerts.size();
  event.body = std::move(posted);
  post(std::move(event), std::move(done));
}

void SensorPlatform::mail(const Who& who, const std::string& channel, const std::vector<std::string>& to,
                          const std::string& subject, const std::string& text, Done done) {
  control::Event event;
  event.tenant = who.tenant;
  event.body = notify::SendMail{random_token(9), channel, to, subject, text, "sensor-" + who.sensor};
  post(std::move(event), std::move(done));
}

void SensorPlatform::post(control::Event event, Done done) {
  const auto told = std::make_shared<Done>(std::move(done));
  event.done = [told](const Status& status) { (*told)(status); };
  // What is taken is answered for by the loop.
  if (auto taken = control_.post(std::move(event)); !taken) (*told)(std::move(taken));
}

}  // namespace atalaya::app
