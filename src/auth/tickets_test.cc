#include "auth/tickets.h"

#include <gtest/gtest.h>

#include "auth/verified_cache.h"

namespace atalaya::auth {
namespace {

using std::chrono::seconds;

Principal ana() {
  Principal principal;
  principal.tenant = TenantId{"blue"};
  principal.name = "ana";
  principal.role = Role::kViewer;
  return principal;
}

TEST(Tickets, OpenOneSocketAndNoSecond) {
  Tickets tickets(seconds(30), 10);
  const auto ticket = tickets.create(ana(), Steady{}).value();
  const auto principal = tickets.redeem(ticket, Steady{});
  ASSERT_TRUE(principal);
  EXPECT_EQ(principal->name, "ana");
  EXPECT_EQ(principal->kind, Kind::kTicket);
  EXPECT_FALSE(tickets.redeem(ticket, Steady{}));
}

TEST(Tickets, ExpireAfterTheirTime) {
  Tickets tickets(seconds(30), 10);
  const auto ticket = tickets.create(ana(), Steady{}).value();
  EXPECT_FALSE(tickets.redeem(ticket, Steady{} + seconds(30)));
  EXPECT_FALSE(tickets.redeem(ticket, Steady{})) << "an expired ticket is gone";
}

TEST(Tickets, UnknownOnesAreUnauthenticated) {
  Tickets tickets(seconds(30), 10);
  EXPECT_EQ(tickets.redeem("", Steady{}).error().code, ErrorCode::kUnauthenticated);
}

TEST(Tickets, AreBoundedAndExpiredOnesMakeRoom) {
  Tickets tickets(seconds(30), 2);
  EXPECT_TRUE(tickets.create(ana(), Steady{}));
  EXPECT_TRUE(tickets.create(ana(), Steady{} + seconds(10)));
  const auto third = tickets.create(ana(), Steady{} + seconds(20));
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().code, ErrorCode::kResourceExhausted);
  EXPECT_TRUE(tickets.create(ana(), Steady{} + seconds(30)));
}

TEST(VerifiedCache, KeepsWhatIsUsedAndStaysBounded) {
  VerifiedCache cache(100);
  cache.put("used", ana());
  for (int i = 0; i < 1000; ++i) {
    cache.put(std::to_string(i), ana());
    ASSERT_NE(cache.find("used"), nullptr);
    ASSERT_LE(cache.size(), 102u);
  }
  EXPECT_EQ(cache.find("0"), nullptr);
  EXPECT_EQ(cache.find("used")->name, "ana");
}

}  // namespace
}  // namespace atalaya::auth
