#include "app/sensors.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "app/sensors_state.h"
#include "ingest/agent_payload.h"
#include "model/sample.h"
#include "sense/pipe_text.h"
#include "sense/publish/publisher.h"
#include "telemetry/log.h"

namespace atalaya::app {
namespace {

constexpr std::string_view kComponent = "sensors";
constexpr std::string_view kProcess = "process";
constexpr std::string_view kServer = "server";

/// What an agent is told of a pipe that runs there.
boost::json::object pipe_text(const occi::SensorPlan& plan, const sense::PipeSpec& pipe) {
  boost::json::object out{{"id", fmt::format("occi:{}/{}", plan.id, occi::kPipeMetric)},
                          {"type", "sensor"},
                          {"sensor", plan.id},
                          {"pipe", boost::json::parse(sense::to_json(pipe))}};
  if (plan.window.begin != kMinTime) out["from"] = to_ms(plan.window.begin);
  if (plan.window.end != kMaxTime) out["until"] = to_ms(plan.window.end);
  return out;
}

/// A record as the agent's pipe published it: `instance`, which the server wrote, is no label of it.
sense::Record published_record(const ingest::SensorValue& value) {
  LabelsBuilder labels;
  for (const auto& [name, text] : value.of->labels) {
    if (name.starts_with(ingest::kPublishedLabel)) labels.set(name.substr(ingest::kPublishedLabel.size()), text);
  }
  return {value.time, value.value, labels.build(), std::nullopt};
}

}  // namespace

Sensors::Sensors(SensorNeighbours neighbours)
    : with_(std::move(neighbours)),
      running_(with_.metrics.gauge("atalaya_sensors_running", "Sensors that run in this server.")),
      values_(with_.metrics.counter("atalaya_sensor_values_total", "Values that collectors brought to sensors.")),
      published_(with_.metrics.counter("atalaya_sensor_published_total", "Values that sensors handed to publishers.")),
      unwanted_(with_.metrics.counter("atalaya_sensor_unwanted_values_total",
                                      "Values for sensors or collectors that are not there any more, or do not run.")),
      repeated_(with_.metrics.counter("atalaya_sensor_repeated_batches_total",
                                      "Batches of agents that sensors had already.")),
      dropped_(with_.metrics.counter("atalaya_sensor_dropped_values_total",
                                     "Values for sensors that were more than this server took.")) {}

Sensors::~Sensors() { stop(); }

void Sensors::stop() {
  Sensing gone;
  const std::lock_guard one(plan_mutex_);
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(stopped_, true)) return;
    for (auto& [tenant, state] : tenants_) {
      for (auto& [id, running] : state.sensors) gone.emplace(tenant.value() + '/' + id, std::move(running));
    }
    tenants_.clear();
  }
  running_.set(0);
  with_.post([gone = std::move(gone)] {});
}

void Sensors::changed(const TenantId& tenant) {
  const std::lock_guard one(plan_mutex_);
  const auto world = with_.world(tenant);
  auto deployment = occi::deployment_of(*world, with_.host_of(tenant, world), with_.clock.now(), with_.quota,
                                        with_.programs ? with_.programs(tenant) : occi::ReadProgram());
  std::vector<occi::SensorPlan> plans;
  std::map<std::string, std::string, std::less<>> waiting;
  for (auto& [id, plan] : deployment.sensors) {
    if (!plan.idle.empty())
      waiting.emplace(id, plan.idle);
    else
      plans.push_back(std::move(plan));
  }
  deployment.orders = with_pipes(plans, std::move(deployment.orders));
  std::set<std::string> hosts;
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) return;
    auto& state = tenants_[tenant];
    state.waiting = std::move(waiting);
    state.idle = std::move(deployment.idle);
    state.faulty = std::move(deployment.faulty);
    state.until = deployment.until;
    take_orders(tenant, std::move(deployment.orders), hosts);
  }
  // Before an agent hears of it, so that its first value finds the pipe.
  with_.post([this, tenant, plans = std::move(plans)]() mutable { apply(tenant, std::move(plans)); });
  for (const auto& host : hosts) with_.tell(tenant, host);
}

