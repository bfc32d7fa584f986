// One event of a tenant's routing: what it changes, and what is to be told by it.
#include <fmt/format.h>

#include <algorithm>

#include "alerts/rows.h"
#include "dispatch/tenant.h"
#include "notify/payload.h"

namespace atalaya::dispatch {
namespace {

constexpr std::string_view kNext = "next";
/// In one message; how many there are beside them it says.
constexpr std::size_t kMostAlerts = 500;

std::string_view words_of(routing::Reason reason, bool firing) {
  switch (reason) {
    case routing::Reason::kFirst: return "first notification";
    case routing::Reason::kChanged: return "new alerts added";
    case routing::Reason::kResolved: return firing ? "some alerts resolved" : "all alerts resolved";
    case routing::Reason::kRepeated: return "repeat interval elapsed";
  }
  return "";
}

std::size_t most_alerts(const routing::Integration& integration) {
  const auto* given = integration.settings.get("max_alerts");
  const auto count = given == nullptr ? 0 : std::strtoull(given->scalar.c_str(), nullptr, 10);
  return count == 0 ? kMostAlerts : std::min<std::size_t>(count, kMostAlerts);
}

}  // namespace

Result<std::vector<routing::Silence>> Machine::Step::silences() {
  AT_TRY(auto out, load_routing_silences(session_, id_));
  for (const auto& [alert, silence] : tenant_.shelved) out.push_back(silence);
  for (const auto& [alert, silence] : tenant_.withheld) out.push_back(silence);
  return out;
}

Status Machine::Step::configure(const Configure& configure) {
  if (configure.text.empty()) return stop();
  if (tenant_.config && tenant_.stored.text == configure.text) return {};
  config::Errors errors, warnings;
  const auto config = routing::read_config_text(configure.text, configure.file, errors, warnings);
  if (!config) return std::unexpected(errors.front());
  machine_.touch(id_);
  StoredConfiguration stored{configure.text, configure.file};
  AT_TRY(store_configuration(session_, id_, stored));
  effects_.publish(ConfigurationChanged{});
  if (!tenant_.config) return start(std::move(stored), acting(config));
  tenant_.stored = std::move(stored);
  tenant_.config = acting(config);
  return store(tenant_.machine->reload(tenant_.config, now_));
}

/// What fires already is told by the routes as if it had begun now.
Status Machine::Step::start(StoredConfiguration stored, routing::ConfigPtr config) {
  routing::State state;
  AT_TRY(state.flushes, load_flushes(session_, id_));
  tenant_.stored = std::move(stored);
  tenant_.config = std::move(config);
  tenant_.machine = routing::Machine::load(tenant_.config, state, {});
  tenant_.silences_differ = true;
  AT_TRY(const auto alerts, load_open_alerts(session_, id_));
  for (const auto& alert : alerts) tenant_.note(alert, now_);
  return act();
}

Status Machine::Step::stop() {
  if (!tenant_.config) return {};
  machine_.touch(id_);
  AT_TRY(erase_all(session_, id_));
  effects_.publish(ConfigurationChanged{});
  AT_TRY(effects_.cancel_timer(kNext));
  tenant_ = {};
  return {};
}

Status Machine::Step::act() {
  std::vector<routing::Notification> out;
  if (std::exchange(tenant_.silences_differ, false)) {
    AT_TRY(auto all, silences());
    out = tenant_.machine->set_silences(std::move(all), now_);
  }
  tenant_.gathered_at.clear();
  if (const auto gathered = std::exchange(tenant_.gathered, {}); !gathered.empty()) {
    auto more = tenant_.machine->take(gathered, now_);
    std::move(more.begin(), more.end(), std::back_inserter(out));
  }
  return store(std::move(out));
}

Status Machine::Step::advance() { return store(tenant_.machine->advance(now_)); }

Status Machine::Step::answered(const routing::NotificationKey& key, bool sent) {
  return store(sent ? tenant_.machine->delivered(key, now_) : tenant_.machine->failed(key, now_));
}

Status Machine::Step::store(std::vector<routing::Notification> notifications) {
  const auto changes = tenant_.machine->take_changes();
  const auto id_of = [&](const Labels& labels) { return tenant_.id_of(labels); };
  AT_TRY(tenant_.changes.store(session_, id_, changes, *tenant_.machine, id_of));
  AT_TRY(store_log(session_, id_, changes));
  for (const auto& notification : notifications) AT_TRY(deliver(notification));
  for (const auto& labels : changes.gone_alerts) {
    const auto behind = tenant_.behind.find(labels);
    if (behind != tenant_.behind.end() && behind->second.open.empty()) tenant_.behind.erase(behind);
  }
  return set_timer();
}

Status Machine::Step::set_timer() {
  const auto due = tenant_.machine->next_due();
  if (tenant_.timer_known && due == tenant_.timer) return {};
  tenant_.timer = due;
  tenant_.timer_known = true;
  if (!due) return effects_.cancel_timer(kNext);
  return effects_.set_timer(kNext, *due);
}

Result<alerts::Alert> Machine::Step::alert_behind(const Labels& labels) {
  const auto id = tenant_.id_of(labels);
  if (const auto known = read_.find(id); known != read_.end()) return known->second;
  AT_TRY(auto stored, alerts::load_alert(session_, id_, id));
  return read_.emplace(id, stored ? std::move(stored->alert) : alerts::Alert{}).first->second;
}

Status Machine::Step::deliver(const routing::Notification& told) {
  const auto& target = told.key.target;
  const auto& integrations = tenant_.config->receivers.at(target.receiver).integrations;
  const auto integration = std::ranges::find_if(
      integrations, [&](const auto& one) { return one.type == target.type && one.index == target.index; });
  const auto most = integration == integrations.end() ? kMostAlerts : most_alerts(*integration);
  notify::GroupNews news;
  news.receiver = target.receiver;
  news.key = told.key.group;
  news.labels = told.group_labels;
  news.reason = words_of(told.reason, told.firing());
  news.left_out = told.alerts.size() - std::min(most, told.alerts.size());
  std::vector<AlertId> ids;
  for (std::size_t i = 0; i < std::min(most, told.alerts.size()); ++i) {
    const auto& one = told.alerts[i];
    AT_TRY(auto alert, alert_behind(one.alert.labels));
    if (!alert.id.value().empty()) ids.push_back(alert.id);
    news.alerts.push_back({std::move(alert), one.labels, one.firing, one.alert.starts_at, one.alert.ends_at});
  }
  notify::Delivery delivery;
  delivery.tenant = id_;
  delivery.key = to_string(told.key);
  if (!ids.empty()) delivery.alert = ids.front();
  const auto name = told.group_labels.get("alertname");
  delivery.alert_name = name.empty() ? std::string(told.alerts.front().labels.get("alertname")) : std::string(name);
  delivery.change = told.firing() ? "firing" : "resolved";
  delivery.channel = channel_of(target);
  delivery.type = target.type;
  delivery.created = now_;
  delivery.next_attempt = now_;
  delivery.deadline = told.deadline;
  delivery.thread = target.receiver + ":" + told.key.group;
  delivery.first_of_thread = told.reason == routing::Reason::kFirst;
  delivery.payload = boost::json::serialize(
      notify::make_group_payload(news, machine_.options_.external_url, machine_.options_.external_labels));
  tenant_.awaited.insert_or_assign(delivery.key, told.key);
  auto outbox = effects_.of(machine_.outbox_.name());
  return machine_.outbox_.queue(std::move(delivery), ids, session_, outbox);
}

}  // namespace atalaya::dispatch
