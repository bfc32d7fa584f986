#include "packages/type_scripts.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace atalaya::packages {
namespace {

const std::string kVlan = R"(#!/usr/bin/python3 -I
import json, sys
value = json.load(sys.stdin)
if sys.argv[1] == "validate":
    if 1 <= value <= 4094: print(json.dumps({"value": value}))
    else: print(json.dumps({"error": "a VLAN is 1 to 4094", "remedy": "take another"}))
elif sys.argv[1] == "format": print(json.dumps({"text": "VLAN %d" % value}))
else: sys.exit("unknown verb " + sys.argv[1])
)";

/// Answers by the input, and counts how often it is run.
struct Counting {
  std::atomic<int> runs{0};
  TypeScripts::Run run = [this](const io::SandboxRequest& request) -> Result<io::SandboxResult> {
    ++runs;
    if (request.input == "slow") return io::SandboxResult{.status = 137, .timed_out = true};
    if (request.input == "bad") return io::SandboxResult{.status = 2, .errors = "first\nno such thing\n"};
    if (request.input == "gone") return fail(ErrorCode::kUnavailable, "no room");
    return io::SandboxResult{.output = request.arguments.at(0) + " " + request.input};
  };
};

TEST(TypeScripts, AProgramValidatesAndFormats) {
  const ManualClock clock{from_ms(0)};
  // Its own bounds are two seconds, which a loaded machine may need to start Python; here they are wide.
  TypeScripts scripts(clock, {}, [](io::SandboxRequest request) {
    EXPECT_EQ(request.time, std::chrono::seconds{2});
    EXPECT_EQ(request.memory_bytes, 64u << 20);
    EXPECT_FALSE(request.network);
    request.time = std::chrono::seconds{60};
    return io::run_sandboxed(request);
  });
  EXPECT_EQ(scripts.ask(kVlan, "validate", "7").value(), "{\"value\": 7}\n");
  EXPECT_EQ(scripts.ask(kVlan, "validate", "9000").value(),
            "{\"error\": \"a VLAN is 1 to 4094\", \"remedy\": \"take another\"}\n");
  EXPECT_EQ(scripts.ask(kVlan, "format", "7").value(), "{\"text\": \"VLAN 7\"}\n");
  const auto error = scripts.ask(kVlan, "dance", "7").error();
  EXPECT_EQ(error.code, ErrorCode::kUnprocessable);
  EXPECT_EQ(error.message, "exit code 1: unknown verb dance");
}

TEST(TypeScripts, TheSameQuestionIsAskedOnce) {
  ManualClock clock{from_ms(0)};
  Counting counting;
  TypeScripts scripts(clock, {}, counting.run);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(scripts.ask("p", "validate", "1").value(), "validate 1");
  EXPECT_EQ(counting.runs, 1);
  scripts.ask("p", "format", "1").value();
  scripts.ask("p", "validate", "2").value();
  scripts.ask("q", "validate", "1").value();
  EXPECT_EQ(counting.runs, 4) << "another verb, value or program is another question";
  for (int i = 0; i < 2; ++i)
    EXPECT_EQ(scripts.ask("p", "validate", "bad").error().message, "exit code 2: no such thing");
  EXPECT_EQ(counting.runs, 5);
}

TEST(TypeScripts, AValueThatMakesAProgramHangRestsAndOthersAreAsked) {
  ManualClock clock{from_ms(0)};
  Counting counting;
  TypeScripts scripts(clock, {}, counting.run);
  EXPECT_FALSE(scripts.known("p", "validate", "slow").has_value());
  const auto error = scripts.ask("p", "validate", "slow").error();
  EXPECT_EQ(to_string(error),
            "did not end within 2s (give another value, or mend the program; as it is, this is asked again in 1m)");
  EXPECT_EQ(scripts.ask("p", "validate", "slow").error(), error);
  EXPECT_EQ(scripts.known("p", "validate", "slow")->error(), error);
  EXPECT_EQ(counting.runs, 1);
  EXPECT_EQ(scripts.ask("p", "validate", "2").value(), "validate 2");
  scripts.ask("q", "validate", "slow").error();
  EXPECT_EQ(counting.runs, 3) << "another text is another program";
  clock.advance(std::chrono::minutes{1});
  EXPECT_FALSE(scripts.known("p", "validate", "slow").has_value());
}

