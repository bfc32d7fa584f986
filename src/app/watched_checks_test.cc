#include "app/watched_checks.h"

#include <gtest/gtest.h>

namespace atalaya::app {
namespace {

packages::CollectorItem check(std::string id, std::string type, std::string on) {
  packages::CollectorItem item;
  item.id = std::move(id);
  item.tenant = default_tenant();
  item.type = std::move(type);
  item.on.patterns = {std::move(on)};
  return item;
}

Labels series(std::string_view name, std::string_view type, std::string_view host) {
  return Labels{{"__name__", "check_up"}, {"job", "check"}, {"check", name}, {"type", type}, {"instance", host}};
}

class WatchedChecks : public testing::Test {
 protected:
  const rules::Watched watched_ = watched_checks(
      {{default_tenant(), {check("site/web/shop", "http", "web*"), check("site/files/app", "log", "*")}}});
  bool watches(const Labels& labels) const { return watched_(default_tenant(), labels); }
};

TEST_F(WatchedChecks, ADeclaredCheckIsWatchedOnItsHosts) {
  EXPECT_TRUE(watches(series("shop", "http", "web1")));
  EXPECT_FALSE(watches(series("shop", "http", "db1")));
}

TEST_F(WatchedChecks, ACheckThatNobodyDeclaresIsNot) {
  EXPECT_FALSE(watches(series("shop", "tcp", "web1")));
  EXPECT_FALSE(watches(series("web", "http", "web1")));
  EXPECT_FALSE(watches(series("app", "log", "web1")));
}

TEST_F(WatchedChecks, WhatIsNoCheckIsAlwaysWatched) {
  EXPECT_TRUE(watches(Labels{{"__name__", "up"}, {"job", "node"}, {"instance", "web1"}}));
  EXPECT_TRUE(watches(Labels{{"__name__", "up"}, {"check", "shop"}}));
  EXPECT_TRUE(watched_(TenantId{"other"}, series("web", "http", "web1")));
}

}  // namespace
}  // namespace atalaya::app
