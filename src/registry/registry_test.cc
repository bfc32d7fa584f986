#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "registry/hosts.h"
#include "registry/items.h"

namespace atalaya::registry {
namespace {

using testing::ElementsAre;

const Time kStart = from_ms(1'767'225'600'000);
const TenantId kTenant = default_tenant();

class HostsTest : public testing::Test {
 protected:
  void SetUp() override {
    database_ = db::open_sqlite(":memory:").value();
    reopen();
  }
  void reopen() {
    hosts_ = Hosts::open(*database_, {}).value();
    hosts_->subscribe([this](const HostChange& change) {
      told_.push_back(change.host.name + " " + std::string(name(change.host.state)));
      revisions_.push_back(change.revision);
    });
  }
  Hosts::Enrolled enrol(const std::string& id, const std::string& host) {
    return hosts_->enrolled(kTenant, AgentId{id}, host, "0.1.0", kStart).value();
  }
  HostState state(const std::string& id) { return hosts_->find(AgentId{id})->state; }

  std::unique_ptr<db::Database> database_;
  std::unique_ptr<Hosts> hosts_;
  std::vector<std::string> told_;
  std::vector<std::uint64_t> revisions_;
};

TEST_F(HostsTest, AHostGoesFromNeverToUpToDownAndBack) {
  enrol("a1", "web1");
  EXPECT_EQ(state("a1"), HostState::kNever);
  ASSERT_TRUE(hosts_->connected(AgentId{"a1"}, "0.1.0", {{"os", "Debian"}}, kStart));
  EXPECT_EQ(state("a1"), HostState::kUp);
  ASSERT_TRUE(hosts_->tick(kStart + std::chrono::seconds{15}));
  EXPECT_EQ(state("a1"), HostState::kUp);
  ASSERT_TRUE(hosts_->tick(kStart + std::chrono::seconds{16}));
  EXPECT_EQ(state("a1"), HostState::kDown);
  hosts_->seen(AgentId{"a1"}, kStart + std::chrono::seconds{20});
  EXPECT_EQ(state("a1"), HostState::kUp);
  EXPECT_THAT(told_, ElementsAre("web1 never", "web1 up", "web1 down", "web1 up"));
  EXPECT_THAT(revisions_, ElementsAre(1, 2, 3, 4));
}

TEST_F(HostsTest, SamplesOfAHostThatIsUpAreNoNews) {
  enrol("a1", "web1");
  hosts_->seen(AgentId{"a1"}, kStart);
  told_.clear();
  hosts_->seen(AgentId{"a1"}, kStart + std::chrono::seconds{1});
  EXPECT_TRUE(told_.empty());
  EXPECT_EQ(hosts_->find(AgentId{"a1"})->last_seen, kStart + std::chrono::seconds{1});
}

TEST_F(HostsTest, ARestartKeepsHostsFactsAndFlushedTimes) {
  enrol("a1", "web1");
  ASSERT_TRUE(hosts_->connected(AgentId{"a1"}, "0.2.0", {{"os", "Debian"}}, kStart));
  hosts_->seen(AgentId{"a1"}, kStart + std::chrono::seconds{7});
  ASSERT_TRUE(hosts_->flush());
  reopen();
  const auto host = hosts_->find(AgentId{"a1"}).value();
  EXPECT_EQ(host.state, HostState::kDown);
  EXPECT_EQ(host.version, "0.2.0");
  EXPECT_EQ(host.facts.at("os"), "Debian");
  EXPECT_EQ(host.first_seen, kStart);
  EXPECT_EQ(host.last_seen, kStart + std::chrono::seconds{7});
}

TEST_F(HostsTest, LastSeenIsWrittenLazilyByTheTick) {
  enrol("a1", "web1");
  ASSERT_TRUE(hosts_->connected(AgentId{"a1"}, "0.1.0", {}, kStart));
  ASSERT_TRUE(hosts_->tick(kStart));
  const auto later = kStart + std::chrono::seconds{31};
  hosts_->seen(AgentId{"a1"}, later);
  ASSERT_TRUE(hosts_->tick(later));
  reopen();
  EXPECT_EQ(hosts_->find(AgentId{"a1"})->last_seen, later);
}

TEST_F(HostsTest, EnrollingAnExistingNameTakesTheHostOver) {
  enrol("a1", "web1");
  hosts_->seen(AgentId{"a1"}, kStart);
  const auto again = hosts_->enrolled(kTenant, AgentId{"a2"}, "web1", "0.2.0", kStart + std::chrono::hours{1}).value();
  EXPECT_EQ(again.replaced, AgentId{"a1"});
  EXPECT_EQ(again.host.created, kStart);
  EXPECT_FALSE(hosts_->find(AgentId{"a1"}));
  EXPECT_FALSE(hosts_->connected(AgentId{"a1"}, "0.1.0", {}, kStart));
  EXPECT_EQ(hosts_->list(kTenant).size(), 1u);
}

TEST_F(HostsTest, ARemovedHostIsRefusedAndForgotten) {
  enrol("a1", "web1");
  EXPECT_FALSE(hosts_->remove(TenantId{"other"}, AgentId{"a1"}));
  ASSERT_TRUE(hosts_->remove(kTenant, AgentId{"a1"}));
  EXPECT_EQ(hosts_->connected(AgentId{"a1"}, "0.1.0", {}, kStart).error().code, ErrorCode::kNotFound);
  hosts_->seen(AgentId{"a1"}, kStart);
  reopen();
  EXPECT_TRUE(hosts_->all().empty());
}

TEST_F(HostsTest, TenantsSeeTheirOwnHostsByName) {
  enrol("a2", "web2");
  enrol("a1", "web1");
  ASSERT_TRUE(hosts_->enrolled(TenantId{"other"}, AgentId{"b1"}, "web1", "0.1.0", kStart));
  const auto mine = hosts_->list(kTenant);
  ASSERT_EQ(mine.size(), 2u);
  EXPECT_EQ(mine[0].name, "web1");
  EXPECT_EQ(hosts_->find_by_name(TenantId{"other"}, "web1")->id, AgentId{"b1"});
}

TEST_F(HostsTest, ANameIsBounded) {
  EXPECT_FALSE(hosts_->enrolled(kTenant, AgentId{"a1"}, "", "0.1.0", kStart));
  EXPECT_FALSE(hosts_->enrolled(kTenant, AgentId{"a1"}, std::string(254, 'x'), "0.1.0", kStart));
  EXPECT_TRUE(hosts_->all().empty());
}

Item item(const std::string& id, const std::string& title) {
  return {.id = id, .tenant = kTenant, .kind = "rules", .package = "p", .title = title, .links = {}, .origin = {}};
}

TEST(Items, ReplacingAPackageTellsWhatChangedAndNothingElse) {
  Items items;
  std::vector<std::string> told;
  items.subscribe([&](const ItemChange& change) {
    const char* what[] = {"added", "changed", "removed"};
    told.push_back(change.item.id + " " + what[static_cast<int>(change.what)]);
  });
  items.replace(kTenant, "p", {item("p/g/a", "A"), item("p/g/b", "B")});
  const auto revision = items.replace(kTenant, "p", {item("p/g/a", "A"), item("p/g/b", "Bee"), item("p/g/c", "C")});
  EXPECT_EQ(revision, 4u);
  EXPECT_EQ(items.replace(kTenant, "q", {}), 4u);
  items.replace(kTenant, "p", {item("p/g/c", "C")});
  EXPECT_THAT(told, ElementsAre("p/g/a added", "p/g/b added", "p/g/b changed", "p/g/c added", "p/g/a removed",
                                "p/g/b removed"));
  EXPECT_EQ(items.list(kTenant, "rules").size(), 1u);
  EXPECT_TRUE(items.list(TenantId{"other"}).empty());
  EXPECT_TRUE(items.find(kTenant, "rules", "p/g/c"));
  EXPECT_FALSE(items.find(kTenant, "collectors", "p/g/c"));
}

TEST(Items, SingleEntitiesComeChangeAndGo) {
  Items items;
  auto host = item("web1", "web1");
  host.kind = kHosts;
  host.origin = {.kind = Origin::Kind::kApi, .who = "ana", .at = kStart};
  items.put(host);
  items.put(host);
  EXPECT_EQ(items.revision(), 1u);
  items.replace(kTenant, "web1", {});
  EXPECT_EQ(items.find(kTenant, kHosts, "web1"), host) << "its id is no owner's";
  host.title = "Web";
  items.put(host);
  items.remove(kTenant, kHosts, "web1");
  items.remove(kTenant, kHosts, "web1");
  EXPECT_EQ(items.revision(), 3u);
  EXPECT_TRUE(items.list(kTenant).empty());
}

TEST(Items, TheFeedTellsATenantWhatCameAfterARevisionInPieces) {
  Items items(100);
  items.put(item("p/a", "A"));
  auto other = item("p/a", "A");
  other.tenant = TenantId{"other"};
  items.put(other);
  items.put(item("p/b", "B"));
  const auto first = items.changes(kTenant, 100, 1);
  ASSERT_EQ(first.changes.size(), 1u);
  EXPECT_EQ(first.changes.front().item.id, "p/a");
  EXPECT_EQ(first.revision, 101u);
  const auto second = items.changes(kTenant, first.revision, 10);
  ASSERT_EQ(second.changes.size(), 1u);
  EXPECT_EQ(second.changes.front().item.id, "p/b");
  EXPECT_EQ(second.revision, 103u);
  EXPECT_FALSE(second.gap);
  EXPECT_TRUE(items.changes(kTenant, 103, 10).changes.empty());
}

TEST(Items, WhoAsksForForgottenChangesIsToldOfTheGap) {
  Items items(100);
  EXPECT_TRUE(items.changes(kTenant, 7, 10).gap) << "of an earlier run";
  EXPECT_EQ(items.changes(kTenant, 0, 10).gap, items.changes(kTenant, 100, 10).gap) << "all since the start";
  EXPECT_TRUE(items.changes(kTenant, 101, 10).gap) << "of one that knew more";
  for (std::size_t i = 0; i <= Items::kFeed; ++i) items.put(item("p/a", std::to_string(i)));
  const auto late = items.changes(kTenant, 100, 10);
  EXPECT_TRUE(late.gap);
  EXPECT_EQ(late.revision, items.revision());
  EXPECT_FALSE(items.changes(kTenant, 101, 10).gap);
}

}  // namespace
}  // namespace atalaya::registry