TEST(TypeScripts, AProgramThatHangsByAllValuesRestsAsAWhole) {
  ManualClock clock{from_ms(0)};
  Counting counting;
  const auto hangs = [&](const io::SandboxRequest& request) -> Result<io::SandboxResult> {
    if (!request.input.starts_with("slow")) return counting.run(request);
    ++counting.runs;
    return io::SandboxResult{.status = 137, .timed_out = true};
  };
  TypeScripts scripts(clock, {.most_in_a_row = 2}, hangs);
  scripts.ask("p", "validate", "slow1").error();
  scripts.ask("p", "validate", "1").value();
  scripts.ask("p", "validate", "slow2").error();
  EXPECT_EQ(counting.runs, 3) << "it answered in between";
  const auto error = scripts.ask("p", "validate", "slow3").error();
  EXPECT_EQ(to_string(error), "did not end within 2s (mend the program; as it is, it is asked again in 1m)");
  for (const auto* input : {"slow4", "2"}) {
    EXPECT_EQ(scripts.ask("p", "validate", input).error(), error);
    EXPECT_EQ(scripts.known("p", "validate", input)->error(), error);
  }
  EXPECT_EQ(scripts.ask("p", "validate", "1").value(), "validate 1") << "what it said holds";
  EXPECT_EQ(counting.runs, 4);
  clock.advance(std::chrono::minutes{1});
  EXPECT_EQ(scripts.ask("p", "validate", "2").value(), "validate 2");
}

TEST(TypeScripts, WhereThereWasNoRoomToStartAProgramItIsAskedAgainLater) {
  ManualClock clock{from_ms(0)};
  Counting counting;
  TypeScripts scripts(clock, {}, counting.run);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(scripts.ask("p", "validate", "gone").error().code, ErrorCode::kUnavailable);
    clock.advance(std::chrono::minutes{1});
  }
  EXPECT_EQ(counting.runs, 2);
}

TEST(TypeScripts, OfTooManyAnswersTheLeastRecentlyUsedGo) {
  ManualClock clock{from_ms(0)};
  Counting counting;
  TypeScripts scripts(clock, {.most_answers = 2}, counting.run);
  const auto ask = [&](const char* input) { scripts.ask("p", "validate", input).value(); };
  ask("1");
  ask("2");
  ask("1");
  ask("3");
  EXPECT_EQ(counting.runs, 3);
  ask("1");
  EXPECT_EQ(counting.runs, 3);
  ask("2");
  EXPECT_EQ(counting.runs, 4);
  EXPECT_EQ(scripts.remembered(), 2u);
}

TEST(TypeScripts, RememberedBytesAreBounded) {
  ManualClock clock{from_ms(0)};
  Counting counting;
  TypeScripts scripts(clock, {.most_bytes = 1000}, counting.run);
  for (int i = 0; i < 50; ++i) scripts.ask("p", "validate", std::to_string(i) + std::string(100, 'x')).value();
  EXPECT_GE(scripts.remembered(), 1u);
  EXPECT_LE(scripts.remembered(), 5u);
  scripts.ask("p", "validate", std::string(5000, 'x')).value();
  EXPECT_EQ(scripts.remembered(), 0u);
}

TEST(TypeScripts, NoMoreThanTwoRunAtOnce) {
  const ManualClock clock{from_ms(0)};
  std::atomic<int> now{0};
  std::atomic<int> most{0};
  TypeScripts scripts(clock, {}, [&](const io::SandboxRequest&) {
    const auto running = ++now;
    for (auto seen = most.load(); running > seen && !most.compare_exchange_weak(seen, running);) {
    }
    std::this_thread::yield();
    --now;
    return io::SandboxResult{};
  });
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) EXPECT_TRUE(scripts.ask("p", "validate", std::to_string(t * 100 + i)));
    });
  for (auto& thread : threads) thread.join();
  EXPECT_LE(most, 2);
}

}  // namespace
}  // namespace atalaya::packages
