// For tests: control loop, alerts, incidents, routing and deliveries on one simulated clock, with the database in
// memory. A test may let the process die at any point.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <any>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "alerts/silence.h"
#include "base/check.h"
#include "control/loop.h"
#include "dispatch/machine.h"
#include "incidents/machine.h"
#include "notify/deliveries.h"
#include "notify/queries.h"

namespace atalaya::dispatch {

struct Dies {};

class World {
 public:
  explicit World(Time begin = from_ms(1'700'000'000'000), const std::vector<std::string>& receivers = {"ops", "dba"})
      : now_(begin) {
    database_ = std::move(*db::open_sqlite(":memory:"));
    auto migrations = control::Loop::migrations();
    for (const auto& more : {alerts::Machine::migrations(), incidents::Machine::migrations(),
                             notify::Outbox::migrations(), Machine::migrations()}) {
      migrations.insert(migrations.end(), more.begin(), more.end());
    }
    AT_CHECK(database_->migrate(migrations));
    std::vector<std::unique_ptr<notify::ChannelType>> types;
    types.push_back(std::make_unique<Type>(*this));
    book_ = std::make_unique<notify::ChannelBook>(std::move(types), std::vector<notify::ChannelPtr>{});
    AT_CHECK(book_->set_channels(default_tenant(), {{"own", "webhook", {}, {}}}).empty());
    std::vector<notify::ChannelConfig> channels;
    for (const auto& name : receivers) channels.push_back({channel_of({name, "webhook", 0}), "webhook", {}, {}});
    AT_CHECK(book_->set_receivers(default_tenant(), channels).empty());
    restart();
  }

  std::vector<std::string> told() { return std::exchange(pages_, {}); }
  const std::vector<std::string>& all_told() const { return all_; }
  struct Told {
    Time at;
    boost::json::object data;
  };
  std::vector<Told> messages;
  std::vector<std::string> repeated;
  std::set<std::string> down;  ///< channels
  std::function<void()> crash;
  int crashes = 0;

  void judge(const std::vector<std::pair<Labels, alerts::Level>>& verdicts) {
    std::vector<alerts::Judgement> batch;
    for (const auto& [labels, level] : verdicts) {
      alerts::Judgement j;
      j.rule = "p/g/" + std::string(labels.get("alertname"));
      j.labels = labels;
      j.level = level;
      j.at = now_;
      j.value = 1;
      batch.push_back(std::move(j));
    }
    judge(std::move(batch));
  }
  void judge(std::vector<alerts::Judgement> batch) {
    batches_.push_back(std::move(batch));
    post(batches_.size());
    pass(Duration{0});
  }
  /// Says it again to a new process, as whoever gets no answer does.
  Status command(const std::any& body) {
    std::optional<Status> answer;
    while (!answer) {
      const auto posted = loop_->post({default_tenant(), body, [&answer](Status s) { answer = std::move(s); }, {}});
      if (!posted) return posted;
      pass(Duration{0});
    }
    return *answer;
  }
  Status configure(std::string_view text) { return command(Configure{std::string(text), "test.yml"}); }
  void silence(const std::string& id, const std::string& instance, Duration lasts) {
    alerts::Silence one;
    one.id = id;
    one.matchers = {*Matcher::make("instance", Matcher::Op::kEqual, instance)};
    one.starts = now_;
    one.ends = now_ + lasts;
    one.origin = "p/" + id;
    EXPECT_TRUE(command(alerts::DeclareSilences{{one}}));
  }
  void clock_jumps_back(Duration by) { now_ -= by; }
  void pass(Duration by) {
    const auto until = now_ + by;
    for (;;) {
      try {
        run_to(until);
        return;
      } catch (const Dies&) {
        ++crashes;
        restart();
      }
    }
  }

  void restart() {
    const notify::OutboxOptions options{.external_url = "http://atalaya"};
    outbox_ = std::make_unique<notify::Outbox>(*book_, options);
    machine_ = std::make_unique<Machine>(*outbox_, options);
    outbox_->report_to(*machine_);
    AT_CHECK(machine_->restore(*database_, now_));
    alerts_ = std::make_unique<alerts::Machine>(machine_.get());
    incidents_ = std::make_unique<incidents::Machine>();
    incidents_->work_for(*alerts_);
    loop_ = std::make_unique<control::Loop>(
        *database_, std::vector<control::Machine*>{alerts_.get(), incidents_.get(), outbox_.get(), machine_.get()},
        control::LoopOptions{}, [this](std::string_view) { point(); });
    loop_->listen<notify::DeliveryQueued>(
        [this](const TenantId&, const notify::DeliveryQueued& queued) { deliveries_->add(queued.delivery); });
    AT_CHECK(loop_->restore());
    deliveries_ = std::make_unique<notify::Deliveries>();
    auto unfinished = notify::Queries(*database_).unfinished();
    AT_CHECK(unfinished);
    for (auto& delivery : *unfinished) deliveries_->add(std::move(delivery));
    for (auto i = loop_->cursor("judge") + 1; i <= batches_.size(); ++i) post(i);
  }

