#include "ingest/agent_session.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "telemetry/log.h"

namespace atalaya::ingest {
namespace {

constexpr std::string_view kInstance = "instance";
constexpr std::size_t kMaxSpoolId = 64;

bool is_spool_id(std::string_view id) {
  return !id.empty() && id.size() <= kMaxSpoolId &&
         std::ranges::all_of(id, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

std::shared_ptr<const SensorSeries> sensor_series(const Labels& labels) {
  const auto collector = labels.get(kSensorLabel);
  if (collector.empty()) return nullptr;
  LabelsBuilder rest(labels);
  rest.erase(kSensorLabel).erase(kMetricName);
  return std::make_shared<const SensorSeries>(
      SensorSeries{std::string(collector), std::string(labels.get(kMetricName)), rest.build()});
}

}  // namespace

AgentSessionMetrics::AgentSessionMetrics(telemetry::Registry& registry)
    : connected(registry.gauge("atalaya_ingest_agents_connected", "Agents connected now.")),
      batches(registry.counter("atalaya_ingest_agent_batches_total", "Batches received from agents.")),
      samples(registry.counter("atalaya_ingest_agent_samples_total", "Samples received from agents.")),
      lines(registry.counter("atalaya_ingest_agent_log_lines_total", "Log lines received from agents.")),
      measured(
          registry.counter("atalaya_ingest_agent_sensor_values_total", "Values for sensors received from agents.")),
      bytes(registry.counter("atalaya_ingest_agent_bytes_total", "Bytes of frames received from agents.")),
      malformed(registry.counter("atalaya_ingest_agent_malformed_total",
                                 "Connections of agents closed because of a malformed or unexpected frame.")),
      replaced(registry.counter("atalaya_ingest_agent_replaced_total",
                                "Connections ended because the same agent connected again.")),
      renamed(registry.counter("atalaya_ingest_agent_renamed_total",
                               "Label sets of agents whose instance was set to the registered name.")),
      refused(registry.counter("atalaya_ingest_agent_refused_total", "Appends of agents that a store refused.")),
      series_refused(registry.counter("atalaya_ingest_agent_series_refused_total",
                                      "Samples dropped because their series is beyond a limit.")),
      config_refused(registry.counter("atalaya_ingest_agent_configurations_refused_total",
                                      "Configurations that were not sent because an agent takes none so long.")) {}

AgentSession::AgentSession(AgentPeer peer, storage::SeriesAppender& series, storage::LogAppender& logs,
                           AgentSessionMetrics& metrics, const Clock& clock, Callbacks callbacks,
                           AgentSessionLimits limits)
    : peer_(std::move(peer)),
      series_(series),
      logs_(logs),
      metrics_(metrics),
      clock_(clock),
      callbacks_(std::move(callbacks)),
      limits_(limits) {}

void AgentSession::on_message(std::string_view bytes, bool binary) {
  if (binary) return on_frame(bytes);
  metrics_.malformed.add();
  fail(kCloseMalformed, "text message: frames are binary");
}

void AgentSession::on_frame(std::string_view bytes) {
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) return;
  }
  metrics_.bytes.add(bytes.size());
  auto frame = decode_agent_frame(bytes);
  if (!frame) {
    metrics_.malformed.add();
    return fail(kCloseMalformed, frame.error().message);
  }
  if (auto* hello = std::get_if<HelloFrame>(&*frame)) return on_hello(std::move(*hello));
  if (const auto* definitions = std::get_if<DefinitionsFrame>(&*frame)) return on_definitions(*definitions);
  if (const auto* batch = std::get_if<BatchFrame>(&*frame)) return on_batch(*batch, bytes.size());
  if (auto* result = std::get_if<CallResultFrame>(&*frame)) {
    if (callbacks_.answered) callbacks_.answered(*this, std::move(*result));
    return;
  }
  if (std::holds_alternative<UnknownFrame>(*frame)) return;  // from a newer agent: ignored by contract
  metrics_.malformed.add();
  fail(kCloseMalformed, "frame that only a server sends");
}

void AgentSession::on_hello(HelloFrame frame) {
  if (!is_spool_id(frame.spool_id)) {
    metrics_.malformed.add();
    return fail(kCloseMalformed, "spool id must be 1 to 64 hexadecimal digits");
  }
  source_ = fmt::format("agent:{}/{}", peer_.agent.value(), frame.spool_id);
  WelcomeFrame welcome;
  welcome.series_sequence = series_.last_sequence(peer_.tenant, source_);
  welcome.logs_sequence = logs_.last_sequence(peer_.tenant, source_);
  welcome.window_batches = limits_.window_batches;
  welcome.window_bytes = limits_.window_bytes;
  welcome.server_time = clock_.now();
  auto config = callbacks_.config ? callbacks_.config() : AgentConfig{};
  const auto revision = config.revision;
  if (fits(config)) {
    welcome.config_revision = std::move(config.revision);
    welcome.config_json = std::move(config.json);
  }
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) return;
    if (!hello_seen_) {
      hello_seen_ = true;
      series_durable_ = welcome.series_sequence;
      logs_durable_ = welcome.logs_sequence;
    } else {
      source_.clear();
    }
  }
  if (source_.empty()) {
    metrics_.malformed.add();
    return fail(kClosePolicy, "second hello");
  }
  if (callbacks_.hello) callbacks_.hello(frame);
  callbacks_.send(encode(welcome));
  {
    // Only now: a configuration pushed meanwhile must not arrive before the older one of Welcome.
    const std::lock_guard lock(mutex_);
    greeted_ = true;
    abilities_ = frame.abilities;
    config_revision_ = revision;
  }
  if (callbacks_.config) push_config(callbacks_.config());
}

