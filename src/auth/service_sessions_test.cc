#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "auth/service_test_support.h"

namespace atalaya::auth {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

class Sessions : public ServiceTest {};

TEST_F(Sessions, APasswordGivesATokenThatSaysWhoItIs) {
  const auto user = add_user("Ana", Role::kOperator);
  const auto in = sign_in("ANA");
  ASSERT_TRUE(in) << to_string(in.error());
  EXPECT_EQ(in->user.name, "ana");
  EXPECT_EQ(in->tenant, blue_);
  EXPECT_EQ(in->expires_in, minutes(15));
  const auto who = principal(*in);
  EXPECT_EQ(who.tenant, blue_);
  EXPECT_EQ(who.subject, user.id.value());
  EXPECT_EQ(who.name, "ana");
  EXPECT_EQ(who.role, Role::kOperator);
  EXPECT_EQ(who.kind, Kind::kUser);
  EXPECT_EQ(service_->user(blue_, user.id)->last_seen, clock_.now());
}

TEST_F(Sessions, WrongPasswordUnknownUserAndForeignTenantLookTheSame) {
  add_user("ana");
  const auto wrong = sign_in("ana", "wrong horse");
  const auto unknown = sign_in("bob");
  const auto odd = sign_in("no such name!\n");
  const auto foreign = service_->sign_in(red_, "ana", kPassword, "192.0.2.1");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, ErrorCode::kUnauthenticated);
  ASSERT_FALSE(unknown);
  ASSERT_FALSE(odd);
  ASSERT_FALSE(foreign);
  EXPECT_EQ(unknown.error(), wrong.error());
  EXPECT_EQ(odd.error(), wrong.error());
  EXPECT_EQ(foreign.error(), wrong.error());
}

TEST_F(Sessions, AUserWithoutPasswordCannotSignInWithAnyPassword) {
  ASSERT_TRUE(service_->create_user(blue_, "ana", "", Role::kViewer));
  EXPECT_FALSE(sign_in("ana", ""));
  EXPECT_FALSE(sign_in("ana"));
}

TEST_F(Sessions, TenFailuresLockAUserNameForAWhile) {
  add_user("ana");
  add_user("bob");
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(sign_in("ana", "wrong horse", std::to_string(i)).error().code, ErrorCode::kUnauthenticated);
  }
  EXPECT_EQ(sign_in("ana", kPassword, "elsewhere").error().code, ErrorCode::kResourceExhausted);
  EXPECT_TRUE(sign_in("bob"));
  clock_.advance(seconds(30));
  EXPECT_TRUE(sign_in("ana"));
}

TEST_F(Sessions, ManyFailuresLockAnAddress) {
  Result<SignedIn> last = fail(ErrorCode::kInternal, "");
  for (int i = 0; i < 61; ++i) last = service_->sign_in_with_link("guess" + std::to_string(i), "198.51.100.7");
  EXPECT_EQ(last.error().code, ErrorCode::kResourceExhausted);
  EXPECT_EQ(service_->sign_in_with_link("guess", "198.51.100.8").error().code, ErrorCode::kUnauthenticated);
  EXPECT_EQ(service_->enroll_agent("guess", "host", "1", "198.51.100.7").error().code, ErrorCode::kResourceExhausted);
}

TEST_F(Sessions, AnAccessTokenExpires) {
  add_user("ana");
  const auto in = sign_in("ana").value();
  EXPECT_TRUE(accepted(in.access_token));
  clock_.advance(minutes(15) + seconds(29));
  EXPECT_TRUE(accepted(in.access_token));
  clock_.advance(seconds(2));
  EXPECT_FALSE(accepted(in.access_token)) << "also when its signature is remembered as good";
}

TEST_F(Sessions, RefreshingRotatesTheRefreshToken) {
  add_user("ana");
  const auto first = sign_in("ana").value();
  clock_.advance(hours(1));
  const auto second = service_->refresh(first.refresh_token);
  ASSERT_TRUE(second);
  EXPECT_NE(second->refresh_token, first.refresh_token);
  EXPECT_TRUE(accepted(second->access_token));
  EXPECT_TRUE(service_->refresh(second->refresh_token));
}

