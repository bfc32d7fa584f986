// The search through alerts finds the same, whether the index of words has them or not.
#include <fmt/format.h>

#include <set>

#include "alerts/machine_test_support.h"
#include "alerts/report.h"
#include "alerts/search_index.h"

namespace atalaya::alerts {
namespace {

class SearchTest : public MachineTest {
 protected:
  /// Alerts that began a second apart and are over.
  void ended(int count, const std::string& name = "disk") {
    for (int n = 0; n < count; ++n) {
      Posted event{"alertmanager", {posted(fmt::format("{}{}", name, n))}};
      event.alerts.front().annotations = {{"summary", fmt::format("Device {} of röckl 100%", n)}};
      ASSERT_TRUE(post(event));
      clock_.advance(Duration{1000});
      event.alerts.front().ends = now();
      ASSERT_TRUE(post(event));
    }
  }
  void index_all() {
    for (int i = 0; i < 40; ++i) pass(kMinute / 2);
  }
  std::int64_t indexed() {
    std::int64_t out = 0;
    EXPECT_TRUE(database_->read([&](db::Session& session) -> Status {
      AT_TRY(const auto rows, session.query("SELECT count(*) FROM alerts_words"));
      out = rows.at(0).integer(0);
      return {};
    }));
    return out;
  }
  Lines found(const std::string& text, StateFilter state = StateFilter::kAll, std::size_t limit = 1000) {
    Lines out;
    Filter filter{.state = state, .text = text, .limit = limit};
    do {
      const auto page = Queries(*database_).list(default_tenant(), filter);
      EXPECT_TRUE(page) << to_string(page.error());
      if (!page) break;
      EXPECT_LE(page->alerts.size(), limit);
      for (const auto& alert : page->alerts) out.push_back(alert.name);
      filter.before = page->next;
    } while (!filter.before.empty());
    return out;
  }
};

TEST_F(SearchTest, AnswersAreTheSameBeforeAndAfterIndexing) {
  ended(30);
  const Lines texts{"disk1",    "DISK2", "device 17 ",          "röckl", "00%",
                    "\"web1\"", "k7",    "nothing of the kind", "_isk",  "\xff"};
  std::vector<Lines> before;
  for (const auto& text : texts) before.push_back(found(text));
  EXPECT_EQ(before[0].size(), 11u);
  EXPECT_EQ(before[2], (Lines{"disk17"}));
  EXPECT_EQ(before[3].size(), 30u);
  EXPECT_EQ(indexed(), 0);
  index_all();
  EXPECT_EQ(indexed(), 30);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    EXPECT_EQ(found(texts[i]), before[i]) << texts[i];
    EXPECT_EQ(found(texts[i], StateFilter::kAll, 4), before[i]) << texts[i] << ", page by page";
    EXPECT_EQ(found(texts[i], StateFilter::kResolved), before[i]) << texts[i];
    EXPECT_TRUE(found(texts[i], StateFilter::kOpen).empty());
  }
}

TEST_F(SearchTest, AlertsThatBeganTogetherAreAllOnThePages) {
  Posted event{"alertmanager", {}};
  for (int n = 0; n < 50; ++n) event.alerts.push_back(posted(fmt::format("storm{}", n)));
  ASSERT_TRUE(post(event));
  clock_.advance(Duration{1000});
  for (auto& alert : event.alerts) alert.ends = now();
  ASSERT_TRUE(post(event));
  const auto before = found("storm", StateFilter::kAll, 7);
  EXPECT_EQ(std::set(before.begin(), before.end()).size(), 50u);
  index_all();
  EXPECT_EQ(indexed(), 50);
  EXPECT_EQ(found("storm", StateFilter::kAll, 7), before);
}

TEST_F(SearchTest, AnAlertThatOpensAgainIsFoundByItsNewWords) {
  ended(1);
  index_all();
  auto again = posted("disk0");
  again.annotations = {{"summary", "now the fan"}};
  ASSERT_TRUE(post(Posted{"alertmanager", {again}}));
  EXPECT_EQ(found("the fan"), (Lines{"disk0"}));
  EXPECT_EQ(found("the fan", StateFilter::kOpen), (Lines{"disk0"}));
  EXPECT_TRUE(found("device").empty());
  pass(6 * kMinute);
  index_all();
  EXPECT_EQ(indexed(), 1);
  EXPECT_EQ(found("the fan"), (Lines{"disk0"}));
  EXPECT_TRUE(found("device").empty());
}

TEST_F(SearchTest, WhatIsDeletedLeavesTheIndex) {
  ended(3);
  index_all();
  const auto page = Queries(*database_).list(default_tenant(), {.state = StateFilter::kAll});
  ASSERT_TRUE(page);
  ASSERT_TRUE(post(DeleteAlert{page->alerts.front().id}));
  EXPECT_EQ(indexed(), 2);
  pass(std::chrono::hours{24 * 91});
  EXPECT_EQ(indexed(), 0);
  EXPECT_TRUE(found("disk").empty());
}

TEST_F(SearchTest, ATenantsSearchDoesNotMeetAnothers) {
  const auto one = match_of(TenantId{"one"}, "disk");
  const auto other = match_of(TenantId{"other"}, "disk");
  ASSERT_TRUE(one && other);
  EXPECT_NE(*one, *other);
  EXPECT_FALSE(match_of(TenantId{"one"}, "di"));
  EXPECT_TRUE(match_of(TenantId{"one"}, "d\"i"));
}

}  // namespace
}  // namespace atalaya::alerts
