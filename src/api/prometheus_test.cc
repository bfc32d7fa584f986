#include "api/prometheus.h"

#include <gmock/gmock.h>

#include <cmath>

#include "api/prometheus_json.h"
#include "api/prometheus_labels.h"
#include "api/prometheus_test_support.h"

namespace atalaya::api {
namespace {

namespace json = boost::json;
using testing::HasSubstr;
using testing::StartsWith;

class PrometheusRoutesTest : public PrometheusApiTest {
 protected:
  PrometheusRoutesTest() {
    for (int i = 0; i < 10; ++i) {
      put(Labels{{"__name__", "requests_total"}, {"job", "a"}}, from_ms(i * 60'000), i);
      put(Labels{{"__name__", "requests_total"}, {"job", "b"}}, from_ms(i * 60'000), 2 * i);
      put(Labels{{"__name__", "requests_total"}, {"job", "c"}}, from_ms(i * 60'000), 3 * i);
    }
  }
  std::string result(const std::string& path, const std::string& form) {
    const auto answer = get(path, form);
    return answer.status == 200 ? json::serialize(answer.data()) : answer.text();
  }
};

TEST_F(PrometheusRoutesTest, ValuesAndInstantsAreWrittenAsPrometheusWritesThem) {
  EXPECT_EQ(result("query", "query=2&time=123.4"), R"({"resultType":"scalar","result":[1.234E2,"2"]})");
  EXPECT_EQ(result("query", "query=0.333&time=1970-01-01T01:02:03%2B01:00"),
            R"({"resultType":"scalar","result":[123,"0.333"]})");
  EXPECT_EQ(result("query", "query=1e22&time=1"), R"({"resultType":"scalar","result":[1,"10000000000000000000000"]})");
  EXPECT_EQ(result("query", "query=1e-7&time=1"), R"({"resultType":"scalar","result":[1,"0.0000001"]})");
  EXPECT_EQ(result("query", "query=vector(1e22)&time=1"),
            R"({"resultType":"vector","result":[{"metric":{},"value":[1,"1e+22"]}]})");
  EXPECT_EQ(result("query", "query=-Inf&time=1"), R"({"resultType":"scalar","result":[1,"-Inf"]})");
  EXPECT_EQ(result("query", "query=%22a%22&time=7"), R"({"resultType":"string","result":[7,"a"]})");
  EXPECT_EQ(result("query_range", "query=time()&start=0&end=2&step=1"),
            R"({"resultType":"matrix","result":[{"metric":{},"values":[[0,"0"],[1,"1"],[2,"2"]]}]})");
}

TEST_F(PrometheusRoutesTest, AnswersCountInTheMemoryOfQueriesWhileTheyAreMade) {
  telemetry::Registry counts;
  std::uint64_t taken = 0;
  const telemetry::MemoryBudget process(40'000, {[&] { return taken; }, [] {}}, counts);
  telemetry::QueryMemory memory(process, counts, [] {});
  QueryOptions counted;
  counted.memory = &memory;
  const auto ask_range = [&](int end) {
    net::Request request;
    request.method = "GET";
    request.query = net::Parameters::parse("query=requests_total&start=0&step=10&end=" + std::to_string(end));
    return answer_query_range(*store, clock, default_tenant(), request, counted);
  };
  {
    auto answer = ask_range(100);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->body,
              boost::json::serialize(get("query_range", "query=requests_total&start=0&end=100&step=10").body));
  }
  EXPECT_EQ(memory.held(), 0u);
  const auto large = ask_range(800);
  ASSERT_FALSE(large);
  EXPECT_EQ(large.error().code, ErrorCode::kUnprocessable);
  EXPECT_THAT(large.error().message, HasSubstr("a quarter of --memory, which is 40000"));
  telemetry::QueryMemory::Share other(memory);
  ASSERT_TRUE(other.take(4'000));
  taken = 40'000;
  const auto refused = ask_range(100);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(memory.held(), 4'000u);
}

TEST_F(PrometheusRoutesTest, SeriesThatAreLookedUpCountInTheMemoryOfQueries) {
  const auto ask = [&](std::uint64_t limit) {
    telemetry::Registry counts;
    const telemetry::MemoryBudget process(limit, {[] { return 0; }, [] {}}, counts);
    telemetry::QueryMemory memory(process, counts, [] {});
    net::Request request;
    request.method = "GET";
    request.query = net::Parameters::parse("match[]=requests_total");
    const auto answer = answer_series(*store, default_tenant(), request, &memory);
    EXPECT_EQ(memory.held(), 0u);
    return answer.has_value() ? std::string() : answer.error().message;
  };
  EXPECT_EQ(ask(4 * 3 * 2048), "");
  EXPECT_THAT(ask(4 * 3 * 2048 - 4), HasSubstr("a quarter of --memory"));
}

TEST_F(PrometheusRoutesTest, AnInstantQueryLooksBackAsFarAsItIsTold) {
  const std::string query = "query=requests_total{job=\"a\"}&time=700";
  EXPECT_THAT(result("query", query), HasSubstr(R"([700,"9"])"));
  EXPECT_THAT(result("query", query + "&lookback_delta=1m"), HasSubstr(R"("result":[])"));
  EXPECT_THAT(result("query", query + "&lookback_delta=0"), HasSubstr(R"([700,"9"])"));
}

TEST_F(PrometheusRoutesTest, ALimitCutsAndSaysSo) {
  for (const auto& [path, form] :
       std::vector<std::pair<std::string, std::string>>{{"query", "query=requests_total&time=60"},
                                                        {"query", "query=requests_total[5m]&time=60"},
                                                        {"query_range", "query=requests_total&start=0&end=60&step=60"},
                                                        {"series", "match[]=requests_total"},
                                                        {"label/job/values", ""}}) {
    const auto size = [](const Answer& answer) {
      const auto data = answer.data();
      return (data.is_object() ? data.at("result") : data).as_array().size();
    };
    const auto cut = get(path, form + "&limit=2");
    EXPECT_EQ(size(cut), 2u) << path;
    EXPECT_EQ(cut.body.at("warnings"), json::array{"results truncated due to limit"}) << path;
    for (const auto* enough : {"&limit=3", "&limit=0", ""}) {
      const auto whole = get(path, form + enough);
      EXPECT_EQ(size(whole), 3u) << path << enough;
      EXPECT_EQ(whole.warnings(), 0u) << path << enough;
    }
    EXPECT_EQ(get(path, form + "&limit=-1").error(), "bad_data") << path;
    EXPECT_EQ(get(path, form + "&limit=x").error(), "bad_data") << path;
  }
}

TEST_F(PrometheusRoutesTest, WhatIsWrongWithARequestIsToldByItsParameter) {
  const std::vector<std::pair<std::string, std::string>> table{
      {"query?query=up&time=x", "invalid parameter \"time\": cannot parse \"x\" to a valid timestamp"},
      {"query?query=up(&time=1", "invalid parameter \"query\": 1:"},
      {"query?query=up&timeout=x", "invalid parameter \"timeout\": cannot parse \"x\" to a valid duration"},
      {"query?query=up&lookback_delta=x", "invalid parameter \"lookback_delta\""},
      {"query", "invalid parameter \"query\": "},
      {"query_range?query=up&end=1&step=1", "invalid parameter \"start\": cannot parse \"\" to a valid timestamp"},
      {"query_range?query=up&start=2&end=1&step=1",
       "invalid parameter \"end\": end timestamp must not be before start time"},
      {"query_range?query=up&start=1&end=2", "invalid parameter \"step\": cannot parse \"\" to a valid duration"},
      {"query_range?query=up&start=1&end=2&step=0", "invalid parameter \"step\": zero or negative query resolution"},
      {"query_range?query=up&start=0&end=11001&step=1", "exceeded maximum resolution of 11,000 points per timeseries"},
      {"query_range?query=up[5m]&start=1&end=2&step=1",
       "invalid parameter \"query\": invalid expression type \"range vector\" for range query"},
      {"series", "no match[] parameter provided"},
      {"series?match[]={a=\"\"}", ""},
      {"series?match[]=sum(up)", "invalid parameter \"match[]\": not a selector"},
      {"series?match[]=up[5m]", "invalid parameter \"match[]\": not a selector"},
      {"labels?start=x", "invalid parameter \"start\""},
      {"query_exemplars?query=up&start=2&end=1", "end timestamp must not be before start timestamp"},
      {"query_exemplars?query=", "invalid parameter \"query\""},
      {"format_query?query=sum(", "invalid parameter \"query\": 1:5: parse error"},
      {"parse_query", "invalid parameter \"query\""},
  };
  for (const auto& [target, message] : table) {
    const auto mark = target.find('?');
    const auto answer = get(target.substr(0, mark), mark == target.npos ? "" : target.substr(mark + 1));
    EXPECT_EQ(answer.status, 400) << target << answer.text();
    EXPECT_EQ(answer.error(), "bad_data") << target;
    EXPECT_THAT(answer.message(), StartsWith(message)) << target;
  }
  EXPECT_EQ(get("query_range", "query=time()&start=0&end=11000&step=1").status, 200);
}

TEST_F(PrometheusRoutesTest, FractionsOfSecondsAreThoseOfDoubles) {
  const auto at = [&](const std::string& time) { return result("query", "query=time()&time=" + time); };
  EXPECT_EQ(at("1.2345"), R"({"resultType":"scalar","result":[1.234E0,"1.234"]})");
  EXPECT_EQ(at("1.2346"), R"({"resultType":"scalar","result":[1.235E0,"1.235"]})");
  EXPECT_EQ(at("%2B5.5"), R"({"resultType":"scalar","result":[5.5E0,"5.5"]})");
  EXPECT_EQ(at("-1.5"), R"({"resultType":"scalar","result":[-1.5E0,"-1.5"]})");
  EXPECT_EQ(get("query", "query=1&time=1e30").status, 200);
  EXPECT_EQ(get("query", "query=1&time=1z").status, 400);
}

TEST_F(PrometheusRoutesTest, ASelectorThatDoesNotParseIsToldWithItsPlace) {
  const auto answer = get("series", "match[]=up{[}");
  EXPECT_EQ(answer.status, 400);
  EXPECT_TRUE(answer.message().starts_with("invalid parameter \"match[]\": 1:4: parse error: ")) << answer.message();
}

TEST_F(PrometheusRoutesTest, AListOfThousandsOfHostsIsAQuery) {
  std::string hosts = "host-0";
  for (int i = 1; i < 2000; ++i) hosts += "%7Chost-" + std::to_string(i) + ".example.org:9100";
  const auto query = "query=up{instance=~\"" + hosts + "\",node=~\"" + hosts + "\"}";
  ASSERT_GT(query.size(), 100'000u);
  EXPECT_EQ(ask("POST", "/api/v1/query", query).status, 200);
}

TEST_F(PrometheusRoutesTest, WhatTheDataDoNotAllowIsAnErrorOfExecution) {
  const auto answer = get("query", "query=requests_total * ignoring(job) requests_total&time=60");
  EXPECT_EQ(answer.status, 422) << answer.text();
  EXPECT_EQ(answer.error(), "execution");
}

TEST_F(PrometheusRoutesTest, WarningsAndInfosStandBesideTheValue) {
  const auto warned = get("query", "query=quantile(2, requests_total)&time=60");
  ASSERT_EQ(warned.warnings(), 1u) << warned.text();
  EXPECT_THAT(warned.text(), HasSubstr("PromQL warning: "));
  put(Labels{{"__name__", "load"}}, from_ms(0), 1);
  put(Labels{{"__name__", "load"}}, from_ms(60'000), 2);
  EXPECT_TRUE(get("query", "query=rate(load[5m])&time=60").body.contains("infos"));
}

TEST_F(PrometheusRoutesTest, TheTimeOfAQueryBeginsAtItsArrival) {
  net::Request request;
  request.method = "GET";
  request.path = "/api/v1/query";
  request.query = net::Parameters::parse("query=requests_total&time=60&timeout=30s");
  request.arrived = Steady{std::chrono::seconds{1}};
  clock.advance(std::chrono::seconds{30});
  EXPECT_EQ(ask(request).status, 200);
  clock.advance(std::chrono::seconds{1});
  const auto late = ask(request);
  EXPECT_EQ(late.status, 503);
  EXPECT_EQ(late.error(), "timeout");
  request.query = net::Parameters::parse("query=requests_total&time=60&timeout=1h");
  clock.advance(std::chrono::seconds{88});
  EXPECT_EQ(ask(request).status, 200);
  clock.advance(std::chrono::seconds{2});
  EXPECT_EQ(ask(request).error(), "timeout") << "nobody gets more than two minutes";
}

TEST_F(PrometheusRoutesTest, AQueryForWhichNobodyWaitsIsNotEvaluated) {
  std::stop_source gone;
  net::Request request;
  request.method = "GET";
  request.path = "/api/v1/query";
  request.query = net::Parameters::parse("query=requests_total&time=60");
  request.gone = gone.get_token();
  EXPECT_EQ(ask(request).status, 200);
  gone.request_stop();
  EXPECT_EQ(ask(request).error(), "canceled");
}

TEST_F(PrometheusRoutesTest, StatisticsCountWhatIsLookedAtStepByStep) {
  EXPECT_FALSE(get("query", "query=requests_total&time=60").data().as_object().contains("stats"));
  const auto samples = [&](const std::string& path, const std::string& query) {
    return get(path, query + "&stats=all")
        .data()
        .at("stats")
        .at("samples")
        .at("totalQueryableSamples")
        .to_number<int>();
  };
  EXPECT_EQ(samples("query", "query=sum_over_time(requests_total[3m])&time=240"), 9);
  const std::string range = "&start=60&end=240&step=60";
  EXPECT_EQ(samples("query_range", "query=sum(requests_total)" + range), 12);
  EXPECT_EQ(samples("query_range", "query=sum(rate(requests_total[2m]))" + range), 24);
  EXPECT_EQ(samples("query_range", "query=requests_total@60" + range), 12) << "once for each step";
  EXPECT_EQ(samples("query_range", "query=sum_over_time(requests_total[2m:30s])" + range), 45)
      << "the results of a subquery, not what it reads; before 0 there is nothing";
  EXPECT_EQ(samples("query", "query=requests_total[2m:30s]&time=240"), 12);
  EXPECT_EQ(samples("query", "query=1&time=240"), 0);
}

TEST_F(PrometheusRoutesTest, StatisticsTellWhatWasHeldAndHowLongItTook) {
  const auto data = get("query_range", "query=sum(requests_total)&start=60&end=240&step=60&stats=all").data();
  const auto& stats = data.at("stats");
  EXPECT_GE(stats.at("samples").at("peakSamples").to_number<int>(), 12);
  for (const auto* name :
       {"evalTotalTime", "resultSortTime", "queryPreparationTime", "innerEvalTime", "execQueueTime", "execTotalTime"}) {
    EXPECT_TRUE(stats.at("timings").at(name).is_double()) << name;
  }
}

TEST_F(PrometheusRoutesTest, ASelectorMayNameThousandsOfHosts) {
  std::string hosts = "web";
  for (int i = 0; i < 4000; ++i) hosts += "|host-" + std::to_string(100'000 + i) + ".example.org:9100";
  EXPECT_EQ(get("query", "query=requests_total{job=~\"" + hosts + "\"}&time=60").status, 200);
}

TEST_F(PrometheusRoutesTest, LabelsAreThoseOfTheRangeAndTheSelectors) {
  put(Labels{{"__name__", "late"}, {"zone", "x"}}, from_ms(5'990'000), 1);
  EXPECT_EQ(result("labels", ""), R"(["__name__","job","zone"])");
  EXPECT_EQ(result("labels", "start=0&end=600"), R"(["__name__","job"])");
  EXPECT_EQ(result("labels", "start=0&end=6000"), R"(["__name__","job","zone"])");
  EXPECT_EQ(result("labels", "match[]=late&start=0&end=600"), "[]");
  EXPECT_EQ(result("label/zone/values", "match[]=late"), R"(["x"])");
  EXPECT_EQ(result("label/__name__/values", "start=700&end=6000&match[]={zone!=\"\"}"), R"(["late"])");
  EXPECT_EQ(result("series", "match[]=late&end=600"), "[]");
  EXPECT_EQ(result("series", "match[]=late&match[]={zone=\"x\"}"), R"([{"__name__":"late","zone":"x"}])");
}

TEST(UnescapedName, ReadsWhatPrometheusWrites) {
  EXPECT_EQ(unescaped_name("U__host_2e_name"), "host.name");
  EXPECT_EQ(unescaped_name("U__a__b"), "a_b");
  EXPECT_EQ(unescaped_name("U___1F600__20ac_"), "\xF0\x9F\x98\x80\xE2\x82\xAC");
  EXPECT_EQ(unescaped_name("U__junk_a__7b__7d__2c__3d_:_20__20_chars"), "junk\n{},=:  chars");
  for (const auto* plain : {"host.name", "U_", "U__a_", "U__a_zz_", "U___d800_", "U___1234567_", "U___"}) {
    EXPECT_EQ(unescaped_name(plain), plain);
  }
}

TEST_F(PrometheusRoutesTest, AQueryIsWrittenOverLinesAndAsATree) {
  EXPECT_EQ(result("format_query", "query=foo/bar"), R"("foo / bar")");
  EXPECT_EQ(get("parse_query", "query=sum by (job) (rate(up{job!=\"a\"}[5m] @ 1.5 offset 1m)) > bool 1").data(),
            json::parse(R"({"type":"binaryExpr","op":">","bool":true,"matching":null,
        "rhs":{"type":"numberLiteral","val":"1"},
        "lhs":{"type":"aggregation","op":"sum","param":null,"grouping":["job"],"without":false,
          "expr":{"type":"call","func":{"name":"rate","argTypes":["matrix"],"variadic":0,"returnType":"vector"},
            "args":[{"type":"matrixSelector","name":"up","range":300000,"offset":60000,"timestamp":1500,
              "startOrEnd":null,"anchored":false,"smoothed":false,
              "matchers":[{"name":"job","value":"a","type":"!="},{"name":"__name__","value":"up","type":"="}]}]}}})"));
  EXPECT_EQ(get("parse_query", "query=-a * on (x) group_left (y) (b[5m:1m] @ end())").status, 400) << "a range vector";
  EXPECT_EQ(get("parse_query", "query=-a * on (x) group_left (y) b").data().at("matching"),
            json::parse(R"({"card":"many-to-one","labels":["x"],"on":true,"include":["y"],
                            "fillValues":{"lhs":null,"rhs":null}})"));
}

TEST_F(PrometheusRoutesTest, WithoutARingThereAreNoExemplars) {
  EXPECT_EQ(result("query_exemplars", "query=up"), "[]");
  EXPECT_EQ(get("query_exemplars", "query=1%2B1").status, 204);
}

TEST(PrometheusJson, ExemplarsAreWrittenAsPrometheusDoes) {
  EXPECT_EQ(exemplars_json({}), "[]");
  const storage::Exemplar one{Labels{{"trace_id", "a\"b"}}, 0.67, from_ms(1'520'879'607'789)};
  const storage::Exemplar other{Labels{}, 2, from_ms(1'520'879'608'000)};
  EXPECT_EQ(exemplars_json({{Labels{{"__name__", "x"}}, {one, other}}}),
            R"([{"seriesLabels":{"__name__":"x"},"exemplars":[)"
            R"({"labels":{"trace_id":"a\"b"},"value":"0.67","timestamp":1520879607.789},)"
            R"({"labels":{},"value":"2","timestamp":1520879608}]}])");
}

}  // namespace
}  // namespace atalaya::api
