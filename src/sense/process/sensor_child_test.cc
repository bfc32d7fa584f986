#include "sense/process/sensor_child.h"

#include <gmock/gmock.h>
#include <signal.h>

#include <filesystem>
#include <fstream>
#include <future>

#include "net/testing.h"

namespace atalaya::sense::process {
namespace {

using net::testing::kPatience;
using net::testing::TestLoop;
using ::testing::HasSubstr;

/// A sensor's process, played by a shell that reads what it is sent from descriptor 3.
class Child : public ::testing::Test {
 protected:
  ~Child() override {
    loop_.run([&] { child_.reset(); });
  }
  void start(const std::string& script) {
    options_.command = {"/bin/sh", "-c", script, "sensor"};
    options_.first_wait = Duration{1};
    options_.longest_wait = Duration{2};
    loop_.run([&] {
      child_ = std::make_unique<SensorChild>(*loop_, clock_, options_, PipeSpec{},
                                             [this](std::uint32_t publisher, std::string_view stream, const Record& r) {
                                               published_.set_value(fmt_of(publisher, stream, r));
                                             });
    });
  }
  static std::string fmt_of(std::uint32_t publisher, std::string_view stream, const Record& record) {
    return std::to_string(publisher) + " " + std::string(stream) + " " + std::to_string(record.value);
  }
  SensorChildStatus await(const std::function<bool(const SensorChildStatus&)>& so) {
    std::promise<SensorChildStatus> done;
    std::function<void()> look = [&] {
      auto now = child_->status();
      if (so(now)) {
        done.set_value(std::move(now));
      } else {
        (*loop_).after(Duration{1}, [&] { look(); }).detach();
      }
    };
    (*loop_).post([&] { look(); });
    auto future = done.get_future();
    if (future.wait_for(kPatience) == std::future_status::ready) return future.get();
    ADD_FAILURE() << "it never came to be";
    std::abort();  // `look` refers to this frame
  }
  /// Octal escapes for printf.
  static std::string escaped(const std::string& bytes) {
    std::string out;
    for (const unsigned char c : bytes) {
      std::array<char, 8> text;
      std::snprintf(text.data(), text.size(), "\\%03o", c);
      out += text.data();
    }
    return out;
  }

  TestLoop loop_;
  SystemClock clock_;
  net::testing::TemporaryFolder folder_;
  SensorChildOptions options_;
  std::promise<std::string> published_;
  std::unique_ptr<SensorChild> child_;
};

TEST_F(Child, IsStartedAgainWhenItEnds) {
  start("exit 3");
  const auto status = await([](const auto& s) { return s.starts >= 4; });
  EXPECT_THAT(status.problem, HasSubstr("its process ended with code 3: its memory was used up"));
}

TEST_F(Child, IsStartedAgainWhenItIsKilled) {
  start("exec cat <&3 >/dev/null");
  const auto first = await([](const auto& s) { return s.pid > 0; });
  ::kill(first.pid, SIGKILL);
  const auto second = await([&](const auto& s) { return s.starts == 2 && s.pid > 0; });
  EXPECT_NE(second.pid, first.pid);
  EXPECT_THAT(second.problem, HasSubstr("by signal 9"));
}

TEST_F(Child, EndsWithWhoRunsIt) {
  start("exec cat <&3 >/dev/null");
  const auto pid = await([](const auto& s) { return s.pid > 0; }).pid;
  loop_.run([&] { child_.reset(); });
  std::promise<void> gone;
  std::function<void()> look = [&] {
    // A number that nobody has: it has ended, and has been waited for.
    if (::kill(pid, 0) != 0) {
      gone.set_value();
    } else {
      (*loop_).after(Duration{1}, [&] { look(); }).detach();
    }
  };
  (*loop_).post([&] { look(); });
  ASSERT_EQ(gone.get_future().wait_for(kPatience), std::future_status::ready);
}

TEST_F(Child, GetsHelloPipeAndRecords) {
  const auto heard = folder_ / "heard";
  start("head -c 300 <&3 > " + heard + ".part; mv " + heard + ".part " + heard + "; exec cat <&3 >/dev/null");
  await([](const auto& s) { return s.pid > 0; });
  loop_.run([&] {
    for (int i = 0; i < 20; ++i) child_->push("cpu", Record{from_ms(1), 12.5, {}, std::nullopt});
  });
  await([&](const auto&) { return std::filesystem::exists(heard); });
  std::ifstream in(heard);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  EXPECT_THAT(bytes, HasSubstr("atalaya-stream"));
  EXPECT_THAT(bytes, HasSubstr("\"aggregators\":[]"));
  EXPECT_THAT(bytes, HasSubstr("\x03"
                               "cpu"));
}

TEST_F(Child, HandsOverWhatComesBack) {
  const auto frames = encode(StreamWelcome{}) + encode(StreamPublished{2, "c", {{from_ms(1), 7, {}, std::nullopt}}});
  start("printf '" + escaped(frames) + "' >&3; exec cat <&3 >/dev/null");
  auto future = published_.get_future();
  ASSERT_EQ(future.wait_for(kPatience), std::future_status::ready);
  EXPECT_EQ(future.get(), "2 c 7.000000");
}

TEST_F(Child, TellsWhatItsPublishersComplainOf) {
  const std::string status =
      R"({"publishers":[{"mixin":"SendUDP","failing":true,"last_error":"nobody"},{"mixin":"Log","failing":false}]})";
  start("printf '" + escaped(encode(StreamStatus{status})) + "' >&3; exec cat <&3 >/dev/null");
  EXPECT_EQ(await([](const auto& s) { return !s.problem.empty(); }).problem, "SendUDP: nobody");
}

TEST_F(Child, DropsWhatAProcessThatReadsNothingDoesNotTake) {
  options_.max_queue_bytes = 1000;
  start("exec sleep 1000");
  await([](const auto& s) { return s.pid > 0; });
  const auto dropped = await([&](const auto& s) {
    for (int i = 0; i < 100; ++i)
      child_->push("cpu", Record{from_ms(1), 1, {{"x", std::string(10'000, 'y')}}, std::nullopt});
    return s.dropped > 0;
  });
  EXPECT_GT(dropped.dropped, 0);
}

TEST_F(Child, SaysThatItsProgramIsMissing) {
  start("");
  loop_.run([&] { child_.reset(); });
  options_.command = {"/nonexistent/program"};
  loop_.run([&] { child_ = std::make_unique<SensorChild>(*loop_, clock_, options_, PipeSpec{}, nullptr); });
  const auto status = await([](const auto& s) { return s.starts >= 2; });
  EXPECT_THAT(status.problem, HasSubstr("/nonexistent/program"));
}

}  // namespace
}  // namespace atalaya::sense::process
