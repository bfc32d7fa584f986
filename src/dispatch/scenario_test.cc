// Control loop, alerts, routing and deliveries on one simulated clock, with the database in memory: what people are
// told, and that it is the same wherever the process dies.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "alerts/silence.h"
#include "base/check.h"
#include "control/loop.h"
#include "dispatch/machine.h"
#include "notify/deliveries.h"
#include "notify/queries.h"

namespace atalaya::dispatch {
namespace {

using alerts::Level;
using notify::AttemptResult;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

struct Dies {};

constexpr std::string_view kRoutes = R"(
route:
  receiver: ops
  group_by: [cluster]
  group_wait: 10s
  group_interval: 1m
  repeat_interval: 4h
  routes:
  - matchers: [team="dba"]
    receiver: dba
    group_wait: 0s
receivers:
- name: ops
  webhook_configs: [{url: 'http://ops'}]
- name: dba
  webhook_configs: [{url: 'http://dba', send_resolved: false}]
inhibit_rules:
- source_matchers: [alertname="cluster_down"]
  target_matchers: [alertname="disk"]
  equal: [cluster]
)";

class World {
 public:
  World() {
    database_ = std::move(*db::open_sqlite(":memory:"));
    auto migrations = control::Loop::migrations();
    for (const auto& more : {alerts::Machine::migrations(), notify::Outbox::migrations(), Machine::migrations()}) {
      migrations.insert(migrations.end(), more.begin(), more.end());
    }
    AT_CHECK(database_->migrate(migrations));
    std::vector<std::unique_ptr<notify::ChannelType>> types;
    types.push_back(std::make_unique<Type>(*this));
    book_ = std::make_unique<notify::ChannelBook>(std::move(types), std::vector<notify::ChannelPtr>{});
    AT_CHECK(book_->set_channels(default_tenant(), {{"own", "webhook", {}, {}}}).empty());
    AT_CHECK(book_
                 ->set_receivers(default_tenant(), {{channel_of({"ops", "webhook", 0}), "webhook", {}, {}},
                                                    {channel_of({"dba", "webhook", 0}), "webhook", {}, {}}})
                 .empty());
    restart();
  }

  std::vector<std::string> told() { return std::exchange(pages_, {}); }
  const std::vector<std::string>& all_told() const { return all_; }
  std::vector<std::string> repeated;
  std::set<std::string> down;  ///< channels
  std::function<void()> crash;
  int crashes = 0;