/// The orders, and before them those of the pipes that run in agents. One that cannot be told says so where it is made.
std::vector<occi::Order> Sensors::with_pipes(const std::vector<occi::SensorPlan>& plans,
                                             std::vector<occi::Order> orders) const {
  std::vector<occi::Order> out;
  for (const auto& plan : plans) {
    if (plan.placement != occi::kInAgent || plan.hosts.empty()) continue;
    const auto pipe = pipe_spec(plan);
    if (!pipe || !sense::check(*pipe)) continue;
    const auto text = pipe_text(plan, *pipe);
    for (const auto& host : plan.hosts) out.push_back({plan.id, plan.id, host, text});
  }
  out.insert(out.end(), std::make_move_iterator(orders.begin()), std::make_move_iterator(orders.end()));
  return out;
}

/// As it runs, with what is sealed opened.
Result<sense::PipeSpec> Sensors::pipe_spec(const occi::SensorPlan& plan) const {
  auto spec = plan.pipe;
  // Which collectors feed it makes no difference to what flows.
  spec.sources.clear();
  spec.more_sources = true;
  if (!with_.opened) return spec;
  return with_.opened(std::move(spec));
}

void Sensors::apply(const TenantId& tenant, std::vector<occi::SensorPlan> plans) {
  Sensing before;
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) return;
    before = tenants_[tenant].sensors;
  }
  Sensing running;
  std::unordered_map<std::string, std::shared_ptr<Running>> by_collector;
  for (auto& plan : plans) {
    const auto old = before.find(plan.id);
    auto one = started(tenant, plan, old == before.end() ? nullptr : old->second);
    for (const auto& [metric, stream] : plan.streams) by_collector.emplace(metric.substr(0, metric.rfind('/')), one);
    if (plan.placement == occi::kInAgent) by_collector.emplace(plan.id, one);
    running.emplace(plan.id, std::move(one));
  }
  const std::lock_guard lock(mutex_);
  if (stopped_) return;
  auto& state = tenants_[tenant];
  state.sensors.swap(running);
  state.by_collector.swap(by_collector);
  std::size_t count = 0;
  for (const auto& [id, one] : tenants_) count += one.sensors.size();
  running_.set(static_cast<double>(count));
}

std::shared_ptr<Sensors::Running> Sensors::started(const TenantId& tenant, occi::SensorPlan plan,
                                                   const std::shared_ptr<Running>& before) const {
  if (before && before->plan.pipe.aggregators == plan.pipe.aggregators &&
      before->plan.pipe.publishers == plan.pipe.publishers && before->plan.pipe.period == plan.pipe.period &&
      before->plan.placement == plan.placement) {
    // Collectors come and go while it runs.
    const std::lock_guard lock(before->mutex);
    before->plan = std::move(plan);
    before->forget();
    return before;
  }
  auto out = std::make_shared<Running>();
  out->plan = std::move(plan);
  if (const auto given = give_pipe(tenant, out); !given) out->problems.push_back(to_string(given.error()));
  out->outlets = outlets_of(tenant, *out, before);
  if (before) {
    out->heard = before->heard;
    out->last = before->last;
    out->values = before->values;
    out->forget();
  }
  for (const auto& problem : out->problems) {
    telemetry::log_warn(kComponent, "sensor",
                        {{"sensor", out->plan.id}, {"tenant", tenant.value()}, {"reason", problem}});
  }
  return out;
}

Status Sensors::give_pipe(const TenantId& tenant, const std::shared_ptr<Running>& running) const {
  AT_TRY(auto spec, pipe_spec(running->plan));
  if (running->plan.placement == occi::kInAgent) {
    AT_TRY(sense::check(spec));
    return {};
  }
  if (running->plan.placement != kProcess) {
    AT_TRY(auto pipe, sense::Pipe::make(std::move(spec)));
    running->pipe.emplace(std::move(pipe));
    return {};
  }
  if (!with_.remote) return fail(ErrorCode::kUnprocessable, "no sensor runs as a process of its own here");
  auto take = [weak = std::weak_ptr(running)](std::uint32_t publisher, std::string_view stream,
                                              const sense::Record& record) {
    const auto one = weak.lock();
    if (one && publisher < one->outlets.size() && one->outlets[publisher])
      one->outlets[publisher]->publish(stream, record);
  };
  AT_TRY(running->remote, with_.remote(tenant, running->plan.id, spec, std::move(take)));
  return {};
}

