#include "registry/audit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/bytes.h"

namespace atalaya::registry {
namespace {

using testing::ElementsAre;

const Time kStart = from_ms(1'767'225'600'000);
const TenantId kTenant = default_tenant();

class AuditTest : public testing::Test {
 protected:
  void open(AuditOptions options = {}) { audit_ = Audit::open(*database_, options).value(); }
  std::int64_t add(const std::string& object, Time at = kStart, const TenantId& tenant = kTenant) {
    return audit_->add(tenant, {0, at, "ana", "procedure.call", object, ""}).value();
  }
  std::vector<std::string> objects(std::size_t limit = 100, std::optional<std::int64_t> before = std::nullopt,
                                   const TenantId& tenant = kTenant) {
    std::vector<std::string> out;
    const auto entries = audit_->list(tenant, limit, before).value();
    for (const auto& entry : entries) out.push_back(entry.object);
    return out;
  }

  std::unique_ptr<db::Database> database_ = db::open_sqlite(":memory:").value();
  std::unique_ptr<Audit> audit_;
};

TEST_F(AuditTest, EntriesComeBackAsTheyWereTheNewestFirst) {
  open();
  const AuditEntry entry{0, kStart, "token ci", "procedure.call", "shop/queues/empty", "on web1: exit code 0"};
  const auto id = audit_->add(kTenant, entry).value();
  add("later");
  const auto listed = audit_->list(kTenant, 10).value();
  ASSERT_EQ(listed.size(), 2u);
  EXPECT_EQ(listed[0].object, "later");
  auto expected = entry;
  expected.id = id;
  EXPECT_EQ(listed[1], expected);
}

TEST_F(AuditTest, PagesGoBackwardsWithoutGapOrRepetition) {
  open();
  for (const auto* object : {"a", "b", "c", "d", "e"}) add(object);
  EXPECT_THAT(objects(2), ElementsAre("e", "d"));
  EXPECT_THAT(objects(2, 4), ElementsAre("c", "b"));
  EXPECT_THAT(objects(2, 2), ElementsAre("a"));
}

TEST_F(AuditTest, TenantsDoNotSeeOneAnother) {
  open();
  add("ours");
  EXPECT_EQ(add("theirs", kStart, TenantId{"other"}), 1);
  EXPECT_THAT(objects(), ElementsAre("ours"));
  EXPECT_THAT(objects(10, std::nullopt, TenantId{"other"}), ElementsAre("theirs"));
}

TEST_F(AuditTest, WhatIsOlderThanAYearGoes) {
  open({.prune_every = 1});
  add("old");
  add("young", kStart + std::chrono::days{300});
  EXPECT_THAT(objects(), ElementsAre("young", "old"));
  add("now", kStart + std::chrono::days{366});
  EXPECT_THAT(objects(), ElementsAre("now", "young"));
}

TEST_F(AuditTest, OfTooManyTheOldestGo) {
  open({.most = 3, .prune_every = 1});
  add("theirs", kStart, TenantId{"other"});
  for (const auto* object : {"a", "b", "c", "d", "e"}) add(object);
  EXPECT_THAT(objects(), ElementsAre("e", "d", "c"));
  EXPECT_THAT(objects(10, std::nullopt, TenantId{"other"}), ElementsAre("theirs"));
}

TEST_F(AuditTest, IdsGoOnAfterARestart) {
  open();
  add("before");
  open();
  EXPECT_EQ(add("after"), 2);
}

TEST_F(AuditTest, LongTextsAreCutBetweenCharacters) {
  open();
  std::string detail;
  for (int i = 0; i < 3000; ++i) detail += "ñ";
  audit_->add(kTenant, {0, kStart, "x" + detail, "a", "o", "x" + detail}).value();
  const auto entry = audit_->list(kTenant, 1).value().at(0);
  EXPECT_EQ(entry.detail.size(), 4095u);
  EXPECT_EQ(entry.who.size(), 255u);
  EXPECT_TRUE(is_utf8(entry.detail) && is_utf8(entry.who));
}

}  // namespace
}  // namespace atalaya::registry