TEST_F(Sessions, UsingAnOldRefreshTokenEndsTheSessionAtOnce) {
  add_user("ana");
  const auto first = sign_in("ana").value();
  const auto other = sign_in("ana").value();
  const auto second = service_->refresh(first.refresh_token).value();
  const auto stolen = service_->refresh(first.refresh_token);
  ASSERT_FALSE(stolen);
  EXPECT_EQ(stolen.error().code, ErrorCode::kUnauthenticated);
  EXPECT_FALSE(service_->refresh(second.refresh_token));
  EXPECT_FALSE(accepted(first.access_token));
  EXPECT_FALSE(accepted(second.access_token));
  EXPECT_TRUE(accepted(other.access_token)) << "another session of the same user goes on";
  EXPECT_TRUE(service_->refresh(other.refresh_token));
}

TEST_F(Sessions, OfTwoSimultaneousUsesOfOneRefreshTokenOneSucceeds) {
  add_user("ana");
  const auto in = sign_in("ana").value();
  std::atomic<int> succeeded = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      if (service_->refresh(in.refresh_token)) ++succeeded;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(succeeded, 1);
}

TEST_F(Sessions, ARefreshTokenDiesWhenItIsNotUsedForLong) {
  add_user("ana");
  const auto first = sign_in("ana").value();
  clock_.advance(hours(24 * 29));
  const auto second = service_->refresh(first.refresh_token);
  ASSERT_TRUE(second);
  clock_.advance(hours(24 * 30));
  EXPECT_FALSE(service_->refresh(second->refresh_token));
}

TEST_F(Sessions, SigningOutEndsAccessAndRefresh) {
  add_user("ana");
  const auto in = sign_in("ana").value();
  ASSERT_TRUE(accepted(in.access_token));
  const auto who = principal(in);
  ASSERT_TRUE(service_->sign_out(in.refresh_token));
  EXPECT_FALSE(accepted(in.access_token));
  EXPECT_FALSE(service_->still_valid(who));
  EXPECT_FALSE(service_->refresh(in.refresh_token));
  EXPECT_TRUE(service_->sign_out(in.refresh_token)) << "twice is no error";
  EXPECT_TRUE(service_->sign_out("never seen"));
}

TEST_F(Sessions, ARevocationSurvivesARestart) {
  add_user("ana");
  const auto in = sign_in("ana").value();
  ASSERT_TRUE(service_->sign_out(in.refresh_token));
  open();
  EXPECT_FALSE(accepted(in.access_token));
}

TEST_F(Sessions, ASessionSurvivesARestart) {
  add_user("ana");
  const auto in = sign_in("ana").value();
  open();
  EXPECT_TRUE(accepted(in.access_token));
  EXPECT_TRUE(service_->refresh(in.refresh_token));
}

TEST_F(Sessions, TheHundredAndFirstSignInEndsTheOldest) {
  add_user("ana");
  std::vector<std::string> refresh_tokens;
  for (int i = 0; i < 101; ++i) {
    clock_.advance(seconds(1));
    const auto link = service_->create_link(blue_, "ana").value();
    refresh_tokens.push_back(service_->sign_in_with_link(link, "192.0.2.1")->refresh_token);
  }
  EXPECT_FALSE(service_->refresh(refresh_tokens.front()));
  EXPECT_TRUE(service_->refresh(refresh_tokens[1]));
  EXPECT_TRUE(service_->refresh(refresh_tokens.back()));
}

TEST_F(Sessions, ALinkSignsInOnceWithinTenMinutes) {
  const auto admin = service_->ensure_admin(blue_).value();
  EXPECT_FALSE(admin.has_password);
  const auto link = service_->create_link(blue_, "admin").value();
  const auto in = service_->sign_in_with_link(link, "192.0.2.1");
  ASSERT_TRUE(in) << to_string(in.error());
  EXPECT_EQ(principal(*in).role, Role::kAdmin);
  EXPECT_EQ(service_->sign_in_with_link(link, "192.0.2.1").error().code, ErrorCode::kUnauthenticated);
  const auto late = service_->create_link(blue_, "admin").value();
  clock_.advance(minutes(10));
  EXPECT_FALSE(service_->sign_in_with_link(late, "192.0.2.1"));
  EXPECT_EQ(service_->create_link(blue_, "nobody").error().code, ErrorCode::kNotFound);
}

