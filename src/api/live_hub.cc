#include "api/live_hub.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "api/json.h"
#include "api/parameters.h"

namespace atalaya::api {
namespace {

constexpr std::size_t kMaxQueued = 1024;
constexpr std::size_t kMaxSubscriptions = 500;
constexpr std::size_t kMaxLogsPerMessage = 500;

std::string quoted(std::string_view text) { return json::serialize(json::string(text)); }

bool holds_text(std::string_view line, std::string_view wanted) {
  const auto same = [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
  };
  return std::search(line.begin(), line.end(), wanted.begin(), wanted.end(), same) != line.end();
}

std::string text_of(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string();
}

}  // namespace

LiveHub::LiveHub(const storage::SeriesQuerier& series, const Clock& clock, telemetry::Registry& metrics,
                 Duration lookback)
    : queries_(series),
      clock_(clock),
      lookback_(lookback),
      dropped_(
          metrics.counter("atalaya_live_dropped_total", "Batches that live views skipped because they were behind")),
      open_(metrics.gauge("atalaya_live_sockets", "Open live sockets")) {}

LiveHub::~LiveHub() { stop(); }

void LiveHub::start() {
  thread_ = std::thread([this] { run(); });
}

void LiveHub::stop() {
  {
    std::lock_guard lock(queue_mutex_);
    stopping_ = true;
  }
  queue_changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void LiveHub::run() {
  std::unique_lock lock(queue_mutex_);
  bool waiting = false;  // a marked query pauses
  while (!stopping_) {
    if (waiting) {
      queue_changed_.wait_for(lock, LiveQueries::kPause / 4, [&] { return stopping_ || !queue_.empty(); });
    } else {
      queue_changed_.wait(lock, [&] { return stopping_ || !queue_.empty(); });
    }
    auto batches = std::exchange(queue_, {});
    lock.unlock();
    for (const auto& arrival : batches) {
      if (!arrival.series.empty()) queries_.touch(arrival.tenant, arrival.series, arrival.newest);
      if (!arrival.logs.empty()) fan_out_logs(arrival);
    }
    waiting = queries_.evaluate(clock_.steady());
    lock.lock();
  }
}

void LiveHub::on_samples(const storage::CommittedSamples& committed) {
  if (queries_.size() == 0) return;
  Arrival arrival;
  arrival.tenant = committed.tenant;
  arrival.series.reserve(committed.samples.size());
  for (const auto& sample : committed.samples) {
    arrival.series.push_back(sample.series);
    arrival.newest = std::max(arrival.newest, sample.time);
  }
  enqueue(std::move(arrival));
}

void LiveHub::on_logs(const storage::CommittedLogs& committed) {
  if (log_views_ == 0) return;
  Arrival arrival;
  arrival.tenant = committed.tenant;
  arrival.logs.assign(committed.records.begin(), committed.records.end());
  enqueue(std::move(arrival));
}

void LiveHub::enqueue(Arrival arrival) {
  {
    std::lock_guard lock(queue_mutex_);
    if (queue_.size() >= kMaxQueued) {
      queue_.pop_front();
      dropped_.add();
    }
    queue_.push_back(std::move(arrival));
  }
  queue_changed_.notify_one();
}

std::vector<std::shared_ptr<LiveHub::Session>> LiveHub::sessions_of(const TenantId& tenant) {
  std::lock_guard lock(sessions_mutex_);
  std::vector<std::shared_ptr<Session>> found;
  for (const auto& [number, session] : sessions_) {
    if (session->who.tenant == tenant) found.push_back(session);
  }
  return found;
}

void LiveHub::fan_out_logs(const Arrival& arrival) {
  for (const auto& session : sessions_of(arrival.tenant)) {
    std::map<std::string, LogFilter> filters;
    {
      std::lock_guard lock(sessions_mutex_);
      filters = session->logs;
    }
    for (const auto& [id, filter] : filters) {
      json::array logs;
      for (const auto& record : arrival.logs) {
        if (logs.size() == kMaxLogsPerMessage) break;
        if (!matches(filter.matchers, record.labels) || !holds_text(record.line, filter.text)) continue;
        logs.push_back(
            json::object{{"time", rfc3339(record.time)}, {"labels", to_json(record.labels)}, {"line", record.line}});
      }
      if (logs.empty()) continue;
      session->socket->send(json::serialize(json::object{{"type", "data"}, {"id", id}, {"logs", std::move(logs)}}));
    }
  }
}

std::size_t LiveHub::publish(const TenantId& tenant, const std::string& topic, const std::string& field,
                             const std::string& json) {
  std::size_t reached = 0;
  for (const auto& session : sessions_of(tenant)) {
    std::vector<std::string> ids;
    {
      std::lock_guard lock(sessions_mutex_);
      for (const auto& [id, wanted] : session->topics) {
        if (wanted == topic) ids.push_back(id);
      }
    }
    bool sent = false;
    for (const auto& id : ids) {
      sent |= session->socket->send(fmt::format(R"({{"type":"data","id":{},{}:{}}})", quoted(id), quoted(field), json));
    }
    reached += sent;
  }
  return reached;
}

bool LiveHub::has_listeners(const TenantId& tenant, const std::string& topic) {
  std::lock_guard lock(sessions_mutex_);
  return std::ranges::any_of(sessions_, [&](const auto& numbered) {
    const auto& session = *numbered.second;
    return session.who.tenant == tenant &&
           std::ranges::any_of(session.topics, [&](const auto& wanted) { return wanted.second == topic; });
  });
}

net::WebSocketEvents LiveHub::open(const auth::Principal& who, std::shared_ptr<net::WebSocket> socket) {
  auto session = std::make_shared<Session>();
  session->who = who;
  session->socket = std::move(socket);
  {
    std::lock_guard lock(sessions_mutex_);
    session->number = next_number_++;
    sessions_.emplace(session->number, session);
    open_.set(static_cast<double>(sessions_.size()));
  }
  return {[this, session](std::string text, bool) { message(session, text); }, [this, session] { closed(session); }};
}

void LiveHub::recheck(const std::function<Status(const auth::Principal&)>& still_valid) {
  std::vector<std::shared_ptr<Session>> all;
  {
    std::lock_guard lock(sessions_mutex_);
    for (const auto& [number, session] : sessions_) all.push_back(session);
  }
  for (const auto& session : all) {
    if (const auto valid = still_valid(session->who); !valid) session->socket->close(1008, valid.error().message);
  }
}

void LiveHub::message(const std::shared_ptr<Session>& session, const std::string& text) {
  json::error_code error;
  const auto value = json::parse(text, error);
  const auto* object = error ? nullptr : value.if_object();
  const auto id = object == nullptr ? "" : text_of(*object, "id");
  if (id.empty() || id.size() > 128) {
    session->socket->send(R"({"type":"error","id":"","error":"a message is a JSON object with \"type\" and \"id\""})");
    return;
  }
  const auto type = text_of(*object, "type");
  if (type == "unsubscribe") return unsubscribe(session, id);
  Status status = fail(ErrorCode::kInvalidArgument, "\"type\" must be subscribe or unsubscribe");
  if (type == "subscribe") {
    unsubscribe(session, id);
    status = subscribe(session, id, text);
  }
  session->socket->send(
      status ? fmt::format(R"({{"type":"ready","id":{}}})", quoted(id))
             : fmt::format(R"({{"type":"error","id":{},"error":{}}})", quoted(id), quoted(to_string(status.error()))));
}

Status LiveHub::subscribe(const std::shared_ptr<Session>& session, const std::string& id, const std::string& text) {
  const auto request = json::parse(text).as_object();
  const auto topic = text_of(request, "topic");
  {
    std::lock_guard lock(sessions_mutex_);
    if (session->topics.size() + session->logs.size() + session->queries >= kMaxSubscriptions) {
      return fail(ErrorCode::kResourceExhausted, "too many subscriptions on one socket");
    }
  }
  if (topic == "query") {
    auto lookback = lookback_;
    if (const auto wanted = text_of(request, "lookback_delta"); !wanted.empty()) {
      AT_TRY(lookback, parse_duration(wanted));
    }
    auto socket = session->socket;
    AT_TRY(queries_.subscribe(session->who.tenant, text_of(request, "query"), lookback,
                              {session->number, id, [socket, id](Time at, const std::string& result) {
                                 socket->send(fmt::format(R"({{"type":"data","id":{},"time":{:.3f},"result":{}}})",
                                                          quoted(id), to_seconds(at), result));
                               }}));
    std::lock_guard lock(sessions_mutex_);
    ++session->queries;
    return {};
  }
  if (topic == "logs") {
    AT_TRY(auto matchers, match_parameter(text_of(request, "match")));
    std::lock_guard lock(sessions_mutex_);
    session->logs[id] = {std::move(matchers), text_of(request, "text")};
    ++log_views_;
    return {};
  }
  constexpr std::array<std::string_view, 8> kTopics{"alerts", "incidents",     "silences", "routes",
                                                    "hosts",  "notifications", "packages", "items"};
  if (std::ranges::find(kTopics, topic) == kTopics.end()) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("\"topic\" must be query, logs, {}", fmt::join(kTopics, ", ")));
  }
  std::lock_guard lock(sessions_mutex_);
  session->topics[id] = topic;
  return {};
}

void LiveHub::unsubscribe(const std::shared_ptr<Session>& session, const std::string& id) {
  {
    std::lock_guard lock(sessions_mutex_);
    if (session->topics.erase(id) > 0) return;
    if (session->logs.erase(id) > 0) {
      --log_views_;
      return;
    }
  }
  const auto gone = queries_.unsubscribe(session->number, id);
  std::lock_guard lock(sessions_mutex_);
  session->queries -= std::min(session->queries, gone);
}

void LiveHub::closed(const std::shared_ptr<Session>& session) {
  queries_.drop(session->number);
  std::lock_guard lock(sessions_mutex_);
  log_views_ -= session->logs.size();
  session->logs.clear();
  sessions_.erase(session->number);
  open_.set(static_cast<double>(sessions_.size()));
}

}  // namespace atalaya::api