void AgentSession::push_config(const AgentConfig& config) {
  const std::lock_guard one_at_a_time(config_mutex_);
  {
    const std::lock_guard lock(mutex_);
    if (stopped_ || !greeted_ || config.revision == config_revision_) return;
    config_revision_ = config.revision;
  }
  if (fits(config)) callbacks_.send(encode(ConfigFrame{config.revision, config.json}));
}

bool AgentSession::fits(const AgentConfig& config) {
  if (config.json.size() <= kMaxConfigBytes) return true;
  metrics_.config_refused.add();
  telemetry::log_error("ingest", "configuration not sent: too long",
                       {{"host", peer_.name},
                        {"bytes", std::to_string(config.json.size())},
                        {"most", std::to_string(kMaxConfigBytes)},
                        {"remedy", "let fewer collectors run there (on:), or shorten their programs"}});
  return false;
}

Status AgentSession::send_call(const CallFrame& call) {
  {
    const std::lock_guard lock(mutex_);
    if (stopped_ || !greeted_)
      return atalaya::fail(ErrorCode::kUnavailable, fmt::format("{} is not connected", peer_.name));
    if (!(abilities_ & kTakesCalls))
      return atalaya::fail(ErrorCode::kUnprocessable, fmt::format("the agent of {} takes no calls yet", peer_.name),
                           "install this version's atalaya-agent there");
  }
  auto bytes = encode(call);
  // What the agent would refuse as malformed would end its connection.
  AT_TRY(decode_agent_frame(bytes));
  callbacks_.send(std::move(bytes));
  return {};
}

bool AgentSession::unpack(std::uint64_t scope, std::uint64_t raw_size, std::string_view packed) {
  if (scope != scope_) {
    scope_ = scope;
    definitions_.clear();
  }
  auto raw = decompressor_.decompress(packed, raw_size);
  Status status;
  if (!raw) {
    status = std::unexpected(std::move(raw).error());
  } else {
    raw_ = std::move(*raw);
    status = decode_payload(raw_, definitions_.size(), payload_);
  }
  if (!status) {
    metrics_.malformed.add();
    fail(kCloseMalformed, status.error().message);
    return false;
  }
  define(payload_.definitions);
  return true;
}

void AgentSession::define(std::vector<Labels>& labels) {
  definitions_.reserve(definitions_.size() + labels.size());
  for (auto& set : labels) {
    if (set.get(kInstance) != peer_.name) {
      metrics_.renamed.add();
      set = set.with(kInstance, peer_.name);
    }
    auto sensor = sensor_series(set);
    definitions_.push_back({std::move(set), std::nullopt, {}, std::move(sensor)});
  }
}