TEST_F(Sessions, TheFirstPasswordNeedsNoOldOneAndTheNextDoes) {
  ASSERT_TRUE(service_->ensure_admin(blue_));
  const auto link = service_->create_link(blue_, "admin").value();
  const auto who = principal(service_->sign_in_with_link(link, "192.0.2.1").value());
  ASSERT_TRUE(service_->change_password(who, "", kPassword));
  EXPECT_TRUE(sign_in("admin"));
  EXPECT_EQ(service_->change_password(who, "wrong horse", "battery staple").error().code, ErrorCode::kPermissionDenied);
  EXPECT_TRUE(sign_in("admin"));
  EXPECT_TRUE(service_->change_password(who, kPassword, "battery staple"));
  EXPECT_FALSE(sign_in("admin"));
  EXPECT_TRUE(sign_in("admin", "battery staple"));
  EXPECT_EQ(service_->change_password(who, "battery staple", "short").error().code, ErrorCode::kInvalidArgument);
}

TEST_F(Sessions, ChangingThePasswordEndsTheOtherSessions) {
  add_user("ana");
  const auto mine = sign_in("ana").value();
  const auto other = sign_in("ana").value();
  ASSERT_TRUE(service_->change_password(principal(mine), kPassword, "battery staple"));
  EXPECT_TRUE(accepted(mine.access_token));
  EXPECT_TRUE(service_->refresh(mine.refresh_token));
  EXPECT_FALSE(accepted(other.access_token));
  EXPECT_FALSE(service_->refresh(other.refresh_token));
}

TEST_F(Sessions, ATicketOpensOneSocketForItsPerson) {
  add_user("ana", Role::kViewer);
  const auto in = sign_in("ana").value();
  const auto ticket = service_->create_ticket(principal(in)).value();
  EXPECT_EQ(ticket.expires_in, seconds(30));
  const auto who = service_->redeem_ticket(ticket.ticket);
  ASSERT_TRUE(who);
  EXPECT_EQ(who->kind, Kind::kTicket);
  EXPECT_EQ(who->role, Role::kViewer);
  EXPECT_EQ(who->tenant, blue_);
  EXPECT_FALSE(service_->redeem_ticket(ticket.ticket));
  EXPECT_FALSE(service_->create_ticket(*who)) << "a ticket makes no tickets";
  EXPECT_FALSE(service_->authenticate_token(ticket.ticket)) << "a ticket is no token";
}

TEST_F(Sessions, APageTokenReadsPagesAndNothingElse) {
  const auto user = add_user("ana", Role::kAdmin);
  const auto in = sign_in("ana").value();
  const auto page = service_->create_page_token(principal(in));
  ASSERT_TRUE(page) << to_string(page.error());
  EXPECT_EQ(page->expires_in, hours(12));
  const auto who = service_->authenticate_page(page->token);
  ASSERT_TRUE(who) << to_string(who.error());
  EXPECT_EQ(who->tenant, blue_);
  EXPECT_EQ(who->subject, user.id.value());
  EXPECT_EQ(who->kind, Kind::kPage);
  EXPECT_EQ(who->role, Role::kViewer) << "an admin's page is read as a viewer";
  for (const auto& scheme : {"Bearer ", "Key ", "Token "}) {
    const std::string header = scheme + page->token;
    const RequestView request{[&](std::string_view name) { return name == "authorization" ? header : ""; },
                              [](std::string_view) { return std::string_view(); }};
    EXPECT_EQ(service_->authenticate(request).error().code, ErrorCode::kUnauthenticated);
  }
  EXPECT_FALSE(accepted(page->token));
  EXPECT_FALSE(service_->redeem_ticket(page->token));
  EXPECT_FALSE(service_->refresh(page->token));
}

TEST_F(Sessions, PagesTakeNoOtherCredential) {
  add_user("ana");
  const auto in = sign_in("ana").value();
  const auto script = service_->create_token(blue_, "script", Role::kAdmin, hours(1)).value();
  for (const auto& token : {in.access_token, in.refresh_token, script.token,
                            service_->create_ticket(principal(in)).value().ticket, std::string()}) {
    EXPECT_EQ(service_->authenticate_page(token).error().code, ErrorCode::kUnauthenticated);
  }
}

TEST_F(Sessions, OnlyAPersonWhoSignedInGetsAPageToken) {
  add_user("ana");
  const auto in = sign_in("ana").value();
  const auto script = service_->create_token(blue_, "script", Role::kAdmin, hours(1)).value();
  const auto program = service_->authenticate_token(script.token).value();
  EXPECT_EQ(service_->create_page_token(program).error().code, ErrorCode::kPermissionDenied);
  EXPECT_FALSE(service_->create_page_token(everybody_is_admin(blue_)));
  const auto page = service_->create_page_token(principal(in)).value();
  EXPECT_FALSE(service_->create_page_token(service_->authenticate_page(page.token).value()))
      << "a page token makes no page tokens";
}

