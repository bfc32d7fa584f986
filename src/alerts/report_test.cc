#include "alerts/report.h"

#include <gtest/gtest.h>

#include "alerts/machine_test_support.h"
#include "alerts/report_queries.h"

namespace atalaya::alerts {
namespace {

class ReportTest : public MachineTest {
 protected:
  Reported reported(std::string severity, std::string event = "down") {
    Reported out;
    out.report.id = AlertId{"00000000-0000-4000-8000-00000000000" + std::to_string(++made_)};
    out.report.environment = "Production";
    out.report.resource = "web1";
    out.report.event = std::move(event);
    out.report.severity = std::move(severity);
    out.report.correlate = {"down", "slow"};
    out.report.service = {"Web"};
    out.report.timeout = 300;
    out.report.created = now();
    out.stored = std::make_shared<AlertId>();
    return out;
  }
  AlertId send_report(Reported given) {
    const auto stored = given.stored;
    EXPECT_TRUE(post(std::move(given)));
    return *stored;
  }
  SeenReport seen(const AlertId& id) {
    const auto found = ReportQueries(*database_, clock_).get(default_tenant(), id.value());
    EXPECT_TRUE(found);
    return found ? *found : SeenReport{};
  }
  std::string status(const AlertId& id) {
    const auto now = seen(id);
    return std::string(status_word(now.alert, now.report));
  }
  Status act(const AlertId& id, std::string word, std::int64_t timeout = 0) {
    return post(ReportAction{id, ReportAction::Kind::kAction, std::move(word), "why", timeout, "ana"});
  }

