// What the tests of Prometheus' API share: its routes over a store in memory, for an administrator.
#pragma once

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <string>

#include "api/prometheus.h"
#include "io/memory_file_system.h"
#include "net/router_match.h"
#include "tsdb/store.h"

namespace atalaya::api {

/// The clock stands at 1970-01-01T01:40:00Z, and nothing is stored.
class PrometheusApiTest : public testing::Test {
 protected:
  PrometheusApiTest() {
    database = std::move(*db::open_sqlite(":memory:"));
    service = std::move(*auth::Service::open(*database, files, clock, "/data"));
    tsdb::Options settings;
    settings.directory = "/series";
    settings.commit_inline = true;
    store = std::move(*tsdb::Store::open(files, clock, metrics, settings));
    Doors doors(router, *service, auth::everybody_is_admin(default_tenant()));
    add_prometheus_routes(doors, {*store, clock, workers, options});
  }

  void put(const Labels& labels, Time time, double value) {
    storage::SampleBatch batch;
    batch.samples.push_back({store->resolve(default_tenant(), labels).value(), time, value});
    store->append(default_tenant(), std::move(batch), [](const Result<storage::Appended>& done) {
      ASSERT_TRUE(done);
      ASSERT_EQ(done->accepted, 1u);
    });
  }

  struct Answer {
    int status = 0;
    boost::json::object body;
    boost::json::value data() const {
      const auto* data = body.if_contains("data");
      return data ? *data : boost::json::value("none");
    }
    std::string text() const { return boost::json::serialize(body); }
    std::string error() const { return std::string(body.at("errorType").as_string()); }
    std::string message() const { return std::string(body.at("error").as_string()); }
    std::size_t warnings() const {
      const auto* warnings = body.if_contains("warnings");
      return warnings ? warnings->as_array().size() : 0;
    }
  };
  Answer ask(net::Request request) {
    std::vector<std::string> allowed;
    const auto* match = router.find(request.method, request.path, request.captures, allowed);
    if (!match) return {.status = 404, .body = {}};
    std::promise<net::Response> promise;
    match->handler(std::move(request), [&](net::Response given) { promise.set_value(std::move(given)); });
    const auto response = promise.get_future().get();
    if (response.body.empty()) return {.status = response.status, .body = {}};
    return {response.status, boost::json::parse(response.body).as_object()};
  }
  /// `form` is what stands behind the `?`, or in the body of a POST.
  Answer ask(const std::string& method, const std::string& path, const std::string& form) {
    net::Request request;
    request.method = method;
    request.path = path;
    if (method == "GET") {
      request.query = net::Parameters::parse(form);
    } else {
      request.headers.set("Content-Type", "application/x-www-form-urlencoded");
      request.body = form;
    }
    return ask(std::move(request));
  }
  Answer get(const std::string& path, const std::string& form = "") { return ask("GET", "/api/v1/" + path, form); }

  io::MemoryFileSystem files;
  ManualClock clock{from_ms(6'000'000)};
  telemetry::Registry metrics;
  std::unique_ptr<db::Database> database;
  std::unique_ptr<auth::Service> service;
  std::unique_ptr<tsdb::Store> store;
  QueryOptions options;
  net::WorkerPool workers{2, 16};
  net::Router router;
};

}  // namespace atalaya::api
