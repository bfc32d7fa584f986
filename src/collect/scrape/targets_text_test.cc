#include "collect/scrape/targets_text.h"

#include <gtest/gtest.h>

namespace atalaya::collect::scrape {
namespace {

TargetsView some() {
  TargetsView out;
  out.active.push_back({"node", Labels{{"__address__", "a:1"}}, Labels{{"instance", "web1"}}, "http://a:1/metrics",
                        "http://web1:1/metrics", Duration{15'000}, Duration{10'000}, "down", "connection refused",
                        from_ms(1'700'000'000'123), Duration{12}});
  out.dropped.push_back({"node", Labels{{"__address__", "b:1"}}});
  out.dropped_counts = {{"node", 3}, {"other", 0}};
  return out;
}

TEST(TargetsText, ReadsBackWhatWasWritten) {
  const auto read = read_targets_text(targets_text(some()));
  ASSERT_TRUE(read) << to_string(read.error());
  ASSERT_EQ(read->active.size(), 1);
  const auto& one = read->active.front();
  const auto given = some().active.front();
  EXPECT_EQ(one.pool, given.pool);
  EXPECT_EQ(one.discovered, given.discovered);
  EXPECT_EQ(one.labels, given.labels);
  EXPECT_EQ(one.url, given.url);
  EXPECT_EQ(one.global_url, given.global_url);
  EXPECT_EQ(one.interval, given.interval);
  EXPECT_EQ(one.timeout, given.timeout);
  EXPECT_EQ(one.health, given.health);
  EXPECT_EQ(one.last_error, given.last_error);
  EXPECT_EQ(one.last_scrape, given.last_scrape);
  EXPECT_EQ(one.last_took, given.last_took);
  ASSERT_EQ(read->dropped.size(), 1);
  EXPECT_EQ(read->dropped.front().discovered, some().dropped.front().discovered);
  EXPECT_EQ(read->dropped_counts, some().dropped_counts);
}

TEST(TargetsText, MetadataReadsBackAsItWasWritten) {
  const std::vector<TargetMetadata> some{{Labels{{"instance", "web1"}}, "a_total", {"counter", "How\nmany", ""}},
                                         {Labels{{"instance", "web1"}}, "b.c", {"gauge", "", "bytes"}}};
  const auto read = read_metadata_text(metadata_text(some));
  ASSERT_TRUE(read) << to_string(read.error());
  ASSERT_EQ(read->size(), some.size());
  for (std::size_t i = 0; i < some.size(); ++i) {
    EXPECT_EQ((*read)[i].target, some[i].target);
    EXPECT_EQ((*read)[i].metric, some[i].metric);
    EXPECT_EQ((*read)[i].metadata, some[i].metadata);
  }
  for (const std::string_view text : {"", "[]", "{}", R"({"metadata":[{}]})", R"({"metadata":[{"labels":{"a":1}}]})"}) {
    EXPECT_FALSE(read_metadata_text(text)) << text;
  }
}

TEST(TargetsText, WhatIsNoSuchTextIsRefusedByName) {
  for (const std::string_view text :
       {"", "[]", "{}", R"({"active":{},"dropped":[],"dropped_counts":{}})",
        R"({"active":[1],"dropped":[],"dropped_counts":{}})", R"({"active":[{}],"dropped":[],"dropped_counts":{}})",
        R"({"active":[],"dropped":[{"pool":"p","discovered":{"a":1}}],"dropped_counts":{}})",
        R"({"active":[],"dropped":[],"dropped_counts":{"p":-1}})"}) {
    const auto read = read_targets_text(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, ErrorCode::kInvalidArgument);
    EXPECT_TRUE(read.error().message.starts_with("targets of an agent: ")) << read.error().message;
  }
}

}  // namespace
}  // namespace atalaya::collect::scrape
