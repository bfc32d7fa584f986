#include "auth/credentials.h"

#include <gtest/gtest.h>

#include <map>

#include "base/bytes.h"

namespace atalaya::auth {
namespace {

using Fields = std::map<std::string, std::string>;

struct Request {
  Fields headers;
  Fields query;

  RequestView view() const {
    return {[this](std::string_view name) { return get(headers, name); },
            [this](std::string_view name) { return get(query, name); }};
  }
  static std::string_view get(const Fields& fields, std::string_view name) {
    const auto found = fields.find(std::string(name));
    return found == fields.end() ? std::string_view() : found->second;
  }
};

Result<std::string> authorization(std::string value) {
  const Request request{{{"authorization", std::move(value)}}, {}};
  return extract_token(request.view());
}

TEST(Credentials, ComeFromEveryCarrier) {
  EXPECT_EQ(authorization("Bearer abc.def").value(), "abc.def");
  EXPECT_EQ(authorization("bearer   abc.def ").value(), "abc.def");
  EXPECT_EQ(authorization("Key abc").value(), "abc");
  EXPECT_EQ(authorization("Token abc").value(), "abc");
  EXPECT_EQ(authorization("Basic " + base64_encode("anybody:abc.def")).value(), "abc.def");
  EXPECT_EQ(authorization("Basic " + base64_encode(":abc:def")).value(), "abc:def");
  const Request api_key{{{"x-api-key", "abc"}}, {}};
  EXPECT_EQ(extract_token(api_key.view()).value(), "abc");
  const Request in_query{{}, {{"api-key", "abc"}}};
  EXPECT_EQ(extract_token(in_query.view()).value(), "abc");
}

TEST(Credentials, AWrongAuthorizationHeaderIsNotReplacedByAnotherCarrier) {
  const Request request{{{"authorization", "Digest abc"}, {"x-api-key", "abc"}}, {{"api-key", "abc"}}};
  const auto token = extract_token(request.view());
  ASSERT_FALSE(token);
  EXPECT_EQ(token.error().code, ErrorCode::kUnauthenticated);
}

TEST(Credentials, WrongFormsAreUnauthenticated) {
  for (const std::string value : {"Bearer", "Bearer ", "abc", "Basic !!!", "Basic YWJj", "Basic YTo=", "Digest abc"}) {
    const auto token = authorization(value);
    ASSERT_FALSE(token) << value;
    EXPECT_EQ(token.error().code, ErrorCode::kUnauthenticated) << value;
  }
  EXPECT_FALSE(authorization("Bearer " + std::string(10000, 'x')));
  EXPECT_FALSE(extract_token(Request{}.view()));
}

TEST(Credentials, TheErrorDoesNotRepeatTheSecret) {
  const auto token = authorization("Secret-Scheme hunter2");
  ASSERT_FALSE(token);
  EXPECT_EQ(to_string(token.error()).find("hunter2"), std::string::npos);
}

TEST(Credentials, AnotherTenantInTheHeaderIsForbidden) {
  Principal principal;
  principal.tenant = TenantId{"blue"};
  const auto status = [&](std::string header) {
    const Request request{{{"x-scope-orgid", std::move(header)}}, {}};
    return check_tenant_header(request.view(), principal);
  };
  EXPECT_TRUE(status("blue"));
  EXPECT_TRUE(status(""));
  ASSERT_FALSE(status("red"));
  EXPECT_EQ(status("red").error().code, ErrorCode::kPermissionDenied);
  EXPECT_FALSE(status("blue|red"));
}

TEST(Credentials, RolesAreOrderedAndAgentsHaveNone) {
  Principal viewer;
  viewer.role = Role::kViewer;
  EXPECT_TRUE(require(viewer, Role::kViewer));
  EXPECT_EQ(require(viewer, Role::kOperator).error().code, ErrorCode::kPermissionDenied);
  Principal admin;
  admin.role = Role::kAdmin;
  EXPECT_TRUE(require(admin, Role::kOperator));
  EXPECT_FALSE(require_agent(admin));
  Principal agent;
  agent.kind = Kind::kAgent;
  agent.role = Role::kAdmin;
  EXPECT_FALSE(require(agent, Role::kNone));
  EXPECT_TRUE(require_agent(agent));
}

}  // namespace
}  // namespace atalaya::auth
