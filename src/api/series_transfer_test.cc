#include "api/series_transfer.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <future>
#include <set>

#include "api/federate.h"
#include "io/memory_file_system.h"
#include "net/router_match.h"
#include "tsdb/store.h"

namespace atalaya::api {
namespace {

using ::testing::HasSubstr;

class SeriesTransferTest : public ::testing::Test {
 protected:
  SeriesTransferTest() {
    database_ = std::move(*db::open_sqlite(":memory:"));
    service_ = std::move(*auth::Service::open(*database_, files_, clock_, "/data"));
    tsdb::Options options;
    options.directory = "/series";
    options.commit_inline = true;
    store_ = std::move(*tsdb::Store::open(files_, clock_, metrics_, options));
    Doors doors(router_, *service_, auth::everybody_is_admin(default_tenant()));
    add_series_transfer_routes(doors, {*store_, *store_, clock_, workers_, workers_});
    add_federate_route(doors, {*store_, clock_, workers_});
  }

  net::Response ask(std::string method, const std::string& target, std::string body = {}, std::string type = {},
                    std::string accept = {}) {
    net::Request request;
    const auto mark = target.find('?');
    request.method = std::move(method);
    request.path = target.substr(0, mark);
    if (mark != std::string::npos) request.query = net::Parameters::parse(target.substr(mark + 1));
    if (!type.empty()) request.headers.add("Content-Type", std::move(type));
    if (!accept.empty()) request.headers.add("Accept", std::move(accept));
    request.body = std::move(body);
    std::vector<std::string> allowed;
    const auto* const match = asked_->find(request.method, request.path, request.captures, allowed);
    std::promise<net::Response> answer;
    match->handler(std::move(request), [&](net::Response response) { answer.set_value(std::move(response)); });
    return answer.get_future().get();
  }
  std::string at(int seconds) const { return std::to_string(to_ms(clock_.now()) + seconds * 1000); }
  std::string import_text(const std::string& body) {
    return ask("POST", "/api/atalaya/v1/series/import", body, "text/plain").body;
  }
  static std::string export_of(const std::string& match, const std::string& more = {}) {
    return "/api/atalaya/v1/series/export?match[]=" + match + more;
  }

