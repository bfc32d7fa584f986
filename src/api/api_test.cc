#include <gtest/gtest.h>

#include <limits>

#include "api/json.h"
#include "api/live_queries.h"
#include "api/parameters.h"
#include "api/prometheus_json.h"
#include "io/memory_file_system.h"
#include "tsdb/store.h"

namespace atalaya::api {
namespace {

net::Request with_body(std::string body) {
  net::Request request;
  request.body = std::move(body);
  return request;
}

TEST(Fields, ReadsWhatIsThereAndFillsInWhatIsNot) {
  auto body = Fields::parse(with_body(R"({"name":"a","ttl":"5m","uses":3})")).value();
  EXPECT_EQ(body.text("name"), "a");
  EXPECT_EQ(body.duration_or("ttl", Duration{0}), std::chrono::minutes{5});
  EXPECT_EQ(body.integer("uses", 1, 5), 3);
  EXPECT_EQ(body.text_or("note", "none"), "none");
  EXPECT_TRUE(body.finish());
}

TEST(Fields, TellsTheFirstMistakeByName) {
  const auto mistake = [](std::string text, auto read) {
    auto body = Fields::parse(with_body(std::move(text))).value();
    read(body);
    const auto status = body.finish();
    return status ? std::string("none") : status.error().message;
  };
  const auto name = [](Fields& body) { body.text("name", 4); };
  EXPECT_EQ(mistake("{}", name), "field \"name\" is missing or empty");
  EXPECT_EQ(mistake(R"({"name":1})", name), "field \"name\" must be text");
  EXPECT_EQ(mistake(R"({"name":"abcde"})", name), "field \"name\" has 5 bytes; the limit is 4");
  EXPECT_EQ(mistake(R"({"name":"a","nmae":"b"})", name), "unknown field \"nmae\"");
}

TEST(Fields, RefusesWhatIsNoObject) {
  for (const auto* text : {"[1]", "{", "nonsense", "{\"a\":1} x"}) {
    EXPECT_FALSE(Fields::parse(with_body(text))) << text;
  }
  EXPECT_FALSE(Fields::parse(with_body(std::string(100'000, '['))));
}

TEST(PrometheusJson, WritesTimesInSecondsAndValuesAsText) {
  const promql::Vector vector{{Labels{{"__name__", "up"}, {"job", "a\"b"}}, from_ms(1500), 1},
                              {Labels{{"__name__", "up"}}, from_ms(2000), std::numeric_limits<double>::infinity()}};
  EXPECT_EQ(result_json(promql::Value{vector}, from_ms(2000)),
            R"({"resultType":"vector","result":[{"metric":{"__name__":"up","job":"a\"b"},"value":[1.500,"1"]},)"
            R"({"metric":{"__name__":"up"},"value":[2,"+Inf"]}]})");
  const promql::Matrix matrix{{Labels{}, {{from_ms(-1500), 0.25}, {from_ms(0), 2}}}};
  EXPECT_EQ(result_json(matrix),
            R"({"resultType":"matrix","result":[{"metric":{},"values":[[-1.500,"0.25"],[0,"2"]]}]})");
}

TEST(PrometheusJson, ATextHasTheInstantOfItsEvaluation) {
  EXPECT_EQ(result_json(promql::Value{std::string("a\"b")}, from_ms(1250)),
            R"({"resultType":"string","result":[1.250,"a\"b"]})");
}

TEST(Parameters, LimitsAndMatchersAreChecked) {
  net::Parameters parameters;
  parameters.add("limit", "7");
  EXPECT_EQ(limit_parameter(parameters, 1, 10).value(), 7u);
  EXPECT_FALSE(limit_parameter(parameters, 1, 5));
  EXPECT_EQ(match_parameter(R"({file="x"})").value().size(), 1u);
  EXPECT_TRUE(match_parameter("").value().empty());
  EXPECT_FALSE(match_parameter("sum("));
  EXPECT_FALSE(match_parameter("1 + 1"));
}

/// A store in memory that commits at once.
class LiveQueriesTest : public testing::Test {
 protected:
  LiveQueriesTest() {
    tsdb::Options options;
    options.directory = "/series";
    options.commit_inline = true;
    store = std::move(*tsdb::Store::open(files, clock, metrics, options));
    queries.emplace(*store);
  }

