#include "dispatch/change_log.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>

#include "dispatch/rows.h"

namespace atalaya::dispatch {
namespace {

routing::ConfigPtr config() {
  config::Errors errors, warnings;
  auto out = routing::read_config_text(
      "route: {receiver: ops, group_by: ['...'], group_wait: 0s, group_interval: 1m}\n"
      "receivers: [{name: ops}]\n",
      "test.yml", errors, warnings);
  EXPECT_TRUE(errors.empty());
  return out;
}

class ChangeLogTest : public testing::Test {
 protected:
  ChangeLogTest() : database_(std::move(*db::open_sqlite(":memory:"))) {
    EXPECT_TRUE(database_->migrate(migrations()));
  }

  routing::Alert alert(int n, bool fires) const {
    routing::Alert out;
    out.labels = Labels{{"alertname", fmt::format("a\"{}\n", n)}};
    out.starts_at = now_;
    out.ends_at = fires ? kMaxTime : now_;
    out.updated_at = now_;
    return out;
  }
  void take(const std::vector<routing::Alert>& alerts) {
    machine_.take(alerts, now_);
    store();
  }
  void store() {
    const auto changes = machine_.take_changes();
    const auto status = database_->write([&](db::Session& session) {
      return log_.store(session, tenant_, changes, machine_,
                        [](const Labels& labels) { return AlertId{"id of " + std::string(labels.get("alertname"))}; });
    });
    ASSERT_TRUE(status) << to_string(status.error());
  }
  StoredState loaded() {
    StoredState out;
    EXPECT_TRUE(database_->read([&](db::Session& session) -> Status {
      ChangeLog other;
      return other.load(session, tenant_, out);
    }));
    return out;
  }
  std::int64_t count(const std::string& what) {
    std::int64_t out = 0;
    EXPECT_TRUE(database_->read([&](db::Session& session) -> Status {
      AT_TRY(const auto rows, session.query("SELECT " + what + " FROM dispatch_changes"));
      out = rows.at(0).integer(0);
      return {};
    }));
    return out;
  }
  /// What is read back is what routing knows.
  void expect_same() {
    const auto stored = loaded();
    const auto known = machine_.state();
    ASSERT_EQ(stored.state.alerts.size(), known.alerts.size());
    for (std::size_t i = 0; i < known.alerts.size(); ++i) {
      const auto& a = stored.state.alerts[i];
      const auto& b = known.alerts[i];
      EXPECT_EQ(a.alert.labels, b.alert.labels);
      EXPECT_EQ(a.alert.starts_at, b.alert.starts_at);
      EXPECT_EQ(a.alert.ends_at, b.alert.ends_at);
      EXPECT_EQ(a.alert.updated_at, b.alert.updated_at);
      EXPECT_EQ(a.groups, b.groups);
      EXPECT_EQ(stored.ids[i].value(), "id of " + std::string(b.alert.labels.get("alertname")));
    }
    std::map<std::string, routing::GroupRow> groups;
    for (const auto& group : known.groups) groups.emplace(group.id, group);
    ASSERT_EQ(stored.state.groups.size(), groups.size());
    for (const auto& a : stored.state.groups) {
      const auto& b = groups.at(a.id);
      EXPECT_EQ(a.route, b.route);
      EXPECT_EQ(a.labels, b.labels);
      EXPECT_EQ(a.next_flush, b.next_flush);
      EXPECT_EQ(a.flushed, b.flushed);
      EXPECT_EQ(a.dirty, b.dirty);
    }
  }

  const TenantId tenant_ = default_tenant();
  Time now_ = from_ms(1'700'000'000'000);
  std::unique_ptr<db::Database> database_;
  routing::Machine machine_{config()};
  ChangeLog log_;
};

TEST_F(ChangeLogTest, AnyHistoryIsReadBackAndTheLogStaysShort) {
  std::mt19937_64 random(11);
  const auto below = [&](std::uint64_t bound) { return static_cast<int>(random() % bound); };
  for (int i = 0; i < 600; ++i) {
    std::vector<routing::Alert> alerts;
    for (auto left = 1 + below(20); left > 0; --left) alerts.push_back(alert(below(300), below(3) != 0));
    take(alerts);
    now_ += std::chrono::seconds{below(120)};
    machine_.advance(now_);
    store();
    if (i % 50 == 0) expect_same();
  }
  expect_same();
  EXPECT_GT(count("max(number)"), 1000) << "rows were written";
  EXPECT_LT(count("sum(entries)"), 2500) << "… and went";
}

TEST_F(ChangeLogTest, AnotherProcessGoesOnBehindTheNewestRow) {
  take({alert(1, true), alert(2, true)});
  StoredState stored;
  ASSERT_TRUE(database_->read([&](db::Session& session) -> Status {
    log_ = {};
    return log_.load(session, tenant_, stored);
  }));
  take({alert(1, false), alert(3, true)});
  expect_same();
}

TEST_F(ChangeLogTest, RowsThatCannotBeReadGiveWayToTheNextChange) {
  take({alert(1, true)});
  ASSERT_TRUE(database_->write([&](db::Session& session) -> Status {
    AT_TRY(session.execute("UPDATE dispatch_changes SET body='{\"alert\":'"));
    return {};
  }));
  ASSERT_TRUE(database_->read([&](db::Session& session) -> Status {
    const auto state = load_state(session, tenant_, log_);
    EXPECT_TRUE(!state && state.error().code == ErrorCode::kCorruption);
    return {};
  }));
  machine_ = routing::Machine(config());
  take({alert(2, true)});
  expect_same();
}

TEST(ChangeLogMigration, RowsOfBeforeAreItsFirstEntries) {
  const auto database = std::move(*db::open_sqlite(":memory:"));
  const auto all = migrations();
  ASSERT_TRUE(database->migrate({all.begin(), all.begin() + 2}));
  ASSERT_TRUE(database->write([](db::Session& session) -> Status {
    AT_TRY(session.execute(
        R"(INSERT INTO dispatch_alerts VALUES('default', '{"alertname":"a"}', 'id1', '{"severity":"","starts":1,"ends":2,)"
        R"("updated":3,"groups":[{"group":"r:{a=\"x\"}","severity":"","flushed_end":false}]}'))"));
    AT_TRY(session.execute(
        R"(INSERT INTO dispatch_groups VALUES('default', 'r:{a="x"}', '{"route":"r","labels":{"a":"x"},"next_flush":5,)"
        R"("flushed":true,"dirty":false}'))"));
    return {};
  }));
  ASSERT_TRUE(database->migrate(all));
  ASSERT_TRUE(database->read([](db::Session& session) -> Status {
    ChangeLog log;
    AT_TRY(const auto stored, load_state(session, default_tenant(), log));
    EXPECT_EQ(stored.ids, (std::vector{AlertId{"id1"}}));
    EXPECT_EQ(stored.state.alerts.at(0).groups.at(0).group, R"(r:{a="x"})");
    EXPECT_EQ(stored.state.groups.at(0).id, R"(r:{a="x"})");
    EXPECT_TRUE(stored.state.groups.at(0).flushed);
    return {};
  }));
}

}  // namespace
}  // namespace atalaya::dispatch
