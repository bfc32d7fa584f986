#include "agent/calls.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <future>
#include <latch>

#include "net/test_loop.h"

namespace atalaya::agent {
namespace {

/// Calls on a loop, and what they answer.
class CallsTest : public testing::Test {
 protected:
  ~CallsTest() override {
    loop_.run([this] { calls_.reset(); });
    loop_.stop();
  }
  void make(CallsOptions options, Calls::Run run) {
    loop_.run([&] {
      calls_ = std::make_unique<Calls>(
          *loop_, options,
          [this](std::string bytes) {
            auto frame = ingest::decode_agent_frame(bytes);
            EXPECT_TRUE(frame);
            const std::lock_guard lock(mutex_);
            answers_.push_back(std::get<ingest::CallResultFrame>(std::move(*frame)));
            changed_.notify_all();
            return true;
          },
          std::move(run));
    });
  }
  void call(const std::string& id, const std::string& kind = "script") {
    ingest::CallFrame frame;
    frame.id = id;
    frame.kind = kind;
    loop_.run([&] { calls_->on_call(frame); });
  }
  ingest::CallResultFrame answer(std::size_t index) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, std::chrono::seconds{60}, [&] { return answers_.size() > index; }));
    return answers_.at(index);
  }

  net::testing::TestLoop loop_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<ingest::CallResultFrame> answers_;
  std::unique_ptr<Calls> calls_;
};

TEST_F(CallsTest, AQuestionIsAnsweredWhereNoProgramMayRun) {
  CallsOptions options{.allowed = false};
  options.questions["targets"] = [] { return std::string("none"); };
  options.questions["much"] = [] { return std::string(ingest::kMaxCallOutputBytes + 1, 'x'); };
  make(options,
       [](const io::SandboxRequest&) -> Result<io::SandboxResult> { return fail(ErrorCode::kInternal, "ran"); });
  call("c1", "targets");
  EXPECT_EQ(answer(0).output, "none");
  EXPECT_EQ(answer(0).error, "");
  call("c2", "much");
  EXPECT_EQ(answer(1).error, "too_large");
  call("c3");
  EXPECT_EQ(answer(2).error, "permission_denied");
}

TEST_F(CallsTest, TheAnswerSaysWhatTheProgramDid) {
  make({}, [](const io::SandboxRequest&) {
    return io::SandboxResult{.status = 3, .timed_out = true, .output = "out", .errors = "err"};
  });
  call("c1");
  EXPECT_EQ(answer(0), (ingest::CallResultFrame{"c1", 3, true, "out", "err", "", "", ""}));
  loop_.run([&] { EXPECT_EQ(calls_->running(), 0u); });
}

TEST_F(CallsTest, OneMoreThanMayRunIsRefusedUntilOneHasEnded) {
  std::latch go(1);
  make({.at_once = 2}, [&](const io::SandboxRequest&) {
    go.wait();
    return io::SandboxResult{};
  });
  call("c1");
  call("c2");
  call("c3");
  EXPECT_EQ(answer(0).id, "c3");
  EXPECT_EQ(answer(0).error, "resource_exhausted");
  go.count_down();
  answer(2);
  call("c4");
  EXPECT_EQ(answer(3).error, "");
}

TEST_F(CallsTest, WhoMayNotOrCannotSaysWhyAndWhatToDo) {
  make({.allowed = false}, [](const io::SandboxRequest&) { return io::SandboxResult{}; });
  call("c1");
  EXPECT_EQ(answer(0).error, "permission_denied");
  EXPECT_NE(answer(0).remedy.find("--scripts"), std::string::npos);
  make({}, [](const io::SandboxRequest&) { return io::SandboxResult{}; });
  call("c2", "dance");
  EXPECT_EQ(answer(1).error, "unprocessable");
}

TEST_F(CallsTest, ALongMessageOfAnyBytesStillFitsIntoAFrame) {
  make({}, [](const io::SandboxRequest&) -> Result<io::SandboxResult> {
    return fail(ErrorCode::kUnavailable, std::string(1 << 20, '\xff'));
  });
  call("c1");
  EXPECT_EQ(answer(0).error, "unavailable");
}

TEST_F(CallsTest, WhatRunsIsToldToEndWithTheAgent) {
  std::promise<void> begun;
  make({}, [&](const io::SandboxRequest& request) -> Result<io::SandboxResult> {
    begun.set_value();
    pollfd wait{request.cancel, POLLIN, 0};
    EXPECT_EQ(::poll(&wait, 1, -1), 1);
    return fail(ErrorCode::kCancelled, "ended");
  });
  call("c1");
  begun.get_future().get();
  loop_.run([&] { calls_.reset(); });
  EXPECT_TRUE(answers_.empty());
}

}  // namespace
}  // namespace atalaya::agent
