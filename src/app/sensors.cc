#include "app/sensors.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>

#include "model/sample.h"
#include "sense/publish/publisher.h"
#include "telemetry/log.h"

namespace atalaya::app {
namespace {

constexpr std::string_view kComponent = "sensors";
constexpr std::string_view kProcess = "process";
constexpr std::size_t kShownOfLine = 200;  ///< bytes

std::string beginning_of(const std::string& line) {
  auto end = std::min(line.size(), kShownOfLine);
  while (end < line.size() && end > 0 && (line[end] & 0xC0) == 0x80) --end;  // not within a character
  return line.substr(0, end);
}

/// What an agent said of one metric last.
struct Heard {
  Time at = kMinTime;
  double value = 0;
  std::string problem;
};

}  // namespace

/// One sensor at work.
struct Sensors::Running {
  // What `post` runs alone touches these, beside the first reading of `plan`.
  std::optional<sense::Pipe> pipe;  ///< one of the two, if it could be made
  std::unique_ptr<RemotePipe> remote;
  std::vector<std::shared_ptr<Outlet>> outlets;  ///< null: it could not be made
  std::vector<sense::Published> out;

  std::mutex mutex;  ///< guards the rest against those who look
  occi::SensorPlan plan;
  std::vector<std::string> problems;                ///< of its parts, that keep it from running as it should
  std::map<std::string, std::string> failures;      ///< of its publishers now, by their term; "" : of its process
  std::map<std::string, Heard, std::less<>> heard;  ///< by collector and metric
  Time last = kMinTime;
  std::uint64_t values = 0;
  std::map<std::string, api::SensorFlow::Value, std::less<>> given;  ///< the newest of each stream that is published

  /// Hands on what the pipe gave; how many.
  std::size_t deliver() {
    for (const auto& one : out) {
      if (const auto& outlet = outlets[one.publisher]) outlet->publish(one.stream, one.record);
    }
    if (!out.empty()) remember_given();
    return out.size();
  }
  void remember_given() {
    const std::lock_guard lock(mutex);
    for (const auto& one : out) {
      const auto& record = one.record;
      if (is_stale(record.value)) continue;
      auto at = given.find(one.stream);
      if (at == given.end()) at = given.emplace(one.stream, api::SensorFlow::Value{}).first;
      at->second = {record.time, record.value, std::nullopt};
      if (record.text) at->second.line = beginning_of(*record.text);
    }
  }
  void look_at_outlets() {
    failures.clear();
    for (std::size_t i = 0; i < outlets.size(); ++i) {
      auto problem = outlets[i] ? outlets[i]->problem() : std::string();
      if (!problem.empty()) failures.emplace(sense::term_of(plan.pipe.publishers[i].mixin), std::move(problem));
    }
    auto problem = remote ? remote->problem() : std::string();
    if (!problem.empty()) failures.emplace("", std::move(problem));
  }
};

struct Sensors::Tenant {
  struct HostOrders {
    std::vector<occi::Order> list;
    std::vector<std::string> texts;
    std::uint64_t revision = 0;
    std::size_t left_out = 0;  ///< the last so many of the list do not fit
  };
  Sensing sensors;
  std::unordered_map<std::string, std::shared_ptr<Running>> by_collector;
  std::map<std::string, HostOrders, std::less<>> hosts;
  std::map<std::string, std::string, std::less<>> idle;
  std::map<std::string, std::string, std::less<>> waiting;  ///< sensors that do not run, and why
  /// Where each collector's first order stands: its host, and the place in that one's list.
  std::unordered_map<std::string, std::pair<std::string, std::size_t>> ordered;
  /// Of each agent the newest spool and what came of it.
  std::map<std::string, std::pair<std::string, std::uint64_t>, std::less<>> sequences;
  std::set<std::string, std::less<>> old_agents;
  Time until = kMaxTime;
};

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
  auto deployment = occi::deployment_of(*world, with_.host_of(tenant, world), with_.clock.now(), with_.quota);
  std::vector<occi::SensorPlan> plans;
  std::map<std::string, std::string, std::less<>> waiting;
  for (auto& [id, plan] : deployment.sensors) {
    if (!plan.idle.empty())
      waiting.emplace(id, plan.idle);
    else
      plans.push_back(std::move(plan));
  }
  std::set<std::string> hosts;
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) return;
    auto& state = tenants_[tenant];
    state.waiting = std::move(waiting);
    state.idle = std::move(deployment.idle);
    state.until = deployment.until;
    take_orders(tenant, std::move(deployment.orders), hosts);
  }
  // Before an agent hears of it, so that its first value finds the pipe.
  with_.post([this, tenant, plans = std::move(plans)]() mutable { apply(tenant, std::move(plans)); });
  for (const auto& host : hosts) with_.tell(tenant, host);
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
    std::erase_if(before->heard, [&](const auto& one) { return !before->plan.streams.contains(one.first); });
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
    std::erase_if(out->heard, [&](const auto& one) { return !out->plan.streams.contains(one.first); });
  }
  for (const auto& problem : out->problems) {
    telemetry::log_warn(kComponent, "sensor",
                        {{"sensor", out->plan.id}, {"tenant", tenant.value()}, {"reason", problem}});
  }
  return out;
}