/// What is as it was goes on, with all that waits in it.
std::vector<std::shared_ptr<Outlet>> Sensors::outlets_of(const TenantId& tenant, Running& running,
                                                         const std::shared_ptr<Running>& before) const {
  std::vector<std::shared_ptr<Outlet>> out;
  const std::vector<sense::Part> none;
  const auto& old = before ? before->plan.pipe.publishers : none;
  for (const auto& part : running.plan.pipe.publishers) {
    if (running.plan.placement != kServer && !sense::publish::needs_platform(part.mixin)) {
      out.push_back(nullptr);  // it is where the pipe is
      continue;
    }
    const auto same = std::find(old.begin(), old.end(), part);
    if (same != old.end() && before->outlets[static_cast<std::size_t>(same - old.begin())]) {
      out.push_back(before->outlets[static_cast<std::size_t>(same - old.begin())]);
      continue;
    }
    auto made = with_.outlet(tenant, running.plan.id, part);
    if (!made) running.problems.push_back(fmt::format("{}: {}", sense::term_of(part.mixin), to_string(made.error())));
    out.push_back(made ? std::move(*made) : nullptr);
  }
  return out;
}

/// Under mutex_. Adds the hosts whose orders differ.
void Sensors::take_orders(const TenantId& tenant, std::vector<occi::Order> orders, std::set<std::string>& hosts) {
  auto& state = tenants_[tenant];
  std::map<std::string, std::vector<occi::Order>, std::less<>> by_host;
  for (auto& order : orders) by_host[order.host].push_back(std::move(order));
  for (auto& [host, known] : state.hosts) by_host[host];
  for (auto& [host, list] : by_host) {
    auto& known = state.hosts[host];
    if (known.list == list) continue;
    hosts.insert(host);
    known.texts.clear();
    for (const auto& order : list) known.texts.push_back(boost::json::serialize(order.text));
    known.list = std::move(list);
    known.revision = ++revision_;
  }
  // An agent that is told of none hears it by the same way, once.
  std::erase_if(state.hosts, [](const auto& one) { return one.second.list.empty(); });
  state.ordered.clear();
  for (const auto& [host, known] : state.hosts) {
    for (std::size_t i = 0; i < known.list.size(); ++i) state.ordered.try_emplace(known.list[i].collector, host, i);
  }
}

Sensors::Orders Sensors::orders(const TenantId& tenant, const std::string& host, std::size_t most_bytes) {
  const std::lock_guard lock(mutex_);
  const auto found = tenants_.find(tenant);
  if (found == tenants_.end()) return {};
  const auto at = found->second.hosts.find(host);
  if (at == found->second.hosts.end()) return {};
  Orders out{at->second.revision, {}};
  std::size_t taken = 0;
  for (const auto& text : at->second.texts) {
    if (out.text.size() + text.size() + 1 > most_bytes) break;
    if (!out.text.empty()) out.text += ',';
    out.text += text;
    ++taken;
  }
  at->second.left_out = at->second.texts.size() - taken;
  return out;
}

void Sensors::agent_says(const TenantId& tenant, const std::string& host, bool measures_for_sensors) {
  const std::lock_guard lock(mutex_);
  if (stopped_) return;
  auto& old = tenants_[tenant].old_agents;
  if (measures_for_sensors)
    old.erase(host);
  else
    old.insert(host);
}

void Sensors::measured(const TenantId& tenant, const std::string& source, std::uint64_t sequence,
                       std::vector<ingest::SensorValue> values) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = tenants_.find(tenant);
    if (found == tenants_.end()) return unwanted_.add(values.size());
    auto& [spool, newest] = found->second.sequences[source.substr(0, source.rfind('/'))];
    if (spool == source && sequence <= newest) return repeated_.add();
    spool = source;
    newest = sequence;
  }
  const auto count = values.size();
  if (waiting_.fetch_add(count) + count > kMostWaiting) {
    waiting_ -= count;
    return dropped_.add(count);
  }
  with_.post([this, tenant, values = std::move(values)] {
    waiting_ -= values.size();
    take(tenant, values);
  });
}

