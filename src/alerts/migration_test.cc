#include <gtest/gtest.h>

#include <algorithm>

#include "alerts/machine.h"
#include "alerts/queries.h"

namespace atalaya::alerts {
namespace {

TEST(Migration, AlertsOfTheTablesBeforeSilencesAreReadable) {
  const auto database = std::move(*db::open_sqlite(":memory:"));
  auto migrations = Machine::migrations();
  ASSERT_TRUE(database->migrate({migrations.begin(), migrations.begin() + 2}));
  ASSERT_TRUE(database->write([](db::Session& session) -> Status {
    AT_TRY(session.execute(
        "INSERT INTO alerts_alerts(tenant_id, host, id, episode, transitions, name, rule, expr, kind, state, severity,"
        " level, labels, annotations, value, text, started_ms, fired_ms, updated_ms, late, count, told, ack_by, ack_ms,"
        " ack_note, judged_name, judged_position) VALUES('default', 'web1', '00000000000000aa', 1, 2, 'disk',"
        " 'a/b/disk', 'x', 0, 1, 2, 2, '{\"alertname\":\"disk\"}', '{}', 0.5, 'full', 1000, 1000, 2000, 0, 7, 6, 'ana',"
        " 1500, 'mine', 'tsdb', 3)"));
    return {};
  }));
  ASSERT_TRUE(database->migrate(migrations));
  const auto found = Queries(*database).get(default_tenant(), AlertId{"00000000000000aa"});
  ASSERT_TRUE(found) << to_string(found.error());
  const auto& alert = found->alert;
  EXPECT_EQ(alert.state, State::kFiring);
  EXPECT_EQ(alert.count, 7u);
  ASSERT_TRUE(alert.ack);
  EXPECT_EQ(alert.ack->by, "ana");
  EXPECT_FALSE(alert.ack->until || alert.shelf || alert.closed || alert.ends || alert.flapping);
  EXPECT_EQ(status(alert), "acknowledged");
  EXPECT_EQ(Queries(*database).open()->size(), 1u);
}

}  // namespace
}  // namespace atalaya::alerts