void AgentSession::on_definitions(const DefinitionsFrame& frame) {
  bool greeted = false;
  {
    const std::lock_guard lock(mutex_);
    greeted = greeted_;
  }
  if (!greeted) {
    metrics_.malformed.add();
    return fail(kClosePolicy, "definitions before hello");
  }
  if (!unpack(frame.scope, frame.raw_size, frame.packed)) return;
  if (payload_.samples.empty() && payload_.logs.empty()) return;
  metrics_.malformed.add();
  fail(kCloseMalformed, "definitions frame with samples or log lines");
}

std::vector<storage::SeriesSample> AgentSession::resolve_samples(std::vector<SensorValue>& measured) {
  std::vector<storage::SeriesSample> out;
  out.reserve(payload_.samples.size());
  const auto now = clock_.now();
  for (const auto& sample : payload_.samples) {
    auto& definition = definitions_[sample.ref];
    if (definition.sensor) {
      measured.push_back({definition.sensor, sample.time, sample.value});
      continue;
    }
    if (now - std::exchange(definition.used, now) > storage::kIdIsGoodFor) definition.series.reset();
    if (!definition.series) {
      auto series = series_.resolve(peer_.tenant, definition.labels);
      if (!series) {
        // One series beyond a limit must not hold up the agent's others.
        metrics_.series_refused.add();
        continue;
      }
      definition.series = *series;
    }
    out.push_back({*definition.series, sample.time, sample.value});
  }
  return out;
}

std::vector<LogRecord> AgentSession::resolve_logs(std::vector<SensorValue>& measured) const {
  std::vector<LogRecord> out;
  out.reserve(payload_.logs.size());
  for (const auto& log : payload_.logs) {
    const auto& definition = definitions_[log.ref];
    if (!definition.sensor) {
      out.push_back({log.time, definition.labels, std::string{log.line}});
      continue;
    }
    const bool well = definition.labels.get("level") == "info";
    measured.push_back({definition.sensor, log.time, 0, well ? std::string() : std::string{log.line}});
  }
  return out;
}

bool AgentSession::admit(std::unique_lock<std::mutex>& lock, const BatchFrame& frame, std::size_t frame_bytes) {
  std::string why;
  if (!greeted_) {
    why = "batch before hello";
  } else if (frame.sequence <= last_sequence_) {
    why = fmt::format("batch {} after batch {}", frame.sequence, last_sequence_);
  } else if (!pending_.empty() &&
             (pending_.size() + 1 > limits_.window_batches || pending_bytes_ + frame_bytes > limits_.window_bytes)) {
    why = fmt::format("{} batches of {} bytes unacknowledged, the window is {} and {}", pending_.size() + 1,
                      pending_bytes_ + frame_bytes, limits_.window_batches, limits_.window_bytes);
  } else {
    last_sequence_ = frame.sequence;
    return true;
  }
  lock.unlock();
  metrics_.malformed.add();
  fail(kClosePolicy, std::move(why));
  return false;
}

void AgentSession::on_batch(const BatchFrame& frame, std::size_t frame_bytes) {
  {
    std::unique_lock lock(mutex_);
    if (stopped_ || !admit(lock, frame, frame_bytes)) return;
  }
  if (!unpack(frame.scope, frame.raw_size, frame.packed)) return;
  const auto contents =
      static_cast<std::uint8_t>((payload_.samples.empty() ? 0 : kHasSamples) | (payload_.logs.empty() ? 0 : kHasLogs));
  if (contents != frame.contents) {
    metrics_.malformed.add();
    return fail(kCloseMalformed,
                fmt::format("batch {} says it holds {}, it holds {}", frame.sequence, frame.contents, contents));
  }
  metrics_.batches.add();
  metrics_.samples.add(payload_.samples.size());
  metrics_.lines.add(payload_.logs.size());
  std::vector<SensorValue> measured;
  auto samples = resolve_samples(measured);
  auto records = resolve_logs(measured);
  metrics_.measured.add(measured.size());
  if (!measured.empty() && callbacks_.measured) callbacks_.measured(source_, frame.sequence, std::move(measured));
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) return;
    Pending pending{frame.sequence, 0, frame_bytes};
    // What a store remembers already needs no second append; its definitions were needed all the same.
    if (!samples.empty() && frame.sequence > series_durable_) {
      pending.needs |= kHasSamples;
      queued_samples_.push_back({frame.sequence, std::move(samples)});
    }
    if (!records.empty() && frame.sequence > logs_durable_) {
      pending.needs |= kHasLogs;
      queued_logs_.push_back({frame.sequence, std::move(records)});
    }
    pending_bytes_ += frame_bytes;
    pending_.push_back(pending);
  }
  pump_series();
  pump_logs();
  acknowledge();
}

