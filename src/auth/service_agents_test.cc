#include <gmock/gmock.h>

#include "auth/service_test_support.h"

namespace atalaya::auth {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

class Agents : public ServiceTest {
 protected:
  NewAgent enroll(std::string_view name = "web1") {
    const auto enrolment = service_->create_enrolment(blue_, "fingerprint").value();
    return service_->enroll_agent(enrolment.token, name, "0.1.0", "192.0.2.1").value();
  }
  Result<AccessToken> token(const NewAgent& agent) {
    return service_->agent_token(agent.id, agent.secret, "192.0.2.1");
  }
};

TEST_F(Agents, EnrolOnceAndGetShortTokens) {
  const auto enrolment = service_->create_enrolment(blue_, "fingerprint").value();
  EXPECT_THAT(enrolment.token, testing::EndsWith(".fingerprint"));
  EXPECT_EQ(enrolment.expires, clock_.now() + hours(24));
  const auto agent = service_->enroll_agent(enrolment.token, "web1", "0.1.0", "192.0.2.1");
  ASSERT_TRUE(agent) << to_string(agent.error());
  EXPECT_EQ(agent->tenant, blue_);
  const auto access = token(*agent);
  ASSERT_TRUE(access);
  EXPECT_EQ(access->expires_in, minutes(10));
  const auto who = service_->authenticate_token(access->token).value();
  EXPECT_EQ(who.kind, Kind::kAgent);
  EXPECT_EQ(who.role, Role::kNone);
  EXPECT_EQ(who.subject, agent->id.value());
  EXPECT_EQ(who.name, "web1");
  EXPECT_FALSE(require(who, Role::kViewer));
  EXPECT_TRUE(require_agent(who));
  EXPECT_FALSE(service_->create_ticket(who));
  EXPECT_FALSE(service_->change_password(who, "", "battery staple"));
}

TEST_F(Agents, AnEnrolmentHasACountedNumberOfUses) {
  const auto enrolment = service_->create_enrolment(blue_, "-", std::nullopt, 2).value();
  EXPECT_TRUE(service_->enroll_agent(enrolment.token, "a", "1", "x"));
  EXPECT_TRUE(service_->enroll_agent(enrolment.token.substr(0, enrolment.token.find('.')), "b", "", "x"));
  const auto third = service_->enroll_agent(enrolment.token, "c", "1", "x");
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().code, ErrorCode::kUnauthenticated);
  EXPECT_EQ(service_->agents(blue_)->size(), 2u);
}

TEST_F(Agents, AnEnrolmentExpires) {
  const auto enrolment = service_->create_enrolment(blue_, "-", minutes(5)).value();
  clock_.advance(minutes(5));
  EXPECT_FALSE(service_->enroll_agent(enrolment.token, "a", "1", "x"));
}

TEST_F(Agents, ABadNameDoesNotUseTheEnrolmentUp) {
  const auto enrolment = service_->create_enrolment(blue_, "-").value();
  EXPECT_EQ(service_->enroll_agent(enrolment.token, "", "1", "x").error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(service_->enroll_agent(enrolment.token, "a\nb", "1", "x").error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(service_->enroll_agent(enrolment.token, "a", "\x01", "x").error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(service_->enroll_agent(enrolment.token, "a b", "1", "x").error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(service_->enroll_agent(enrolment.token, "a;id", "1", "x").error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(service_->enroll_agent(enrolment.token, std::string(254, 'a'), "1", "x").error().code,
            ErrorCode::kInvalidArgument);
  EXPECT_TRUE(service_->enroll_agent(enrolment.token, "Web_1.example-net", "1", "x"));
}

TEST_F(Agents, AnAgentThatIsNotAdmittedDoesNotUseTheEnrolmentUp) {
  const auto enrolment = service_->create_enrolment(blue_, "-").value();
  const auto refused = service_->enroll_agent(enrolment.token, "a", "1", "x", [&](const TenantId& tenant) -> Status {
    EXPECT_EQ(tenant, blue_);
    return fail(ErrorCode::kConflict, "is up");
  });
  EXPECT_EQ(refused.error().code, ErrorCode::kConflict);
  EXPECT_TRUE(service_->agents(blue_)->empty());
  EXPECT_TRUE(service_->enroll_agent(enrolment.token, "a", "1", "x"));
}

TEST_F(Agents, EnrolmentsAreBounded) {
  EXPECT_FALSE(service_->create_enrolment(blue_, "-", hours(24 * 31)));
  EXPECT_FALSE(service_->create_enrolment(blue_, "-", Duration(0)));
  EXPECT_FALSE(service_->create_enrolment(blue_, "-", hours(1), 0));
  EXPECT_FALSE(service_->create_enrolment(TenantId{""}, "-"));
}

TEST_F(Agents, AWrongSecretOrIdIsUnauthenticated) {
  const auto agent = enroll();
  EXPECT_EQ(service_->agent_token(agent.id, "wrong", "x").error().code, ErrorCode::kUnauthenticated);
  EXPECT_EQ(service_->agent_token(AgentId{"nobody"}, agent.secret, "x").error().code, ErrorCode::kUnauthenticated);
  const auto other = enroll("web2");
  EXPECT_FALSE(service_->agent_token(agent.id, other.secret, "x"));
}

TEST_F(Agents, AreListedByNamePerTenant) {
  const auto web = enroll("web1");
  enroll("db1");
  ASSERT_TRUE(token(web));
  const auto listed = service_->agents(blue_).value();
  ASSERT_EQ(listed.size(), 2u);
  EXPECT_EQ(listed[0].name, "db1");
  EXPECT_FALSE(listed[0].last_seen);
  EXPECT_EQ(listed[1].id, web.id);
  EXPECT_EQ(listed[1].version, "0.1.0");
  EXPECT_EQ(listed[1].last_seen, clock_.now());
  EXPECT_TRUE(service_->agents(red_)->empty());
}

TEST_F(Agents, KeepTheirIdentityWhenRenamed) {
  const auto agent = enroll("web1");
  EXPECT_EQ(service_->rename_agent(red_, agent.id, "stolen").error().code, ErrorCode::kNotFound);
  ASSERT_TRUE(service_->rename_agent(blue_, agent.id, "web1-new"));
  const auto access = token(agent);
  ASSERT_TRUE(access);
  const auto who = service_->authenticate_token(access->token).value();
  EXPECT_EQ(who.name, "web1-new");
  EXPECT_EQ(who.subject, agent.id.value());
}

TEST_F(Agents, ADeletedOneIsOutAtOnce) {
  const auto agent = enroll();
  const auto access = token(agent).value();
  ASSERT_TRUE(accepted(access.token));
  EXPECT_EQ(service_->delete_agent(red_, agent.id).error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(accepted(access.token));
  ASSERT_TRUE(service_->delete_agent(blue_, agent.id));
  EXPECT_FALSE(accepted(access.token));
  EXPECT_FALSE(token(agent));
  EXPECT_EQ(service_->delete_agent(blue_, agent.id).error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace atalaya::auth