TEST_F(Sessions, APageTokenEndsWithItsSignInAndAfterTwelveHours) {
  add_user("ana");
  const auto in = sign_in("ana").value();
  const auto page = service_->create_page_token(principal(in)).value();
  clock_.advance(hours(11));
  ASSERT_TRUE(service_->maintain());
  EXPECT_TRUE(service_->authenticate_page(page.token)) << "longer than the access token";
  const auto again = service_->refresh(in.refresh_token).value();
  const auto fresh = service_->create_page_token(principal(again)).value();
  ASSERT_TRUE(service_->sign_out(again.refresh_token));
  clock_.advance(minutes(59));
  ASSERT_TRUE(service_->maintain());
  open();
  EXPECT_FALSE(service_->authenticate_page(page.token));
  clock_.advance(hours(10));
  ASSERT_TRUE(service_->maintain());
  EXPECT_FALSE(service_->authenticate_page(fresh.token)) << "the end of a session is remembered as long";

  const auto other = sign_in("ana").value();
  const auto late = service_->create_page_token(principal(other)).value();
  clock_.advance(hours(12) + seconds(30));
  EXPECT_FALSE(service_->authenticate_page(late.token));
}

TEST_F(Sessions, ATicketOfAnEndedSessionOpensNothing) {
  add_user("ana");
  const auto in = sign_in("ana").value();
  const auto ticket = service_->create_ticket(principal(in)).value();
  const auto late = service_->create_ticket(principal(in)).value();
  clock_.advance(seconds(30));
  EXPECT_FALSE(service_->redeem_ticket(late.ticket));
  const auto fresh = service_->create_ticket(principal(in)).value();
  ASSERT_TRUE(service_->sign_out(in.refresh_token));
  EXPECT_FALSE(service_->redeem_ticket(fresh.ticket));
}

TEST_F(Sessions, NothingStoredIsASecretInClear) {
  add_user("ana");
  const auto in = sign_in("ana").value();
  const auto link = service_->create_link(blue_, "ana").value();
  const auto enrolment = service_->create_enrolment(blue_, "-").value();
  const auto agent = service_->enroll_agent(service_->create_enrolment(blue_, "-")->token, "h", "1", "a").value();
  const auto token = service_->create_token(blue_, "ci", Role::kViewer, hours(1)).value();
  std::string everything;
  ASSERT_TRUE(database_->read([&](db::Session& session) -> Status {
    for (const char* sql : {"SELECT * FROM auth_users", "SELECT * FROM auth_sessions", "SELECT * FROM auth_refresh",
                            "SELECT * FROM auth_links", "SELECT * FROM auth_tokens", "SELECT * FROM auth_enrolments",
                            "SELECT * FROM auth_agents"}) {
      AT_TRY(auto rows, session.query(sql));
      EXPECT_FALSE(rows.empty()) << sql;
      for (const auto& row : rows) {
        for (std::size_t i = 0; i < row.size(); ++i) everything += row.text(i) + '\n';
      }
    }
    return {};
  }));
  for (const std::string& secret : {std::string(kPassword), in.refresh_token, in.access_token, link,
                                    enrolment.token.substr(0, enrolment.token.find('.')), agent.secret, token.token}) {
    EXPECT_EQ(everything.find(secret), std::string::npos);
  }
}

TEST_F(Sessions, WhatHasExpiredIsForgotten) {
  add_user("ana");
  const auto in = sign_in("ana").value();
  ASSERT_TRUE(service_->sign_out(sign_in("ana")->refresh_token));
  ASSERT_TRUE(service_->create_link(blue_, "ana"));
  ASSERT_TRUE(service_->create_enrolment(blue_, "-"));
  ASSERT_TRUE(service_->create_token(blue_, "ci", Role::kViewer, hours(1)));
  clock_.advance(hours(24 * 31));
  ASSERT_TRUE(service_->maintain());
  ASSERT_TRUE(database_->read([&](db::Session& session) -> Status {
    for (const char* table :
         {"auth_sessions", "auth_refresh", "auth_links", "auth_tokens", "auth_enrolments", "auth_revocations"}) {
      AT_TRY(auto rows, session.query(std::string("SELECT count(*) FROM ") + table));
      EXPECT_EQ(rows.at(0).integer(0), 0) << table;
    }
    return {};
  }));
}

}  // namespace
}  // namespace atalaya::auth