  ManualClock clock_{from_ms(1'700'000'000'000)};
  io::MemoryFileSystem files_;
  telemetry::Registry metrics_;
  std::unique_ptr<db::Database> database_;
  std::unique_ptr<auth::Service> service_;
  std::unique_ptr<tsdb::Store> store_;
  net::Router router_;
  net::Router* asked_ = &router_;
  net::WorkerPool workers_{1, 4};
};

TEST_F(SeriesTransferTest, WhatIsImportedIsExported) {
  EXPECT_EQ(
      import_text("up{job=\"a\"} 1 " + at(-2) + "\nup{job=\"a\"} 0 " + at(-1) + "\nup{job=\"b\"} 2 " + at(-1) + "\n"),
      R"({"lines":3,"samples":3,"refused_samples":0,"bad_lines":0,"errors":[]})");
  const auto all = ask("GET", export_of("up"));
  EXPECT_EQ(all.body,
            R"({"metric":{"__name__":"up","job":"a"},"values":[1,0],"timestamps":[1699999998000,1699999999000]})"
            "\n"
            R"({"metric":{"__name__":"up","job":"b"},"values":[2],"timestamps":[1699999999000]})"
            "\n");
  EXPECT_EQ(all.headers.get(kNextPage), "");
  EXPECT_EQ(ask("GET", export_of("up", "&format=text&start=1699999999")).body,
            "up{job=\"a\"} 0 1699999999000\nup{job=\"b\"} 2 1699999999000\n");
  EXPECT_EQ(ask("POST", "/api/atalaya/v1/series/import", all.body, "application/x-ndjson").body,
            R"({"lines":2,"samples":3,"refused_samples":0,"bad_lines":0,"errors":[]})");
}

TEST_F(SeriesTransferTest, LinesThatAreRefusedAreNumbered) {
  const auto answer = import_text("up 1 " + at(0) + "\nup 2 5\nnonsense\n");
  EXPECT_THAT(answer, HasSubstr(R"("samples":1,"refused_samples":1,"bad_lines":1)"));
  EXPECT_THAT(answer,
              HasSubstr(R"({"line":2,"error":"the sample at 1970-01-01T00:00:00.005Z: too old: samples of its)"));
  EXPECT_THAT(answer, HasSubstr(R"({"line":3,"error":"a value is missing"})"));
}

TEST_F(SeriesTransferTest, PagesJoinToTheWhole) {
  constexpr int kSamples = 60'000;
  std::string body;
  for (const auto* name : {"one", "two", "three"}) {
    for (int i = 0; i < kSamples; ++i) {
      body += std::string(name) + "{padding=\"" + std::string(20, 'x') + "\"} 1." + std::to_string(i) + " " +
              std::to_string(to_ms(clock_.now()) - kSamples + i) + "\n";
    }
  }
  EXPECT_THAT(import_text(body), HasSubstr("\"samples\":180000,\"refused_samples\":0"));
  std::string joined;
  std::string after;
  int pages = 0;
  do {
    const auto page = ask("GET", export_of("{padding!=\"\"}", "&format=text" + after));
    ASSERT_EQ(page.status, 200) << page.body;
    EXPECT_LT(page.body.size(), 6u << 20);
    joined += page.body;
    after = std::string(page.headers.get(kNextPage));
    if (!after.empty()) after = "&after=" + after;
    ++pages;
  } while (!after.empty() && pages < 100);
  EXPECT_GT(pages, 2);
  EXPECT_EQ(std::count(joined.begin(), joined.end(), '\n'), 3 * kSamples);
  std::set<std::string> lines;
  for (std::size_t begin = 0; begin < joined.size();) {
    const auto end = joined.find('\n', begin);
    lines.insert(joined.substr(begin, end - begin));
    begin = end + 1;
  }
  EXPECT_EQ(lines.size(), 3u * kSamples);
}

/// More series than one query may look up: a page takes them in portions.
TEST_F(SeriesTransferTest, AnExportHasNoMoreSeriesInMemoryThanItsQueryMay) {
  const telemetry::MemoryBudget memory(1 << 20, {[] { return std::uint64_t{0}; }, [] {}}, metrics_);
  telemetry::QueryMemory queries(memory, metrics_, [] {});
  net::Router router;
  Doors doors(router, *service_, auth::everybody_is_admin(default_tenant()));
  add_series_transfer_routes(doors, {*store_, *store_, clock_, workers_, workers_, &queries});
  constexpr int kSeries = 3000;
  std::string body;
  for (int i = 0; i < kSeries; ++i) body += "m{n=\"" + std::to_string(10'000 + i) + "\"} 1 " + at(-1) + "\n";
  EXPECT_THAT(import_text(body), HasSubstr("\"samples\":3000,\"refused_samples\":0"));
  asked_ = &router;
  const auto all = ask("GET", export_of("m", "&match[]={n=~\".%2B\"}&format=text"));
  ASSERT_EQ(all.status, 200) << all.body;
  EXPECT_EQ(all.body, body) << "each once, in order";
  EXPECT_EQ(all.headers.get(kNextPage), "");
  EXPECT_EQ(queries.held(), 0u);
}

TEST_F(SeriesTransferTest, BadParametersAreRefused) {
  for (const auto& target :
       {export_of("up", "&format=xml"), export_of("up", "&after=x"), export_of("up", "&after=eA.1"), export_of("1+1"),
        export_of("up", "&start=5&end=1"), std::string("/api/atalaya/v1/series/export")}) {
    EXPECT_EQ(ask("GET", target).status, 400) << target;
  }
}

TEST_F(SeriesTransferTest, FederationShowsTheNewestOfWhatIsAlive) {
  import_text("b_total{job=\"x\",instance=\"i\"} 1 " + at(-60) + "\nb_total{job=\"x\",instance=\"i\"} 2.5 " + at(-1) +
              "\na 7 " + at(-299) + "\ngone 1 " + at(-301) + "\n{\"my.name\",job=\"y\"} 3 " + at(0) + "\nother 1 " +
              at(0));
  storage::SampleBatch ended;
  for (const auto& [seconds, value] : {std::pair(-5, 1.0), std::pair(-4, stale_marker())}) {
    ended.samples.push_back({store_->resolve(default_tenant(), Labels{{"__name__", "ended"}, {"job", "x"}}).value(),
                             clock_.now() + std::chrono::seconds{seconds}, value});
  }
  store_->append(default_tenant(), std::move(ended), [](const Result<storage::Appended>& done) { ASSERT_TRUE(done); });
  const auto answer = ask("GET", "/federate?match[]={job=~\".%2B\"}&match[]={__name__=~\"a|gone\"}&match[]=a", {}, {},
                          "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.5,*/*;q=0.1");
  EXPECT_EQ(answer.headers.get("Content-Type"), "text/plain; version=1.0.0; charset=utf-8; escaping=allow-utf-8");
  EXPECT_EQ(answer.body, "# TYPE a untyped\na{instance=\"\"} 7 " + at(-299) +
                             "\n# TYPE b_total untyped\nb_total{instance=\"i\",job=\"x\"} 2.5 " + at(-1) +
                             "\n# TYPE \"my.name\" untyped\n{\"my.name\",job=\"y\",instance=\"\"} 3 " + at(0) + "\n");
  EXPECT_EQ(ask("GET", "/federate").body, "");
  EXPECT_EQ(ask("GET", "/federate?match[]=1%2B1").status, 400);
}

TEST_F(SeriesTransferTest, FederationEscapesNamesForWhoDoesNotAskForThem) {
  import_text("{\"my.n\xc3\xa4me\",job=\"y\",\"a.b\"=\"1\",\"a-b\"=\"2\",a_b=\"3\"} 3 " + at(-1) +
              "\n{\"1.x\",job=\"y\"} 1 " + at(-2) + "\n{\"1-x\",job=\"y\"} 2 " + at(-1) + "\n");
  for (const auto* accept : {"", "text/plain;version=0.0.4", "text/plain;version=1.0.0;escaping=underscores"}) {
    const auto answer = ask("GET", "/federate?match[]={job=\"y\"}", {}, {}, accept);
    EXPECT_EQ(answer.headers.get("Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
    EXPECT_EQ(answer.body,
              "# TYPE __x untyped\n__x{job=\"y\",instance=\"\"} 2 " + at(-1) +
                  "\n# TYPE my_n_me untyped\nmy_n_me{a_b=\"3\",a_b_=\"2\",a_b__=\"1\",job=\"y\",instance=\"\"} 3 " +
                  at(-1) + "\n");
  }
}

TEST_F(SeriesTransferTest, OpenMetricsIsReadInSeconds) {
  const std::string body = "omx_total{a=\"b\"} 1 1699999999.5\n";
  EXPECT_THAT(ask("POST", "/api/atalaya/v1/series/import", body, "application/openmetrics-text; version=1.0.0").body,
              HasSubstr("\"samples\":1"));
  EXPECT_THAT(ask("POST", "/api/atalaya/v1/series/import?format=openmetrics", body, "text/plain").body,
              HasSubstr("\"samples\":1"));
  EXPECT_THAT(import_text(body + "# EOF\n"), HasSubstr("\"samples\":1"));
  EXPECT_THAT(import_text(body), HasSubstr("no whole number of milliseconds"));
  EXPECT_EQ(ask("GET", export_of("omx_total", "&format=text")).body, "omx_total{a=\"b\"} 1 1699999999500\n");
}

/// A querier of which every series whose name begins with "bad" cannot be read to its end.
class DamagedSeries final : public storage::SeriesQuerier {
 public:
  explicit DamagedSeries(const storage::SeriesQuerier& below) : below_(below) {}
  Result<std::vector<storage::SelectedSeries>> select(const TenantId& tenant, const Matchers& matchers,
                                                      storage::TimeRange range) const override {
    auto out = below_.select(tenant, matchers, range);
    for (auto& one : *out) {
      if (one.labels->get(kMetricName).starts_with("bad"))
        one.samples = std::make_unique<Damaged>(std::move(one.samples));
    }
    return out;
  }
  Result<storage::SelectedSeries> series(const TenantId& tenant, SeriesId id, storage::TimeRange range) const override {
    return below_.series(tenant, id, range);
  }
  std::shared_ptr<const Labels> labels_of(const TenantId& tenant, SeriesId id) const override {
    return below_.labels_of(tenant, id);
  }
  std::vector<std::string> label_names(const TenantId& tenant, const Matchers& matchers) const override {
    return below_.label_names(tenant, matchers);
  }
  std::vector<std::string> label_values(const TenantId& tenant, std::string_view name,
                                        const Matchers& matchers) const override {
    return below_.label_values(tenant, name, matchers);
  }

 private:
  /// Gives all but the last sample.
  class Damaged final : public storage::SampleIterator {
   public:
    explicit Damaged(std::unique_ptr<storage::SampleIterator> below) : below_(std::move(below)) {
      have_ = below_->next(next_);
    }
    bool next(Sample& out) override {
      if (!have_) return false;
      out = next_;
      have_ = below_->next(next_);
      return have_;
    }
    Status status() const override { return fail(ErrorCode::kCorruption, "block b: page 0: crc"); }

   private:
    std::unique_ptr<storage::SampleIterator> below_;
    Sample next_;
    bool have_ = false;
  };
  const storage::SeriesQuerier& below_;
};

TEST_F(SeriesTransferTest, AnExportThatCouldNotReadAllSaysSo) {
  const DamagedSeries damaged(*store_);
  net::Router router;
  Doors doors(router, *service_, auth::everybody_is_admin(default_tenant()));
  add_series_transfer_routes(doors, {*store_, damaged, clock_, workers_, workers_});
  add_federate_route(doors, {damaged, clock_, workers_});
  import_text("bad{n=\"1,\"} 1 " + at(-2) + "\nbad{n=\"1,\"} 2 " + at(-1) + "\nbad{n=\"2\"} 1 " + at(-1) + "\ngood 1 " +
              at(-1) + "\n");
  asked_ = &router;
  const auto whole = ask("GET", export_of("good"));
  EXPECT_EQ(whole.status, 200);
  EXPECT_EQ(whole.headers.get(kIncomplete), "");
  const auto refused = ask("GET", export_of("{__name__=~\"bad|good\"}"));
  EXPECT_EQ(refused.status, 500);
  EXPECT_THAT(refused.body, HasSubstr("bad{n=\\\"1,\\\"}: block b: page 0: crc"));
  const auto partial = ask("GET", export_of("{__name__=~\"bad|good\"}", "&partial=true&format=text"));
  EXPECT_EQ(partial.status, 200);
  EXPECT_EQ(partial.body, "bad{n=\"1,\"} 1 " + at(-2) + "\ngood 1 " + at(-1) + "\n");
  EXPECT_EQ(partial.headers.get(kIncomplete), "2");
  EXPECT_EQ(partial.headers.get(kIncompleteSeries), "bad%7Bn%3D%221%2C%22%7D,bad%7Bn%3D%222%22%7D");
  EXPECT_THAT(ask("GET", "/federate?match[]={__name__=~\"bad|good\"}").body, testing::Not(HasSubstr("bad")))
      << "an older value would pass for the newest";
}

}  // namespace
}  // namespace atalaya::api
