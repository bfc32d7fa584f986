#include <gmock/gmock.h>

#include "auth/folder_token.h"
#include "auth/service_test_support.h"

namespace atalaya::auth {
namespace {

using std::chrono::hours;
using testing::ElementsAre;

class Users : public ServiceTest {
 protected:
  std::vector<std::string> names(const TenantId& tenant) {
    std::vector<std::string> result;
    const auto users = service_->users(tenant).value();
    for (const auto& user : users) result.push_back(user.name);
    return result;
  }
};

TEST_F(Users, BelongToOneTenant) {
  const auto ana = add_user("ana");
  ASSERT_TRUE(service_->create_user(red_, "ana", kPassword, Role::kViewer)) << "the same name in another tenant";
  EXPECT_THAT(names(blue_), ElementsAre("ana"));
  EXPECT_EQ(service_->user(red_, ana.id).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(service_->delete_user(red_, ana.id).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(service_->set_role(red_, ana.id, Role::kViewer).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(service_->set_password(red_, ana.id, "battery staple").error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(sign_in("ana"));
}

TEST_F(Users, HaveUniqueNamesWhateverTheCase) {
  add_user("ana");
  const auto again = service_->create_user(blue_, "ANA", kPassword, Role::kViewer);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::kAlreadyExists);
}

TEST_F(Users, WithBadNamesPasswordsOrRolesAreRefused) {
  for (const std::string name : {"", "a b", "a/b", "añb", "a\n"}) {
    EXPECT_EQ(service_->create_user(blue_, name, kPassword, Role::kViewer).error().code, ErrorCode::kInvalidArgument);
  }
  EXPECT_FALSE(service_->create_user(blue_, std::string(65, 'a'), kPassword, Role::kViewer));
  EXPECT_FALSE(service_->create_user(blue_, "ana", "short", Role::kViewer));
  EXPECT_FALSE(service_->create_user(blue_, "ana", kPassword, Role::kNone));
  EXPECT_FALSE(service_->create_user(TenantId{"No Tenant"}, "ana", kPassword, Role::kViewer));
  EXPECT_THAT(names(blue_), ElementsAre());
}

TEST_F(Users, TheLastAdminStays) {
  const auto ana = add_user("ana");
  add_user("vera", Role::kViewer);
  EXPECT_EQ(service_->delete_user(blue_, ana.id).error().code, ErrorCode::kConflict);
  EXPECT_EQ(service_->set_role(blue_, ana.id, Role::kOperator).error().code, ErrorCode::kConflict);
  EXPECT_TRUE(sign_in("ana"));
  const auto bob = add_user("bob");
  EXPECT_TRUE(service_->delete_user(blue_, ana.id));
  EXPECT_EQ(service_->delete_user(blue_, bob.id).error().code, ErrorCode::kConflict);
  EXPECT_THAT(names(blue_), ElementsAre("bob", "vera"));
}

TEST_F(Users, ADeletedOneIsOutAtOnce) {
  add_user("ana");
  const auto bob = add_user("bob");
  const auto in = sign_in("bob").value();
  const auto link = service_->create_link(blue_, "bob").value();
  ASSERT_TRUE(accepted(in.access_token));
  ASSERT_TRUE(service_->delete_user(blue_, bob.id));
  EXPECT_FALSE(accepted(in.access_token));
  EXPECT_FALSE(service_->refresh(in.refresh_token));
  EXPECT_FALSE(service_->sign_in_with_link(link, "192.0.2.1"));
  EXPECT_FALSE(sign_in("bob"));
}

TEST_F(Users, ANewRoleHoldsAtOnce) {
  add_user("ana");
  const auto bob = add_user("bob");
  const auto in = sign_in("bob").value();
  ASSERT_TRUE(service_->set_role(blue_, bob.id, Role::kViewer));
  EXPECT_FALSE(accepted(in.access_token)) << "it still says admin";
  EXPECT_EQ(principal(sign_in("bob").value()).role, Role::kViewer);
}

TEST_F(Users, AResetPasswordEndsTheirSessions) {
  const auto ana = add_user("ana");
  const auto in = sign_in("ana").value();
  ASSERT_TRUE(service_->set_password(blue_, ana.id, "battery staple"));
  EXPECT_FALSE(accepted(in.access_token));
  EXPECT_FALSE(sign_in("ana"));
  EXPECT_TRUE(sign_in("ana", "battery staple"));
}

TEST_F(Users, EnsuringAnAdminMakesOneOnlyOnce) {
  const auto first = service_->ensure_admin(blue_).value();
  const auto second = service_->ensure_admin(blue_).value();
  EXPECT_EQ(first.id, second.id);
  EXPECT_THAT(names(blue_), ElementsAre("admin"));
}

class Tokens : public ServiceTest {};

TEST_F(Tokens, WorkUntilTheyExpire) {
  const auto made = service_->create_token(blue_, "ci", Role::kOperator, hours(24)).value();
  const auto who = service_->authenticate_token(made.token).value();
  EXPECT_EQ(who.kind, Kind::kToken);
  EXPECT_EQ(who.role, Role::kOperator);
  EXPECT_EQ(who.name, "ci");
  EXPECT_EQ(who.tenant, blue_);
  EXPECT_EQ(who.expires, made.info.expires);
  clock_.advance(hours(25));
  EXPECT_FALSE(accepted(made.token));
}

TEST_F(Tokens, OfTheRoleIngestWriteAndDoNothingElse) {
  const auto made = service_->create_token(blue_, "prometheus", Role::kIngest, hours(24)).value();
  const auto who = service_->authenticate_token(made.token).value();
  EXPECT_TRUE(require_ingest(who));
  EXPECT_FALSE(require(who, Role::kViewer));
  EXPECT_EQ(service_->tokens(blue_)->at(0).role, Role::kIngest);
  const auto may_write = [&](Role role) {
    const auto token = service_->create_token(blue_, "x", role, hours(1)).value().token;
    return require_ingest(service_->authenticate_token(token).value()).has_value();
  };
  EXPECT_FALSE(may_write(Role::kViewer)) << "who reads does not write by that";
  EXPECT_TRUE(may_write(Role::kOperator));
  EXPECT_TRUE(may_write(Role::kAdmin));
}

TEST_F(Users, AreNeverOfTheRoleIngest) {
  EXPECT_EQ(service_->create_user(blue_, "ana", kPassword, Role::kIngest).error().code, ErrorCode::kInvalidArgument);
  const auto bob = add_user("bob", Role::kViewer);
  EXPECT_EQ(service_->set_role(blue_, bob.id, Role::kIngest).error().code, ErrorCode::kInvalidArgument);
}

TEST_F(Tokens, AreListedWithoutTheirText) {
  const auto first = service_->create_token(blue_, "one", Role::kViewer, hours(1)).value();
  clock_.advance(std::chrono::seconds(1));
  const auto second = service_->create_token(blue_, "two", Role::kAdmin, hours(2)).value();
  ASSERT_TRUE(service_->create_token(red_, "foreign", Role::kAdmin, hours(2)));
  const auto listed = service_->tokens(blue_).value();
  ASSERT_EQ(listed.size(), 2u);
  EXPECT_EQ(listed[0].id, second.info.id);
  EXPECT_EQ(listed[0].role, Role::kAdmin);
  EXPECT_EQ(listed[1].name, "one");
  EXPECT_FALSE(listed[1].revoked);
  clock_.advance(hours(1));
  EXPECT_EQ(service_->tokens(blue_)->size(), 1u) << "expired ones are left out";
}

TEST_F(Tokens, ARevokedOneStopsAtOnceAndForGood) {
  const auto made = service_->create_token(blue_, "ci", Role::kViewer, hours(24 * 365)).value();
  ASSERT_TRUE(accepted(made.token));
  EXPECT_EQ(service_->revoke_token(red_, made.info.id).error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(accepted(made.token));
  ASSERT_TRUE(service_->revoke_token(blue_, made.info.id));
  EXPECT_FALSE(accepted(made.token));
  EXPECT_TRUE(service_->tokens(blue_)->at(0).revoked);
  clock_.advance(hours(24 * 300));
  ASSERT_TRUE(service_->maintain());
  open();
  EXPECT_FALSE(accepted(made.token));
}

TEST_F(Tokens, ARevocationByAnotherProcessArrivesWithMaintenance) {
  const auto made = service_->create_token(blue_, "ci", Role::kViewer, hours(24)).value();
  ASSERT_TRUE(accepted(made.token));
  auto other = Service::open(*database_, files_, clock_, "/data").value();
  ASSERT_TRUE(other->revoke_token(blue_, made.info.id));
  ASSERT_TRUE(service_->maintain());
  EXPECT_FALSE(accepted(made.token));
}

TEST_F(Tokens, NeedANameARoleAndABoundedTime) {
  EXPECT_FALSE(service_->create_token(blue_, "", Role::kViewer, hours(1)));
  EXPECT_FALSE(service_->create_token(blue_, "a\nb", Role::kViewer, hours(1)));
  EXPECT_FALSE(service_->create_token(blue_, "ci", Role::kNone, hours(1)));
  EXPECT_FALSE(service_->create_token(blue_, "ci", Role::kViewer, Duration(0)));
  EXPECT_FALSE(service_->create_token(blue_, "ci", Role::kViewer, hours(24 * 10000)));
  EXPECT_FALSE(service_->create_token(blue_, "ci", Role::kViewer, Duration(INT64_MAX)));
  EXPECT_TRUE(service_->tokens(blue_)->empty());
}

TEST_F(Tokens, AreCheckedAgainstTheTenantHeader) {
  const auto made = service_->create_token(blue_, "ci", Role::kViewer, hours(1)).value();
  const auto ask = [&](std::string_view tenant) {
    return service_->authenticate(
        {[&](std::string_view name) -> std::string_view {
           return name == "x-scope-orgid" ? tenant : name == "x-api-key" ? std::string_view(made.token) : "";
         },
         [](std::string_view) { return std::string_view(); }});
  };
  EXPECT_TRUE(ask(""));
  EXPECT_TRUE(ask("blue"));
  EXPECT_EQ(ask("red").error().code, ErrorCode::kPermissionDenied);
}

TEST_F(Tokens, OfAnotherDataDirectoryAreForged) {
  const auto made = service_->create_token(blue_, "ci", Role::kViewer, hours(1)).value();
  auto database = db::open_sqlite(":memory:").value();
  auto other = Service::open(*database, files_, clock_, "/elsewhere").value();
  EXPECT_EQ(other->authenticate_token(made.token).error().code, ErrorCode::kUnauthenticated);
}

TEST_F(Tokens, ADamagedKeyFileIsReportedAndKept) {
  ASSERT_TRUE(io::write_file_atomically(files_, "/data/keys/jwt.pem", "garbage"));
  const auto opened = Service::open(*database_, files_, clock_, "/data");
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kCorruption);
  EXPECT_THAT(opened.error().message, testing::HasSubstr("/data/keys/jwt.pem"));
  EXPECT_EQ(io::read_file(files_, "/data/keys/jwt.pem").value(), "garbage");
}

/// What commands beside a server use: nothing is written for it.
TEST_F(Users, WhoReadsTheKeyOfTheFolderIsAnAdministratorForAMinute) {
  const auto make = [&](const std::string& folder) {
    return folder_token(files_, clock_.now(), folder, blue_, "root at the command line");
  };
  files_.set_capacity(0);
  const auto token = make("/data").value();
  const auto who = service_->authenticate_token(token).value();
  EXPECT_EQ(who.tenant, blue_);
  EXPECT_EQ(who.role, Role::kAdmin);
  EXPECT_EQ(who.name, "root at the command line");
  EXPECT_TRUE(service_->tokens(blue_)->empty());
  clock_.advance(std::chrono::seconds{95});
  EXPECT_FALSE(accepted(token));
  EXPECT_EQ(make("/elsewhere").error().code, ErrorCode::kNotFound);
  EXPECT_FALSE(files_.exists("/elsewhere/keys/jwt.pem"));
}

}  // namespace
}  // namespace atalaya::auth