  SeriesId put(const Labels& labels, double value) {
    const auto id = store->resolve(default_tenant(), labels).value();
    storage::SampleBatch batch;
    batch.samples.push_back({id, clock.now(), value});
    store->append(default_tenant(), std::move(batch), [](const Result<storage::Appended>& done) { ASSERT_TRUE(done); });
    return id;
  }
  LiveQueries::Subscriber subscriber(std::uint64_t session, std::string id) {
    return {session, std::move(id), [this, session](Time, const std::string& result) {
              delivered.push_back(std::to_string(session) + " " + result);
            }};
  }

  io::MemoryFileSystem files;
  ManualClock clock{from_ms(1'700'000'000'000)};
  telemetry::Registry metrics;
  std::unique_ptr<tsdb::Store> store;
  std::optional<LiveQueries> queries;
  std::vector<std::string> delivered;
  const Duration lookback{std::chrono::minutes{5}};
};

TEST_F(LiveQueriesTest, EvaluatesWhatASampleTouchedForAllSubscribers) {
  ASSERT_TRUE(queries->subscribe(default_tenant(), "load * 2", lookback, subscriber(1, "a")));
  ASSERT_TRUE(queries->subscribe(default_tenant(), "load * 2", lookback, subscriber(2, "b")));
  ASSERT_TRUE(queries->subscribe(default_tenant(), "other", lookback, subscriber(1, "c")));
  EXPECT_EQ(queries->size(), 2u);
  const auto id = put(Labels{{"__name__", "load"}, {"instance", "x"}}, 4);
  queries->touch(default_tenant(), {id}, clock.now());
  clock.advance(Duration{1000});
  EXPECT_FALSE(queries->evaluate(clock.steady()));
  ASSERT_EQ(delivered.size(), 2u);
  EXPECT_EQ(delivered[0], R"(1 [{"metric":{"instance":"x"},"value":"8"}])");
}

TEST_F(LiveQueriesTest, PausesBetweenEvaluations) {
  ASSERT_TRUE(queries->subscribe(default_tenant(), "load", lookback, subscriber(1, "a")));
  const auto id = put(Labels{{"__name__", "load"}}, 4);
  clock.advance(Duration{1000});
  queries->touch(default_tenant(), {id}, clock.now());
  EXPECT_FALSE(queries->evaluate(clock.steady()));
  queries->touch(default_tenant(), {id}, clock.now());
  clock.advance(Duration{100});
  EXPECT_TRUE(queries->evaluate(clock.steady())) << "still marked";
  EXPECT_EQ(delivered.size(), 1u);
  clock.advance(Duration{100});
  EXPECT_FALSE(queries->evaluate(clock.steady()));
  EXPECT_EQ(delivered.size(), 2u);
}

TEST_F(LiveQueriesTest, ForgetsWhoLeft) {
  ASSERT_TRUE(queries->subscribe(default_tenant(), "load", lookback, subscriber(1, "a")));
  ASSERT_TRUE(queries->subscribe(default_tenant(), "load", lookback, subscriber(1, "b")));
  EXPECT_EQ(queries->unsubscribe(1, "a"), 1u);
  EXPECT_EQ(queries->size(), 1u);
  EXPECT_EQ(queries->drop(1), 1u);
  EXPECT_EQ(queries->size(), 0u);
}

TEST_F(LiveQueriesTest, RefusesWhatItCannotEvaluate) {
  const auto refused = queries->subscribe(default_tenant(), "sum(", lookback, subscriber(1, "a"));
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().place);
}

TEST_F(LiveQueriesTest, ATenantDoesNotHearOfAnother) {
  ASSERT_TRUE(queries->subscribe(TenantId{"other"}, "load", lookback, subscriber(1, "a")));
  const auto id = put(Labels{{"__name__", "load"}}, 4);
  queries->touch(default_tenant(), {id}, clock.now());
  clock.advance(Duration{1000});
  queries->evaluate(clock.steady());
  EXPECT_TRUE(delivered.empty());
}

}  // namespace
}  // namespace atalaya::api
