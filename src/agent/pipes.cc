#include "agent/pipes.h"

#include <fmt/format.h>

#include <deque>
#include <utility>
#include <vector>

#include "base/check.h"
#include "collect/series_set.h"
#include "ingest/agent_payload.h"
#include "sense/pipe.h"
#include "sense/pipe_text.h"
#include "sense/publish/publisher.h"

namespace atalaya::agent {
namespace {

constexpr std::size_t kMostGoingBack = 10'000;  ///< records on their way to the server's own publishers
constexpr Duration kForgetAfter{900'000};       ///< label sets that were not published again
constexpr Duration kTellTakenEvery{10'000};
constexpr Duration kTick{1'000};

Result<sense::PipeSpec> read_pipe_text(const std::string& json) {
  AT_TRY(const auto document, config::Document::parse(json, "pipe"));
  return sense::read_pipe(document.root());
}

}  // namespace

class RunningPipe final : public collect::Collector {
 public:
  RunningPipe(Pipes& pipes, collect::CollectorSpec spec, sense::Pipe pipe, std::function<void()> wake)
      : pipes_(pipes), spec_(std::move(spec)), pipe_(std::move(pipe)), wake_(std::move(wake)) {
    pipes_.running_.insert_or_assign(what().sensor, this);
  }
  ~RunningPipe() override {
    const auto at = pipes_.running_.find(what().sensor);
    if (at != pipes_.running_.end() && at->second == this) pipes_.running_.erase(at);
  }

  Status make_publishers();
  void push(std::string_view stream, const sense::Record& record);

  Duration period() const override { return kTick; }
  Status collect(Time now, collect::Batch& out) override;
  bool change(const collect::CollectorSpec& spec) override;
  void finish(Time now, collect::Batch& out) override;

 private:
  struct GoesBack {
    std::uint32_t publisher;
    std::string_view stream;  ///< of the pipe
    sense::Record record;
  };
  struct Known {
    collect::LabelsId id = collect::kNoLabels;
    Time used{};
  };

  const collect::SensorSpec& what() const { return std::get<collect::SensorSpec>(spec_.what); }
  void deliver();
  void send_back(Time now, collect::Batch& out);
  collect::LabelsId labels_of(const GoesBack& one, Time now);
  Status complaints() const;

  Pipes& pipes_;
  collect::CollectorSpec spec_;
  sense::Pipe pipe_;
  const std::function<void()> wake_;
  std::vector<std::unique_ptr<sense::publish::Publisher>> publishers_;  ///< null: the server's own
  std::vector<sense::Published> out_;
  std::deque<GoesBack> back_;
  std::uint64_t lost_ = 0;
  std::map<std::pair<std::string, std::string>, Known> known_;  ///< by metric name and packed labels
};

Status RunningPipe::make_publishers() {
  const auto& context = pipes_.context_;
  for (const auto& part : pipe_.spec().publishers) {
    if (sense::publish::needs_platform(part.mixin)) {
      publishers_.push_back(nullptr);
      continue;
    }
    AT_TRY(auto made, sense::publish::make_publisher(part, {.loop = context.loop,
                                                            .clock = context.clock,
                                                            .destinations = context.destinations,
                                                            .who = {context.tenant, what().sensor},
                                                            .host = context.instance,
                                                            .log_folder = context.log_folder}));
    publishers_.push_back(std::move(made));
  }
  return {};
}

void RunningPipe::push(std::string_view stream, const sense::Record& record) {
  if (record.time < what().from || record.time >= what().until) return;
  out_.clear();
  pipe_.push(stream, record, pipes_.context_.clock.now(), out_);
  deliver();
}

void RunningPipe::deliver() {
  for (auto& one : out_) {
    if (const auto& publisher = publishers_[one.publisher]) {
      publisher->publish(one.stream, one.record);
      continue;
    }
    if (back_.size() >= kMostGoingBack) {
      back_.pop_front();
      ++lost_;
    }
    back_.push_back({one.publisher, one.stream, std::move(one.record)});
  }
  if (!back_.empty()) wake_();
}

Status RunningPipe::collect(Time now, collect::Batch& out) {
  if (pipe_.due() <= now) {
    out_.clear();
    pipe_.tick(now, out_);
    deliver();
  }
  send_back(now, out);
  return complaints();
}

void RunningPipe::send_back(Time now, collect::Batch& out) {
  for (const auto& one : back_) {
    // What collectors measure are values; a line has no place among series.
    if (one.record.is_line())
      ++lost_;
    else
      out.sample(labels_of(one, now), one.record.time, one.record.value);
  }
  back_.clear();
  std::erase_if(known_, [&](const auto& entry) {
    if (now - entry.second.used < kForgetAfter) return false;
    pipes_.context_.labels.release(entry.second.id);
    return true;
  });
}

/// The server writes `instance` itself, so that the record's labels have another name each.
collect::LabelsId RunningPipe::labels_of(const GoesBack& one, Time now) {
  auto metric = fmt::format("{}{}:{}", ingest::kPublishedMetric, one.publisher, one.stream);
  auto [at, fresh] = known_.try_emplace({std::move(metric), one.record.labels.packed()});
  at->second.used = now;
  if (fresh) {
    LabelsBuilder labels;
    for (const auto& [name, value] : one.record.labels)
      labels.set(fmt::format("{}{}", ingest::kPublishedLabel, name), value);
    labels.set("instance", pipes_.context_.instance)
        .set(ingest::kSensorLabel, what().sensor)
        .set(kMetricName, at->first.first);
    at->second.id = pipes_.context_.labels.add(labels.build());
  }
  return at->second.id;
}

Status RunningPipe::complaints() const {
  std::string out;
  const auto add = [&](const std::string& one) { out += (out.empty() ? "" : "; ") + one; };
  for (std::size_t i = 0; i < publishers_.size(); ++i) {
    if (!publishers_[i]) continue;
    const auto status = publishers_[i]->status();
    if (status.failing) add(fmt::format("{}: {}", sense::term_of(pipe_.spec().publishers[i].mixin), status.last_error));
  }
  if (lost_ > 0) add(fmt::format("{} records did not reach the server", lost_));
  if (out.empty()) return {};
  return fail(ErrorCode::kUnavailable, std::move(out));
}

bool RunningPipe::change(const collect::CollectorSpec& spec) {
  const auto* next = std::get_if<collect::SensorSpec>(&spec.what);
  if (next == nullptr || next->sensor != what().sensor || next->pipe != what().pipe) return false;
  spec_ = spec;
  return true;
}

void RunningPipe::finish(Time now, collect::Batch& out) {
  send_back(now, out);
  for (const auto& [key, known] : known_) pipes_.context_.labels.release(known.id);
  known_.clear();
}

/// A metric whose samples become records of a pipe.
class PipedMetric final : public collect::Collector {
 public:
  PipedMetric(Pipes& pipes, collect::CollectorSpec spec, std::unique_ptr<collect::Collector> metric)
      : pipes_(pipes),
        spec_(std::move(spec)),
        metric_(std::move(metric)),
        told_(pipes.context_.labels,
              Labels{{"instance", pipes.context_.instance}, {ingest::kSensorLabel, what().collector}}),
        slot_(told_.add(fmt::format("{}{}", ingest::kTakenMetric, what().metric), {})) {}

  Duration period() const override { return metric_->period(); }
  bool needs_durable() const override { return metric_->needs_durable(); }
  Status collect(Time now, collect::Batch& out) override;
  void settled(bool stored) override;
  bool change(const collect::CollectorSpec& spec) override;
  void finish(Time now, collect::Batch& out) override;

 private:
  const collect::MetricSpec& what() const { return std::get<collect::MetricSpec>(spec_.what); }
  void take();
  void push();
  void tell(Time now, collect::Batch& out);

  Pipes& pipes_;
  collect::CollectorSpec spec_;
  const std::unique_ptr<collect::Collector> metric_;
  collect::Batch taken_;
  std::vector<sense::Record> records_;  ///< that are not in the pipe yet
  collect::SeriesSet told_;
  const collect::SeriesSet::Slot slot_;
  std::uint64_t values_ = 0;
  Time tell_at_ = kMinTime;
};

Status PipedMetric::collect(Time now, collect::Batch& out) {
  taken_.clear();
  auto status = metric_->collect(now, taken_);
  for (const auto& mark : taken_.marks()) out.mark(mark.key, mark.value);
  take();
  // What counts only with its marks waits until those are on the disk.
  if (out.marks().empty()) push();
  tell(now, out);
  return status;
}

void PipedMetric::take() {
  records_.clear();
  for (const auto& sample : taken_.samples()) {
    LabelsBuilder labels(pipes_.context_.labels.at(sample.series));
    labels.erase(ingest::kSensorLabel)
        .erase(kMetricName)
        .set("collector", what().collector)
        .set("metric", what().metric);
    records_.push_back({sample.time, sample.value, labels.build(), std::nullopt});
  }
}

void PipedMetric::push() {
  for (const auto& record : records_) pipes_.push(what().sensor, what().stream, record);
  values_ += records_.size();
  records_.clear();
}

void PipedMetric::tell(Time now, collect::Batch& out) {
  if (values_ == 0 || now < tell_at_) return;
  tell_at_ = now + kTellTakenEvery;
  told_.begin(now, out);
  told_.put(slot_, static_cast<double>(values_));
  told_.finish();
}

void PipedMetric::settled(bool stored) {
  // Without marks it was pushed already, whatever became of what was told.
  if (!taken_.marks().empty()) metric_->settled(stored);
  if (stored) push();
  records_.clear();
}

bool PipedMetric::change(const collect::CollectorSpec& spec) {
  if (!metric_->change(spec)) return false;
  spec_ = spec;
  return true;
}

void PipedMetric::finish(Time now, collect::Batch& out) {
  taken_.clear();
  metric_->finish(now, taken_);
  for (const auto& mark : taken_.marks()) out.mark(mark.key, mark.value);
  take();  // the ends of its series
  push();
  told_.end_all(now, out);
}

Pipes::Pipes(PipesContext context) : context_(std::move(context)) {}

Pipes::~Pipes() { AT_CHECK(running_.empty()); }

Result<std::unique_ptr<collect::Collector>> Pipes::make_pipe(const collect::CollectorSpec& spec,
                                                             std::function<void()> wake) {
  AT_TRY(auto read, read_pipe_text(std::get<collect::SensorSpec>(spec.what).pipe));
  AT_TRY(auto pipe, sense::Pipe::make(std::move(read)));
  auto made = std::make_unique<RunningPipe>(*this, spec, std::move(pipe), std::move(wake));
  AT_TRY(made->make_publishers());
  return made;
}

std::unique_ptr<collect::Collector> Pipes::make_metric(const collect::CollectorSpec& spec,
                                                       std::unique_ptr<collect::Collector> metric) {
  return std::make_unique<PipedMetric>(*this, spec, std::move(metric));
}

void Pipes::push(std::string_view sensor, std::string_view stream, const sense::Record& record) {
  // Where the pipe could not be made, that is said, and its metrics run on for nobody.
  if (const auto at = running_.find(sensor); at != running_.end()) at->second->push(stream, record);
}

}  // namespace atalaya::agent
