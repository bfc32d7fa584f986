#include "app/external_labels.h"

#include <gtest/gtest.h>

namespace atalaya::app {
namespace {

TEST(ExternalLabels, AreNamesWithValues) {
  const auto labels = read_external_labels({"region=eu", "query=a=b"});
  ASSERT_TRUE(labels);
  EXPECT_EQ(*labels, (Labels{{"query", "a=b"}, {"region", "eu"}}));
  EXPECT_EQ(*read_external_labels({}), Labels{});
}

TEST(ExternalLabels, WhatIsNoLabelIsRefused) {
  for (const auto& texts : std::vector<std::vector<std::string>>{
           {"region"}, {"=eu"}, {"region="}, {"1=a"}, {"__name__=a"}, {"a=\xff"}, {"a=1", "a=2"}}) {
    const auto labels = read_external_labels(texts);
    ASSERT_FALSE(labels) << texts.front();
    EXPECT_EQ(labels.error().code, ErrorCode::kInvalidArgument);
    EXPECT_TRUE(labels.error().message.starts_with("--external-label ")) << labels.error().message;
  }
}

}  // namespace
}  // namespace atalaya::app