  void judge(const std::vector<std::pair<Labels, Level>>& verdicts) {
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
    loop_ = std::make_unique<control::Loop>(
        *database_, std::vector<control::Machine*>{alerts_.get(), outbox_.get(), machine_.get()},
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
    AttemptResult send(const notify::Message& message, Time) const override {
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
  AttemptResult receive(const std::string& channel, const notify::Message& message) {
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
    AttemptResult result{.permanent = true, .answer = "too late"};
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

  Time now_ = from_ms(1'700'000'000'000);
  std::unique_ptr<db::Database> database_;
  std::unique_ptr<notify::ChannelBook> book_;
  std::unique_ptr<notify::Outbox> outbox_;
  std::unique_ptr<Machine> machine_;
  std::unique_ptr<alerts::Machine> alerts_;
  std::unique_ptr<control::Loop> loop_;
  std::unique_ptr<notify::Deliveries> deliveries_;
  std::vector<std::vector<alerts::Judgement>> batches_;
  std::set<std::string> keys_;
  std::vector<std::string> pages_;
  std::vector<std::string> all_;
};

Labels alert(const std::string& name, const std::string& instance, const std::string& team = "web") {
  return Labels{{"alertname", name}, {"instance", instance}, {"cluster", "c1"}, {"team", team}};
}

TEST(Dispatch, ManyAlertsOfAGroupAreOnePageAndTheirEndIsTold) {
  World world;
  ASSERT_TRUE(world.configure(kRoutes));
  world.judge({{alert("disk", "a"), Level::kCritical}, {alert("disk", "b"), Level::kCritical}});
  world.pass(seconds(5));
  world.judge({{alert("cpu", "a"), Level::kWarning}});
  EXPECT_THAT(world.told(), IsEmpty());
  world.pass(seconds(5));
  EXPECT_THAT(world.told(), ElementsAre("ops firing: cpu/a disk/a disk/b"));
  world.judge({{alert("disk", "a"), Level::kOk}});
  world.pass(minutes(1));
  EXPECT_THAT(world.told(), ElementsAre("ops firing: cpu/a -disk/a disk/b"));
  world.judge({{alert("disk", "b"), Level::kOk}, {alert("cpu", "a"), Level::kOk}});
  world.pass(minutes(1));
  EXPECT_THAT(world.told(), ElementsAre("ops resolved: -cpu/a -disk/b"));
  world.pass(hours(9));
  EXPECT_THAT(world.told(), IsEmpty());
}

TEST(Dispatch, AGroupWaitOfZeroTellsInTheSameStep) {
  World world;
  ASSERT_TRUE(world.configure(kRoutes));
  world.judge({{alert("slow", "a", "dba"), Level::kCritical}, {alert("slow", "b", "dba"), Level::kCritical}});
  EXPECT_THAT(world.told(), ElementsAre("dba firing: slow/a slow/b"));
  world.pass(hours(4) + minutes(1));
  EXPECT_THAT(world.told(), ElementsAre("dba firing: slow/a slow/b"));
}

TEST(Dispatch, ASilenceHidesAndItsEndTells) {
  World world;
  ASSERT_TRUE(world.configure(kRoutes));
  world.silence("s1", "a", minutes(10));
  world.judge({{alert("disk", "a"), Level::kCritical}});
  world.pass(minutes(9));
  EXPECT_THAT(world.told(), IsEmpty());
  world.pass(minutes(3));
  EXPECT_THAT(world.told(), ElementsAre("ops firing: disk/a"));
}

TEST(Dispatch, AShelvedAlertIsQuietAndNoOther) {
  World world;
  ASSERT_TRUE(world.configure(kRoutes));
  world.judge({{alert("disk", "a"), Level::kCritical}});
  const auto id = alerts::identity(default_tenant(), "p/g/disk", alert("disk", "a"));
  ASSERT_TRUE(world.command(alerts::Shelve{id, "ana", "", world.now() + minutes(30)}));
  world.judge({{alert("disk", "b"), Level::kCritical}});
  world.pass(minutes(29));
  EXPECT_THAT(world.told(), ElementsAre("ops firing: disk/b"));
  world.pass(minutes(3));
  EXPECT_THAT(world.told(), ElementsAre("ops firing: disk/a disk/b"));
}

TEST(Dispatch, AnInhibitedAlertIsNotTold) {
  World world;
  ASSERT_TRUE(world.configure(kRoutes));
  world.judge({{alert("cluster_down", "x"), Level::kCritical}, {alert("disk", "a"), Level::kCritical}});
  world.pass(minutes(1));
  EXPECT_THAT(world.told(), ElementsAre("ops firing: cluster_down/x"));
  EXPECT_EQ(world.machine().mutes(default_tenant(), alert("disk", "a"), world.now()).inhibited_by.size(), 1U);
  world.judge({{alert("cluster_down", "x"), Level::kOk}});
  world.pass(minutes(3));
  EXPECT_THAT(world.told(), ElementsAre("ops firing: disk/a -cluster_down/x"));
}

TEST(Dispatch, AnotherConfigurationTellsNothingTwice) {
  World world;
  ASSERT_TRUE(world.configure(kRoutes));
  world.judge({{alert("disk", "a"), Level::kCritical}});
  world.pass(minutes(1));
  EXPECT_EQ(world.told().size(), 1U);
  auto other = std::string(kRoutes);
  other.replace(other.find("repeat_interval: 4h"), 19, "repeat_interval: 5h");
  ASSERT_TRUE(world.configure(other));
  world.pass(minutes(10));
  EXPECT_THAT(world.told(), IsEmpty());
  EXPECT_FALSE(world.configure("route: {receiver: nobody}\nreceivers: []\n"));
  EXPECT_EQ(world.machine().configuration(default_tenant()), other);
}

TEST(Dispatch, WithoutAConfigurationEveryChannelHearsAtOnceAndGoesOnWhenOneGoes) {
  World world;
  world.judge({{alert("disk", "a"), Level::kCritical}});
  EXPECT_THAT(world.told(), ElementsAre("own firing: disk/a"));
  ASSERT_TRUE(world.configure(kRoutes));
  world.pass(minutes(1));
  EXPECT_THAT(world.told(), ElementsAre("ops firing: disk/a"));
  ASSERT_TRUE(world.configure(""));
  world.judge({{alert("disk", "a"), Level::kOk}});
  world.pass(minutes(10));
  EXPECT_THAT(world.told(), ElementsAre("own resolved: -disk/a"));
}

TEST(Dispatch, WhatIsNotDeliveredIsToldAtTheNextFlushUnderAnotherKey) {
  World world;
  ASSERT_TRUE(world.configure(kRoutes));
  world.down.insert(channel_of({"ops", "webhook", 0}));
  world.judge({{alert("disk", "a"), Level::kCritical}});
  world.pass(minutes(5));
  EXPECT_THAT(world.told(), IsEmpty());
  world.down.clear();
  world.pass(minutes(2));
  EXPECT_THAT(world.told(), ElementsAre("ops firing: disk/a"));
  EXPECT_THAT(world.repeated, IsEmpty());
}

TEST(Dispatch, ARefusedEventLeavesTheMachineAsItsRowsAre) {
  World world;
  ASSERT_TRUE(world.configure(kRoutes));
  world.judge({{alert("disk", "a"), Level::kCritical}});
  EXPECT_FALSE(world.command(alerts::Acknowledge{AlertId{"nobody"}, "ana", "", {}}));
  EXPECT_FALSE(world.configure("route: ["));
  world.pass(minutes(1));
  EXPECT_THAT(world.told(), ElementsAre("ops firing: disk/a"));
}

/// A little of everything.
void story(World& world) {
  EXPECT_TRUE(world.configure(kRoutes));
  world.judge({{alert("disk", "a"), Level::kCritical}, {alert("slow", "q", "dba"), Level::kCritical}});
  world.pass(seconds(3));
  world.judge({{alert("disk", "b"), Level::kCritical}});
  world.pass(seconds(20));
  world.silence("s1", "a", minutes(2));
  world.judge({{alert("disk", "c"), Level::kWarning}});
  world.pass(minutes(1));
  world.judge({{alert("disk", "b"), Level::kOk}, {alert("cluster_down", "x"), Level::kCritical}});
  world.pass(minutes(4));
  world.judge({{alert("cluster_down", "x"), Level::kOk}, {alert("disk", "c"), Level::kCritical}});
  auto other = std::string(kRoutes);
  other.replace(other.find("group_interval: 1m"), 18, "group_interval: 2m");
  EXPECT_TRUE(world.configure(other));
  world.pass(minutes(5));
  world.judge(
      {{alert("disk", "a"), Level::kOk}, {alert("disk", "c"), Level::kOk}, {alert("slow", "q", "dba"), Level::kOk}});
  world.pass(hours(1));
}

TEST(Dispatch, WhereverTheProcessDiesTheSameIsToldOnce) {
  World whole;
  int points = 0;
  whole.crash = [&] { ++points; };
  story(whole);
  ASSERT_GT(whole.all_told().size(), 5U);
  ASSERT_GT(points, 100);
  for (int die_at = 1; die_at <= points; ++die_at) {
    World world;
    int seen = 0;
    world.crash = [&] {
      if (++seen == die_at) throw Dies{};
    };
    story(world);
    ASSERT_EQ(world.crashes, 1) << die_at;
    ASSERT_EQ(world.all_told(), whole.all_told()) << "dies at point " << die_at << " of " << points;
  }
}

}  // namespace
}  // namespace atalaya::dispatch
