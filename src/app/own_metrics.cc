#include "app/own_metrics.h"

#include <sys/statvfs.h>

#include <limits>
#include <map>
#include <utility>

#include "collect/script/exposition.h"
#include "telemetry/log.h"

namespace atalaya::app {
namespace {

/// The lines of the text without those of buckets.
std::string without_buckets(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto end = text.find('\n');
    const auto line = text.substr(0, end == std::string_view::npos ? text.size() : end + 1);
    const auto name = line.substr(0, line.find_first_of("{ "));
    if (!name.ends_with("_bucket")) out += line;
    text.remove_prefix(line.size());
  }
  return out;
}

}  // namespace

OwnMetrics::OwnMetrics(const telemetry::Registry& metrics, storage::SeriesAppender& series, const Clock& clock,
                       TenantId tenant, std::string instance)
    : metrics_(metrics), series_(series), clock_(clock), tenant_(std::move(tenant)), instance_(std::move(instance)) {}

void OwnMetrics::collect() {
  if (under_way_->exchange(true)) return;
  auto samples = collect::script::parse_exposition(without_buckets(metrics_.expose()));
  if (!samples) {
    telemetry::log_error("metrics", "own metrics not stored", {{"reason", to_string(samples.error())}});
    *under_way_ = false;
    return;
  }
  samples->push_back({"up", {}, 1});
  const auto now = clock_.now();
  storage::SampleBatch batch;
  for (const auto& sample : *samples) {
    LabelsBuilder labels(sample.labels);
    labels.set(kMetricName, sample.metric).set("instance", instance_).set("job", "atalaya");
    // A limit on series is told by the store's own metrics; what is known goes on.
    const auto id = series_.resolve(tenant_, labels.build());
    if (id) batch.samples.push_back({*id, now, sample.value});
  }
  series_.append(tenant_, std::move(batch),
                 [under_way = under_way_](const Result<storage::Appended>&) { *under_way = false; });
}

std::vector<collect::scrape::TargetMetadata> own_metadata(const telemetry::Registry& metrics,
                                                          const std::string& instance, std::string_view metric) {
  namespace scrape = collect::scrape;
  const Labels target{{"instance", instance}, {"job", "atalaya"}};
  std::map<std::string, scrape::Metadata> found;
  const auto take = [&](const scrape::ScrapedNote& note) {
    if (!metric.empty() && note.metric != metric) return;
    auto& one = found[note.metric];
    if (note.what == scrape::ScrapedNote::What::kHelp) one.help = note.text;
    if (note.what == scrape::ScrapedNote::What::kType) one.type = note.text;
  };
  const auto read = scrape::read_lines(metrics.expose(), scrape::Format::kText,
                                       {.sample = [](const scrape::ScrapedLine&) { return Status{}; }, .note = take});
  if (!read) telemetry::log_error("metrics", "own metrics do not read", {{"reason", to_string(read.error())}});
  std::vector<scrape::TargetMetadata> out;
  for (auto& [name, metadata] : found) out.push_back({target, name, std::move(metadata)});
  return out;
}

void add_data_metrics(telemetry::Registry& metrics, const std::string& path) {
  const auto read = [path](bool size) {
    struct statvfs state{};
    if (::statvfs(path.c_str(), &state) != 0) return std::numeric_limits<double>::quiet_NaN();
    return static_cast<double>(size ? state.f_blocks : state.f_bavail) * static_cast<double>(state.f_frsize);
  };
  metrics.callback("atalaya_data_available_bytes", "Space left for the data directory.",
                   [read] { return read(false); });
  metrics.callback("atalaya_data_size_bytes", "Size of the file system that holds the data directory.",
                   [read] { return read(true); });
}

}  // namespace atalaya::app