  const Machine& machine() const { return *machine_; }
  Time now() const { return now_; }
  db::Database& database() { return *database_; }

 private:
  class Fake final : public notify::Channel {
   public:
    Fake(World& world, std::string id) : world_(world), info_{std::move(id), "webhook", ""} {}
    const notify::ChannelInfo& info() const override { return info_; }
    notify::AttemptResult send(const notify::Message& message, Time) const override {
      return world_.receive(info_.id, message);
    }

   private:
    World& world_;
    notify::ChannelInfo info_;
  };
  class Type final : public notify::ChannelType {
   public:
    explicit Type(World& world) : world_(world) {}
    const std::string& name() const override { return name_; }
    Result<notify::ChannelPtr> make(const notify::ChannelConfig& config) const override {
      return notify::ChannelPtr(std::make_shared<Fake>(world_, config.id));
    }

   private:
    World& world_;
    std::string name_ = "webhook";
  };

  void point() {
    if (crash) crash();
  }
  void post(std::size_t position) {
    AT_CHECK(loop_->post(
        {default_tenant(), alerts::Judged{batches_[position - 1]}, {}, control::Cursor{"judge", position}}));
  }

  /// `ops firing: disk/a disk/b, resolved cpu/c`.
  notify::AttemptResult receive(const std::string& channel, const notify::Message& message) {
    if (down.contains(channel)) return {.answer = "connection refused"};
    if (!keys_.insert(message.key).second) {
      repeated.push_back(message.key);
      return {.ok = true, .status = 200};
    }
    auto line = std::string(message.data.at("receiver").as_string()) + " " +
                std::string(message.data.at("status").as_string()) + ":";
    for (const auto& alert : message.data.at("alerts").as_array()) {
      const auto& labels = alert.at("labels").as_object();
      const auto text = [&](std::string_view name) {
        const auto* value = labels.if_contains(name);
        return value == nullptr ? std::string("-") : std::string(value->as_string());
      };
      line += (alert.at("status").as_string() == "resolved" ? " -" : " ") + text("alertname") + "/" + text("instance");
    }
    messages.push_back({now_, message.data});
    all_.push_back(fmt::format("{} {} {}", to_ms(now_), message.key, line));
    pages_.push_back(std::move(line));
    return {.ok = true, .status = 200, .answer = "ok"};
  }

  void run_to(Time until) {
    for (;;) {
      settle();
      auto next = loop_->next_due();
      if (const auto due = deliveries_->next_due(); due && (!next || *due < *next)) next = due;
      if (!next || *next > until) break;
      now_ = std::max(now_, *next);
    }
    now_ = std::max(now_, until);
  }

  bool is_due(const std::optional<Time>& time) const { return time && *time <= now_; }

  void settle() {
    for (bool busy = true; busy;) {
      busy = false;
      for (bool more = true; more && (!loop_->idle() || is_due(loop_->next_due()));) {
        const auto stepped = loop_->step(now_);
        AT_CHECK(stepped);
        more = stepped->more;
        busy = true;
      }
      while (const auto delivery = deliveries_->take(now_)) {
        attempt(*delivery);
        busy = true;
      }
    }
  }

  void attempt(const notify::Delivery& delivery) {
    point();
    notify::Message message;
    message.key = delivery.key;
    message.data = boost::json::parse(delivery.payload).as_object();
    notify::AttemptResult result{.permanent = true, .answer = "too late"};
    if (!delivery.deadline || now_ < *delivery.deadline) {
      result = book_->find(delivery.tenant, delivery.channel)->send(message, now_);
    }
    point();
    const auto decision = deliveries_->finish(delivery.tenant, delivery.key, result, now_);
    AT_CHECK(loop_->post({delivery.tenant,
                          notify::AttemptFinished{delivery.key,
                                                  {.number = decision.attempt, .at = now_, .ok = result.ok},
                                                  decision.state,
                                                  decision.next_attempt},
                          {},
                          {}}));
    point();
  }

  Time now_;
  std::unique_ptr<db::Database> database_;
  std::unique_ptr<notify::ChannelBook> book_;
  std::unique_ptr<notify::Outbox> outbox_;
  std::unique_ptr<Machine> machine_;
  std::unique_ptr<alerts::Machine> alerts_;
  std::unique_ptr<incidents::Machine> incidents_;
  std::unique_ptr<control::Loop> loop_;
  std::unique_ptr<notify::Deliveries> deliveries_;
  std::vector<std::vector<alerts::Judgement>> batches_;
  std::set<std::string> keys_;
  std::vector<std::string> pages_;
  std::vector<std::string> all_;
};

}  // namespace atalaya::dispatch
