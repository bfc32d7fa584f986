#include "storage/commit_queue.h"

#include <gtest/gtest.h>

#include <future>

namespace atalaya::storage {
namespace {

using Queue = CommitQueue<int>;
using Pushed = Queue::Pushed;

TEST(CommitQueue, WhatWaitsIsCommittedAsOneGroupInOrder) {
  std::promise<void> entered;
  std::promise<void> release;
  std::vector<std::vector<int>> groups;
  Queue queue(
      {10, 10}, Duration{3'600'000}, false,
      [&](std::vector<int> group) {
        groups.push_back(group);
        if (groups.size() > 1) return;
        entered.set_value();
        release.get_future().wait();
      },
      [] {});
  queue.start();
  EXPECT_EQ(queue.push(1, 1), Pushed::kYes);
  entered.get_future().wait();
  for (const int i : {2, 3, 4}) EXPECT_EQ(queue.push(int{i}, 1), Pushed::kYes);
  release.set_value();
  queue.stop();
  EXPECT_EQ(groups, (std::vector<std::vector<int>>{{1}, {2, 3, 4}}));
  EXPECT_EQ(queue.push(5, 1), Pushed::kStopped);
}

TEST(CommitQueue, BoundsHoldForCountAndWeight) {
  Queue queue({3, 10}, Duration{1000}, false, [](std::vector<int>) {}, [] {});
  EXPECT_EQ(queue.push(1, 100), Pushed::kYes);  // one item of any weight finds room
  EXPECT_EQ(queue.push(2, 1), Pushed::kFull);
  Queue small({2, 10}, Duration{1000}, false, [](std::vector<int>) {}, [] {});
  EXPECT_EQ(small.push(1, 1), Pushed::kYes);
  EXPECT_EQ(small.push(2, 1), Pushed::kYes);
  EXPECT_EQ(small.push(3, 1), Pushed::kFull);
}

TEST(CommitQueue, WritersThatComeAtOnceShareAGroup) {
  std::promise<void> entered;
  std::promise<void> release;
  std::promise<void> second;
  std::vector<std::vector<int>> groups;
  Queue queue(
      {10, 10, Duration{10'000}}, Duration{3'600'000}, false,
      [&](std::vector<int> group) {
        groups.push_back(group);
        if (groups.size() == 1) {
          entered.set_value();
          release.get_future().wait();
        }
        if (groups.size() == 2) second.set_value();
      },
      [] {});
  queue.start();
  queue.push(1, 1);  // alone: at once
  entered.get_future().wait();
  queue.push(2, 1);
  queue.push(3, 1);
  release.set_value();
  // The first writer again, for whom the others' group waits; where it is back before the first group ends, one more
  // is waited for in vain, ten seconds at most.
  queue.push(4, 1);
  second.get_future().wait();
  EXPECT_EQ(groups[1], (std::vector<int>{2, 3, 4}));
}

TEST(CommitQueue, NobodyWaitsForAWriterThatLeft) {
  std::promise<void> entered;
  std::promise<void> release;
  std::promise<void> second;
  std::vector<std::vector<int>> groups;
  Queue queue(
      {10, 10, Duration{1}}, Duration{3'600'000}, false,
      [&](std::vector<int> group) {
        groups.push_back(group);
        if (groups.size() == 1) {
          entered.set_value();
          release.get_future().wait();
        } else {
          second.set_value();
        }
      },
      [] {});
  queue.start();
  queue.push(1, 1);
  entered.get_future().wait();
  queue.push(2, 1);
  release.set_value();
  second.get_future().wait();
  EXPECT_EQ(groups, (std::vector<std::vector<int>>{{1}, {2}}));
}

TEST(CommitQueue, AGroupWaitsNoLongerThanTheCommitterSaysItIsWorth) {
  std::promise<void> entered;
  std::promise<void> release;
  std::promise<void> second;
  std::vector<std::vector<int>> groups;
  Queue* self = nullptr;
  Queue queue(
      {10, 10, std::chrono::hours{1}}, Duration{3'600'000}, false,
      [&](std::vector<int> group) {
        groups.push_back(group);
        self->gather_at_most(std::chrono::microseconds{100});
        if (groups.size() == 1) {
          entered.set_value();
          release.get_future().wait();
        } else {
          second.set_value();
        }
      },
      [] {});
  self = &queue;
  queue.start();
  queue.push(1, 1);
  entered.get_future().wait();
  queue.push(2, 1);
  release.set_value();
  second.get_future().wait();
  EXPECT_EQ(groups, (std::vector<std::vector<int>>{{1}, {2}})) << "the first writer was not waited for";
}

TEST(CommitQueue, InlineCommitsBeforePushReturns) {
  std::vector<std::vector<int>> groups;
  Queue* self = nullptr;
  Queue queue(
      {10, 10}, Duration{1000}, true,
      [&](std::vector<int> group) {
        groups.push_back(group);
        if (group[0] == 1) self->push(2, 1);
      },
      [] {});
  self = &queue;
  queue.push(1, 1);
  EXPECT_EQ(groups, (std::vector<std::vector<int>>{{1}, {2}}));
}

}  // namespace
}  // namespace atalaya::storage