void AgentSession::pump_series() {
  storage::SampleBatch batch;
  {
    const std::lock_guard lock(mutex_);
    if (stopped_ || series_busy_ || queued_samples_.empty()) return;
    series_busy_ = true;
    do {
      auto& front = queued_samples_.front();
      if (batch.samples.empty())
        batch.samples = std::move(front.samples);
      else
        batch.samples.insert(batch.samples.end(), front.samples.begin(), front.samples.end());
      batch.origin = {source_, front.sequence};
      queued_samples_.pop_front();
    } while (!queued_samples_.empty() &&
             batch.samples.size() + queued_samples_.front().samples.size() <= limits_.merge_entries);
  }
  const auto sequence = batch.origin.sequence;
  series_.append(peer_.tenant, std::move(batch),
                 [self = shared_from_this(), sequence](const Result<storage::Appended>& result) {
                   self->series_done(sequence, result);
                 });
}

void AgentSession::pump_logs() {
  storage::LogBatch batch;
  {
    const std::lock_guard lock(mutex_);
    if (stopped_ || logs_busy_ || queued_logs_.empty()) return;
    logs_busy_ = true;
    do {
      auto& front = queued_logs_.front();
      if (batch.records.empty())
        batch.records = std::move(front.records);
      else
        batch.records.insert(batch.records.end(), std::make_move_iterator(front.records.begin()),
                             std::make_move_iterator(front.records.end()));
      batch.origin = {source_, front.sequence};
      queued_logs_.pop_front();
    } while (!queued_logs_.empty() &&
             batch.records.size() + queued_logs_.front().records.size() <= limits_.merge_entries);
  }
  const auto sequence = batch.origin.sequence;
  logs_.append(peer_.tenant, std::move(batch),
               [self = shared_from_this(), sequence](const Result<storage::Appended>& result) {
                 self->logs_done(sequence, result);
               });
}

void AgentSession::series_done(std::uint64_t sequence, const Result<storage::Appended>& result) {
  if (!result) {
    metrics_.refused.add();
    return fail(kCloseTryLater, "time series: " + result.error().message);
  }
  {
    const std::lock_guard lock(mutex_);
    series_busy_ = false;
    series_durable_ = std::max(series_durable_, sequence);
  }
  acknowledge();
  pump_series();
}

void AgentSession::logs_done(std::uint64_t sequence, const Result<storage::Appended>& result) {
  if (!result) {
    metrics_.refused.add();
    return fail(kCloseTryLater, "logs: " + result.error().message);
  }
  {
    const std::lock_guard lock(mutex_);
    logs_busy_ = false;
    logs_durable_ = std::max(logs_durable_, sequence);
  }
  acknowledge();
  pump_logs();
}

void AgentSession::acknowledge() {
  std::uint64_t upto = 0;
  std::uint64_t batches = 0;
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) return;
    while (!pending_.empty()) {
      const auto& front = pending_.front();
      if ((front.needs & kHasSamples) && front.sequence > series_durable_) break;
      if ((front.needs & kHasLogs) && front.sequence > logs_durable_) break;
      upto = front.sequence;
      pending_bytes_ -= front.bytes;
      ++batches;
      pending_.pop_front();
    }
  }
  if (batches == 0) return;
  callbacks_.send(encode(AckFrame{upto}));
  if (callbacks_.heard) callbacks_.heard(batches);
}

void AgentSession::stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  queued_samples_.clear();
  queued_logs_.clear();
  pending_.clear();
}

void AgentSession::fail(std::uint16_t code, std::string reason) {
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) return;
    stopped_ = true;
    queued_samples_.clear();
    queued_logs_.clear();
    pending_.clear();
  }
  // RFC 6455, 5.5: the reason of a close frame is at most 123 bytes.
  if (reason.size() > 120) reason.resize(120);
  callbacks_.close(code, std::move(reason));
}

}  // namespace atalaya::ingest