Status Sensors::give_pipe(const TenantId& tenant, const std::shared_ptr<Running>& running) const {
  auto spec = running->plan.pipe;
  // Which collectors feed it makes no difference to what flows.
  spec.sources.clear();
  spec.more_sources = true;
  if (with_.opened) {
    AT_TRY(spec, with_.opened(std::move(spec)));
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
    if (running.plan.placement == kProcess && !sense::publish::needs_platform(part.mixin)) {
      out.push_back(nullptr);  // the process has it
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

void Sensors::push(Running& running, const ingest::SensorValue& value, Time now) {
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
      heard = {value.time, value.value, {}};
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

std::optional<Sensors::Sight> Sensors::sight(const TenantId& tenant, const occi::Entity& entity) const {
  const bool sensor = entity.kind == occi::kSensor;
  if (!sensor && entity.kind != occi::kCollector) return std::nullopt;
  const std::lock_guard lock(mutex_);
  const auto found = tenants_.find(tenant);
  if (found == tenants_.end()) return Sight{"inactive", "it does not run yet"};
  return sensor ? sensor_sight(found->second, entity.id) : collector_sight(tenant, found->second, entity.id);
}

Sensors::Sight Sensors::sensor_sight(const Tenant& tenant, const std::string& id) const {
  if (const auto at = tenant.waiting.find(id); at != tenant.waiting.end()) return {"inactive", at->second};
  const auto at = tenant.sensors.find(id);
  if (at == tenant.sensors.end()) return {"inactive", "it does not run yet"};
  auto& running = *at->second;
  const std::lock_guard lock(running.mutex);
  auto problems = running.problems;
  for (const auto& [publisher, problem] : running.failures)
    problems.push_back(publisher.empty() ? problem : fmt::format("{}: {}", publisher, problem));
  if (!problems.empty()) return {"error", fmt::format("{}", fmt::join(problems, "; "))};
  if (running.plan.streams.empty()) return {"active", "it runs, and no collector measures for it"};
  if (running.last == kMinTime) return {"active", "it runs; no value has come yet"};
  return {"active", fmt::format("{} values have come, the last of {}", running.values, format_rfc3339(running.last))};
}

std::optional<api::SensorFlow> Sensors::flow(const TenantId& tenant, const std::string& sensor) const {
  const std::lock_guard lock(mutex_);
  const auto found = tenants_.find(tenant);
  if (found == tenants_.end() || !found->second.sensors.contains(sensor)) return std::nullopt;
  auto [state, message] = sensor_sight(found->second, sensor);
  api::SensorFlow out{.state = std::move(state), .message = std::move(message)};
  auto& running = *found->second.sensors.find(sensor)->second;
  const std::lock_guard look(running.mutex);
  out.values = running.values;
  out.given = running.given;
  out.problems = running.failures;
  for (const auto& [key, stream] : running.plan.streams) {
    if (out.collected.size() == api::kMostCollected) break;
    const auto cut = key.rfind('/');
    api::SensorFlow::Collected one{key.substr(0, cut), key.substr(cut + 1), stream, std::nullopt, {}};
    if (const auto heard = running.heard.find(key); heard != running.heard.end()) {
      one.problem = heard->second.problem;
      if (heard->second.at != kMinTime) one.value = {heard->second.at, heard->second.value, std::nullopt};
    }
    out.collected.push_back(std::move(one));
  }
  return out;
}

Sensors::Sight Sensors::collector_sight(const TenantId& id, const Tenant& tenant, const std::string& collector) const {
  if (const auto at = tenant.idle.find(collector); at != tenant.idle.end()) return {"inactive", at->second};
  const auto order = tenant.ordered.find(collector);
  const auto at = tenant.by_collector.find(collector);
  if (order == tenant.ordered.end() || at == tenant.by_collector.end()) return {"inactive", "it does not run yet"};
  const auto& [host, place] = order->second;
  const auto& orders = tenant.hosts.find(host)->second;
  if (place >= orders.list.size() - orders.left_out)
    return {"error", fmt::format("the agent of {} takes no more orders: remove some", host)};
  if (tenant.old_agents.contains(host))
    return {"error", fmt::format("the agent of {} is from before sensors: install this version's there", host)};
  auto& running = *at->second;
  std::vector<std::string> problems, said;
  {
    const std::lock_guard lock(running.mutex);
    for (auto heard = running.heard.lower_bound(collector + "/");
         heard != running.heard.end() && heard->first.starts_with(collector + "/"); ++heard) {
      const auto metric = heard->first.substr(collector.size() + 1);
      if (!heard->second.problem.empty())
        problems.push_back(fmt::format("{}: {}", metric, heard->second.problem));
      else
        said.push_back(fmt::format("{} was {} at {}", metric, heard->second.value, format_rfc3339(heard->second.at)));
    }
  }
  if (!problems.empty()) return {"error", fmt::format("{}", fmt::join(problems, "; "))};
  const bool connected = with_.is_connected(id, host);
  if (connected && said.empty())
    return {"inactive", fmt::format("the agent of {} was told; no value has come yet", host)};
  if (!connected) said.insert(said.begin(), fmt::format("the agent of {} is away", host));
  return {connected ? "active" : "inactive", fmt::format("{}", fmt::join(said, "; "))};
}

}  // namespace atalaya::app