 private:
  int made_ = 0;
};

TEST_F(ReportTest, TheLadderKnowsEveryWordAndNoOther) {
  EXPECT_EQ(severity_rank("security"), 0);
  EXPECT_EQ(severity_rank("warning"), 4);
  EXPECT_EQ(severity_rank("cleared"), severity_rank("normal"));
  EXPECT_EQ(severity_rank("bad"), std::nullopt);
  EXPECT_EQ(trend_of("indeterminate", "major"), "moreSevere");
  EXPECT_EQ(trend_of("critical", "major"), "lessSevere");
  EXPECT_EQ(trend_of("ok", "normal"), "noChange");
}

TEST_F(ReportTest, IsTheSameAfterBeingWrittenAndRead) {
  Report r = reported("major").report;
  r.attributes["list"] = boost::json::array{1, "x"};
  r.raw_data = "raw";
  r.notes = {{"1", "text", "ana", now(), now()}};
  EXPECT_EQ(boost::json::serialize(to_json(report_from_json(to_json(r)))), boost::json::serialize(to_json(r)));
}

TEST_F(ReportTest, DuplicatesAndCorrelatedEventsAreOneAlertThatIsToldOnce) {
  const auto id = send_report(reported("major"));
  EXPECT_EQ(send_report(reported("major")), id);
  EXPECT_EQ(seen(id).report.duplicates, 1u);
  EXPECT_EQ(send_report(reported("minor", "slow")), id);
  const auto now = seen(id);
  EXPECT_EQ(now.report.duplicates, 0u);
  EXPECT_EQ(now.report.previous_severity, "major");
  EXPECT_EQ(now.alert.name, "slow");
  EXPECT_EQ(now.alert.labels.get("alertname"), "slow");
  EXPECT_EQ(now.alert.count, 3u);
  EXPECT_EQ(told_.lines, Lines{"firing down first"});
}

TEST_F(ReportTest, AnotherEnvironmentResourceOrCustomerIsAnotherAlert) {
  const auto id = send_report(reported("major"));
  for (const auto member : {&Report::environment, &Report::resource, &Report::customer}) {
    auto other = reported("major");
    other.report.*member = "other";
    EXPECT_NE(send_report(other), id);
  }
}

TEST_F(ReportTest, AWorseReportEndsTheAcknowledgementAlsoWithinOneOfOurSeverities) {
  const auto id = send_report(reported("minor"));
  ASSERT_TRUE(act(id, "ack"));
  send_report(reported("warning"));
  EXPECT_EQ(status(id), "ack");
  send_report(reported("major"));
  EXPECT_EQ(status(id), "open");
  EXPECT_EQ(seen(id).alert.severity, Severity::kWarning);
}

TEST_F(ReportTest, ExpiresWithoutFurtherReportsAndOpensAgainWithOne) {
  const auto id = send_report(reported("major"));
  pass(4 * kMinute);
  send_report(reported("major"));
  pass(4 * kMinute);
  EXPECT_EQ(status(id), "open");
  pass(kMinute);
  EXPECT_EQ(status(id), "expired");
  send_report(reported("major"));
  EXPECT_EQ(status(id), "open");
  EXPECT_EQ(seen(id).alert.episode, 2u);
}

TEST_F(ReportTest, ANormalReportClosesAndOneAsTheFirstIsClosedAndToldToNobody) {
  const auto closed = send_report(reported("ok", "up"));
  EXPECT_EQ(status(closed), "closed");
  EXPECT_TRUE(told_.lines.empty());
  const auto id = send_report(reported("major"));
  send_report(reported("normal"));
  EXPECT_EQ(status(id), "closed");
  EXPECT_EQ(told_.lines, (Lines{"firing down first", "resolved down"}));
  pass(10 * kMinute);
  EXPECT_EQ(status(id), "closed");
}

TEST_F(ReportTest, AShelfHoldsOverAnEpisodeAndItsTimeOutOpensTheAlert) {
  const auto id = send_report(reported("major"));
  ASSERT_TRUE(act(id, "shelve", 600));
  EXPECT_EQ(act(id, "shelve").error().code, ErrorCode::kConflict);
  send_report(reported("ok"));
  send_report(reported("major"));
  EXPECT_EQ(status(id), "shelved");
  pass(4 * kMinute);
  send_report(reported("major"));
  pass(4 * kMinute);
  send_report(reported("major"));
  pass(2 * kMinute);
  EXPECT_EQ(status(id), "open");
}

TEST_F(ReportTest, AClosedAlertOpensByHandWithTheSeverityItHad) {
  const auto id = send_report(reported("critical"));
  ASSERT_TRUE(act(id, "close"));
  EXPECT_EQ(seen(id).report.severity, "normal");
  ASSERT_TRUE(act(id, "open"));
  EXPECT_EQ(seen(id).report.severity, "critical");
  EXPECT_EQ(seen(id).alert.state, State::kFiring);
  EXPECT_EQ(told_.lines.size(), 3u);
}

TEST_F(ReportTest, ADeletedAlertEndsForPeopleAndLeavesNothing) {
  const auto id = send_report(reported("critical"));
  ASSERT_TRUE(post(DeleteAlert{id}));
  EXPECT_EQ(told_.lines.back(), "resolved down");
  EXPECT_EQ(ReportQueries(*database_, clock_).get(default_tenant(), id.value()).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(post(DeleteAlert{id}).error().code, ErrorCode::kNotFound);
}

TEST_F(ReportTest, TagsAndNotesOfAnotherDoorsAlertAreKeptBesideIt) {
  ASSERT_TRUE(send(posted("disk")));
  EditReport edit;
  edit.id = id("disk");
  edit.add_tags = {"mine"};
  edit.note = ReportNote{.id = "n", .text = "look"};
  ASSERT_TRUE(post(edit));
  ASSERT_TRUE(send(posted("disk")));
  const auto now = seen(id("disk"));
  EXPECT_EQ(now.report.tags, std::vector<std::string>{"mine"});
  EXPECT_EQ(now.report.notes.size(), 1u);
  EXPECT_EQ(now.report.duplicates, 1u);
  EXPECT_EQ(history("disk").back(), "firing>note");
}

}  // namespace
}  // namespace atalaya::alerts