void Sensors::take(const TenantId& tenant, const std::vector<ingest::SensorValue>& values) {
  const auto now = with_.clock.now();
  std::vector<std::shared_ptr<Running>> whose(values.size());
  {
    const std::lock_guard lock(mutex_);
    const auto found = tenants_.find(tenant);
    if (found == tenants_.end()) return unwanted_.add(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      const auto at = found->second.by_collector.find(values[i].of->collector);
      if (at != found->second.by_collector.end()) whose[i] = at->second;
    }
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (whose[i])
      push(*whose[i], values[i], now);
    else
      unwanted_.add();
  }
}

/// Of a sensor whose pipe runs in agents.
void Sensors::hear(Running& running, const ingest::SensorValue& value) {
  const auto& of = *value.of;
  const auto host = std::string(of.labels.get("instance"));
  const std::unique_lock lock(running.mutex);
  if (!running.plan.hosts.contains(host)) return unwanted_.add();
  if (of.collector == running.plan.id && value.problem) {
    running.pipe_problems[host] = *value.problem;
  } else if (value.problem) {
    running.heard[fmt::format("{}/{}", of.collector, of.metric)].problem = *value.problem;
  } else if (of.metric.starts_with(ingest::kTakenMetric) && !is_stale(value.value)) {
    const auto key =
        fmt::format("{}/{}", of.collector, std::string_view(of.metric).substr(ingest::kTakenMetric.size()));
    if (!running.plan.streams.contains(key)) return unwanted_.add();
    auto& heard = running.heard[key];
    heard = {value.time, 0, value.value, {}};
    running.last = value.time;
  } else if (of.collector == running.plan.id && of.metric.starts_with(ingest::kPublishedMetric)) {
    values_.add();
    std::uint32_t publisher = 0;
    const auto rest = std::string_view(of.metric).substr(ingest::kPublishedMetric.size());
    const auto read = std::from_chars(rest.data(), rest.data() + rest.size(), publisher);
    const auto used = static_cast<std::size_t>(read.ptr - rest.data());
    if (read.ec != std::errc{} || used >= rest.size() || publisher >= running.outlets.size()) return unwanted_.add();
    if (!running.outlets[publisher]) return;
    const auto record = published_record(value);
    running.outlets[publisher]->publish(rest.substr(used + 1), record);
    running.remember(rest.substr(used + 1), record);
    published_.add();
  }
}

void Sensors::push(Running& running, const ingest::SensorValue& value, Time now) {
  if (running.plan.placement == occi::kInAgent) return hear(running, value);
  const auto& of = *value.of;
  const auto key = fmt::format("{}/{}", of.collector, of.metric);
  std::string stream;
  {
    const std::lock_guard lock(running.mutex);
    const auto found = running.plan.streams.find(key);
    if (found == running.plan.streams.end() || !running.plan.window.has(value.time)) return unwanted_.add();
    stream = found->second;
    auto& heard = running.heard[key];
    if (value.problem) {
      heard.problem = *value.problem;
      return;
    }
    if (!is_stale(value.value)) {
      heard = {value.time, value.value, 0, {}};
      running.last = value.time;
      ++running.values;
    }
  }
  values_.add();
  if (!running.pipe && !running.remote) return;
  sense::Record record;
  record.time = value.time;
  record.value = value.value;
  record.labels = LabelsBuilder(of.labels).set("collector", of.collector).set("metric", of.metric).build();
  if (running.remote) return running.remote->push(stream, record);
  running.out.clear();
  running.pipe->push(stream, record, now, running.out);
  published_.add(running.deliver());
}

void Sensors::tick() {
  const auto now = with_.clock.now();
  std::vector<TenantId> due;
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) return;
    for (const auto& [tenant, state] : tenants_) {
      if (state.until <= now) due.push_back(tenant);
    }
  }
  with_.post([this] { tick_pipes(); });
  for (const auto& tenant : due) changed(tenant);
}

void Sensors::tick_pipes() {
  const auto now = with_.clock.now();
  std::vector<std::shared_ptr<Running>> all;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [tenant, state] : tenants_) {
      for (const auto& [id, one] : state.sensors) all.push_back(one);
    }
  }
  for (const auto& running : all) {
    if (running->pipe && running->pipe->due() <= now) {
      running->out.clear();
      running->pipe->tick(now, running->out);
      published_.add(running->deliver());
    }
    const std::lock_guard lock(running->mutex);
    running->look_at_outlets();
  }
}

}  // namespace atalaya::app
