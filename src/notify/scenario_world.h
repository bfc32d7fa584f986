// Judge, control loop, alerts and notifications on one simulated clock, for tests. The database
// survives a crash; everything else is thrown away and made again, as a new process would.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "alerts/machine.h"
#include "alerts/queries.h"
#include "base/check.h"
#include "control/loop.h"
#include "notify/channel.h"
#include "notify/deliveries.h"
#include "notify/outbox.h"
#include "notify/queries.h"

namespace atalaya::notify::scenario {

/// Thrown by a crash point.
struct Dies {};

/// What a channel's peer got. A peer knows a repetition by its key.
struct Page {
  std::string channel;
  std::string key;
  std::string change;
  std::string alert;
  std::string severity;
  bool late = false;
};

enum class Peer { kUp, kDown, kRefuses };

/// Thread-compatible.
class World {
 public:
  explicit World(const std::vector<std::string>& channels, Time start) : now_(start) {
    database_ = std::move(*db::open_sqlite(":memory:"));
    auto migrations = control::Loop::migrations();
    for (const auto& more : {alerts::Machine::migrations(), Outbox::migrations()}) {
      migrations.insert(migrations.end(), more.begin(), more.end());
    }
    AT_CHECK(database_->migrate(migrations));
    std::vector<std::unique_ptr<ChannelType>> types;
    types.push_back(std::make_unique<Type>(*this));
    book_ = std::make_unique<ChannelBook>(std::move(types), std::vector<ChannelPtr>{});
    std::vector<ChannelConfig> configs;
    for (const auto& id : channels) configs.push_back({id, "fake", {}, {}});
    AT_CHECK(book_->set_channels(default_tenant(), configs).empty());
    restart();
  }

  Time now() const { return now_; }
  db::Database& database() { return *database_; }
  std::vector<Page> pages;            ///< first arrivals, in order
  std::vector<std::string> repeated;  ///< keys that came again
  std::map<std::string, Peer> peers;
  /// Called at every crash point of the loop and around each attempt.
  std::function<void(std::string_view)> crash;
  int crashes = 0;

  /// One batch of a store's log: judged, and judged again after a crash.
  void judge(std::vector<alerts::Judgement> judgements) {
    batches_.push_back(std::move(judgements));
    post(batches_.size());
    advance_to(now_);
  }

  Status command(std::any body) {
    Status answer = fail(ErrorCode::kInternal, "no answer");
    const auto posted =
        loop_->post({default_tenant(), std::move(body), [&answer](Status s) { answer = std::move(s); }, {}});
    if (!posted) return posted;
    advance_to(now_);
    return answer;
  }

  void advance_to(Time t) {
    for (;;) {
      try {
        run_to(t);
        return;
      } catch (const Dies&) {
        ++crashes;
        restart();
      }
    }
  }

  /// A new process.
  void restart() {
    machine_.reset();
    outbox_ = std::make_unique<Outbox>(*book_, OutboxOptions{.external_url = "http://atalaya"});
    machine_ = std::make_unique<alerts::Machine>(outbox_.get());
    loop_ = std::make_unique<control::Loop>(*database_, std::vector<control::Machine*>{machine_.get(), outbox_.get()},
                                            control::LoopOptions{}, [this](std::string_view place) { point(place); });
    loop_->listen<DeliveryQueued>(
        [this](const TenantId&, const DeliveryQueued& queued) { deliveries_->add(queued.delivery); });
    AT_CHECK(loop_->restore());
    deliveries_ = std::make_unique<Deliveries>();
    auto unfinished = Queries(*database_).unfinished();
    AT_CHECK(unfinished);
    for (auto& delivery : *unfinished) deliveries_->add(std::move(delivery));
    for (auto i = loop_->cursor("judge") + 1; i <= batches_.size(); ++i) post(i);
  }

 private:
  class Fake final : public Channel {
   public:
    Fake(World& world, std::string id) : world_(world), info_{std::move(id), "fake", ""} {}
    const ChannelInfo& info() const override { return info_; }
    AttemptResult send(const Message& message, Time) const override { return world_.receive(info_.id, message); }

   private:
    World& world_;
    ChannelInfo info_;
  };
  class Type final : public ChannelType {
   public:
    explicit Type(World& world) : world_(world) {}
    const std::string& name() const override { return name_; }
    Result<ChannelPtr> make(const ChannelConfig& config) const override {
      return ChannelPtr(std::make_shared<Fake>(world_, config.id));
    }

   private:
    World& world_;
    std::string name_ = "fake";
  };

  void point(std::string_view place) {
    if (crash) crash(place);
  }

  void post(std::size_t position) {
    AT_CHECK(loop_->post(
        {default_tenant(), alerts::Judged{batches_[position - 1]}, {}, control::Cursor{"judge", position}}));
  }

  AttemptResult receive(const std::string& channel, const Message& message) {
    if (peers[channel] == Peer::kDown) return {.answer = "connection refused"};
    if (peers[channel] == Peer::kRefuses) return {.permanent = true, .status = 404, .answer = "not found"};
    if (!keys_.insert(message.key).second) {
      repeated.push_back(message.key);
      return {.ok = true, .status = 200};
    }
    const auto& own = message.data.at("alerts").at(0).at("atalaya");
    const auto text = [&](std::string_view key) { return std::string(own.at(key).get_string()); };
    pages.push_back({channel, message.key, text("state"), text("name"), text("severity"), own.at("late").get_bool()});
    return {.ok = true, .status = 200, .answer = "ok"};
  }

  void run_to(Time t) {
    for (;;) {
      settle();
      auto next = loop_->next_due();
      if (const auto due = deliveries_->next_due(); due && (!next || *due < *next)) next = due;
      if (!next || *next > t) break;
      now_ = std::max(now_, *next);
    }
    now_ = std::max(now_, t);
  }

  void settle() {
    for (bool busy = true; busy;) {
      busy = false;
      for (bool more = true; more && (!loop_->idle() || due(loop_->next_due()));) {
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
  bool due(const std::optional<Time>& time) const { return time && *time <= now_; }

  void attempt(const Delivery& delivery) {
    point("sending");
    Message message;
    message.key = delivery.key;
    message.data = boost::json::parse(delivery.payload).as_object();
    const auto result = book_->find(delivery.tenant, delivery.channel)->send(message, now_);
    point("sent");
    const auto decision = deliveries_->finish(delivery.tenant, delivery.key, result, now_);
    AttemptFinished finished{delivery.key,
                             {.number = decision.attempt, .at = now_, .ok = result.ok, .answer = result.answer},
                             decision.state,
                             decision.next_attempt};
    AT_CHECK(loop_->post({delivery.tenant, std::move(finished), {}, {}}));
    point("reported");
  }

  Time now_;
  std::unique_ptr<db::Database> database_;
  std::unique_ptr<ChannelBook> book_;
  std::unique_ptr<Outbox> outbox_;
  std::unique_ptr<alerts::Machine> machine_;
  std::unique_ptr<control::Loop> loop_;
  std::unique_ptr<Deliveries> deliveries_;
  std::vector<std::vector<alerts::Judgement>> batches_;
  std::set<std::string> keys_;
};

}  // namespace atalaya::notify::scenario
