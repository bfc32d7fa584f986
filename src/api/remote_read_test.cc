#include "api/remote_read.h"

#include <gmock/gmock.h>

#include <future>

#include "ingest/remote_write_for_tests.h"
#include "io/compress.h"
#include "io/memory_file_system.h"
#include "net/router_match.h"
#include "tsdb/store.h"

namespace atalaya::api {
namespace {

using ingest::testing::label;
using ingest::testing::Proto;
using ingest::testing::sample;
using ::testing::HasSubstr;

class RemoteReadTest : public ::testing::Test {
 protected:
  RemoteReadTest() {
    database_ = std::move(*db::open_sqlite(":memory:"));
    service_ = std::move(*auth::Service::open(*database_, files_, clock_, "/data"));
    tsdb::Options options;
    options.directory = "/series";
    options.commit_inline = true;
    store_ = std::move(*tsdb::Store::open(files_, clock_, metrics_, options));
    Doors doors(router_, *service_, auth::everybody_is_admin(default_tenant()));
    add_remote_read_route(doors, {*store_, workers_, nullptr, Labels{{"replica", "a"}, {"site", "north"}}});
  }

  void write(const Labels& labels, std::initializer_list<std::pair<int, double>> samples) {
    storage::SampleBatch batch;
    const auto id = *store_->resolve(default_tenant(), labels);
    for (const auto& [second, value] : samples) batch.samples.push_back({id, at(second), value});
    store_->append(default_tenant(), std::move(batch), [](const auto& done) { ASSERT_TRUE(done); });
  }
  Time at(int second) const { return clock_.now() - std::chrono::minutes{1} + std::chrono::seconds{second}; }

  /// From the second 0 to the second 10.
  Proto query(std::initializer_list<std::pair<const char*, const char*>> equal) const {
    auto out = Proto().number(1, ms(0)).number(2, ms(10));
    for (const auto& [name, value] : equal) out.message(3, Proto().bytes(2, name).bytes(3, value));
    return Proto().message(1, out);
  }
  std::uint64_t ms(int second) const { return static_cast<std::uint64_t>(to_ms(at(second))); }
  Proto sample_at(int second, double value) const { return sample(static_cast<std::int64_t>(ms(second)), value); }
  net::Response ask(std::string body) {
    net::Request request;
    request.method = "POST";
    request.path = "/api/v1/read";
    request.body = std::move(body);
    std::vector<std::string> allowed;
    const auto* const match = router_.find(request.method, request.path, request.captures, allowed);
    std::promise<net::Response> answer;
    match->handler(std::move(request), [&](net::Response response) { answer.set_value(std::move(response)); });
    return answer.get_future().get();
  }
  std::string message(const Proto& request) {
    const auto answer = ask(io::snappy_compress(request.str()));
    EXPECT_EQ(answer.status, 200) << answer.body;
    EXPECT_EQ(answer.headers.get("Content-Type"), "application/x-protobuf");
    EXPECT_EQ(answer.headers.get("Content-Encoding"), "snappy");
    return io::snappy_decompress(answer.body, 1 << 20).value_or("");
  }

  ManualClock clock_{from_ms(1'700'000'000'000)};
  io::MemoryFileSystem files_;
  telemetry::Registry metrics_;
  std::unique_ptr<db::Database> database_;
  std::unique_ptr<auth::Service> service_;
  std::unique_ptr<tsdb::Store> store_;
  net::Router router_;
  net::WorkerPool workers_{1, 4};
};

TEST_F(RemoteReadTest, SamplesComeAsTheyAreStoredWithTheServersLabels) {
  write(Labels{{"__name__", "up"}, {"job", "x"}}, {{-1, 0}, {0, 1}, {5, stale_marker()}, {11, 2}});
  write(Labels{{"__name__", "up"}, {"job", "y"}, {"site", "own"}}, {{10, 3}});
  write(Labels{{"__name__", "up"}, {"job", "z"}}, {{11, 4}});
  const auto x = Proto()
                     .message(1, label("__name__", "up"))
                     .message(1, label("job", "x"))
                     .message(1, label("replica", "a"))
                     .message(1, label("site", "north"))
                     .message(2, sample_at(0, 1))
                     .message(2, sample_at(5, stale_marker()));
  const auto y = Proto()
                     .message(1, label("__name__", "up"))
                     .message(1, label("job", "y"))
                     .message(1, label("replica", "a"))
                     .message(1, label("site", "own"))
                     .message(2, sample_at(10, 3));
  EXPECT_EQ(message(query({{"__name__", "up"}})), Proto().message(1, Proto().message(1, x).message(1, y)).str());
  EXPECT_EQ(message(query({{"__name__", "up"}, {"site", "north"}})), Proto().message(1, Proto().message(1, x)).str())
      << "a label of the server's, which only series without one of their own have";
  EXPECT_EQ(message(query({{"__name__", "up"}, {"site", "south"}})), Proto().message(1, Proto()).str());
}

TEST_F(RemoteReadTest, ChunksComeToWhoTakesThem) {
  write(Labels{{"__name__", "up"}}, {{1, 1}});
  const auto answer = ask(io::snappy_compress(query({{"__name__", "up"}}).bytes(2, "\1").str()));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.headers.get("Content-Type"),
            "application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse");
  EXPECT_EQ(answer.headers.get("Content-Encoding"), "");
  EXPECT_THAT(answer.body, HasSubstr("replica"));
}

TEST_F(RemoteReadTest, WhatIsNoRequestIsRefused) {
  EXPECT_THAT(ask("up").body, HasSubstr("snappy"));
  EXPECT_EQ(ask(io::snappy_compress("\x0a\xff")).status, 400);
  EXPECT_EQ(ask(io::snappy_compress(query({}).str())).status, 400) << "which would be all series";
  auto backwards = Proto().number(1, ms(10)).number(2, ms(0)).message(3, Proto().bytes(2, "a").bytes(3, "b"));
  EXPECT_EQ(message(Proto().message(1, backwards)), Proto().message(1, Proto()).str());
}

}  // namespace
}  // namespace atalaya::api
