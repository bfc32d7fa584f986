// Prometheus' own table of requests with the answers that it expects (test/golden/prometheus-http-api).
#include <fstream>
#include <iostream>
#include <set>
#include <sstream>

#include "api/prometheus_test_support.h"
#include "net/percent.h"
#include "promql/script_series.h"

namespace atalaya::api {
namespace {

namespace json = boost::json;

json::object table() {
  std::ifstream file(std::string(AT_SOURCE_DIR) + "/test/golden/prometheus-http-api/endpoints.json");
  std::ostringstream text;
  text << file.rdbuf();
  return json::parse(text.str()).as_object();
}

std::string form_of(const json::object& query) {
  std::string out;
  for (const auto& [name, values] : query) {
    for (const auto& value : values.as_array()) {
      out += out.empty() ? "" : "&";
      out += net::percent_encode(std::string(name)) + "=" + net::percent_encode(std::string(value.as_string()));
    }
  }
  return out;
}

class PrometheusEndpoints : public PrometheusApiTest {
 protected:
  /// `load 1m`, then a series a line.
  void load(const std::string& script) {
    std::istringstream lines(script);
    std::string line;
    std::getline(lines, line);
    ASSERT_EQ(line, "load 1m");
    while (std::getline(lines, line)) {
      const auto series = promql::parse_script_series(promql::trimmed(line));
      ASSERT_TRUE(series) << line;
      for (std::size_t i = 0; i < series->values.size(); ++i) {
        if (series->values[i].number)
          put(series->labels, from_ms(static_cast<std::int64_t>(i) * 60'000), *series->values[i].number);
      }
    }
  }

  void expect(const json::object& one, const std::string& method) {
    const auto form = form_of(one.at("query").as_object());
    const std::string path(one.at("path").as_string());
    const auto about = method + " " + path + " " + form;
    const auto answer = ask(method, path, form);
    if (const auto* type = one.if_contains("errType")) {
      EXPECT_EQ(answer.status, 400) << about;
      EXPECT_EQ(answer.error(), type->as_string()) << about;
      return;
    }
    EXPECT_EQ(answer.status, 200) << about << answer.text();
    if (const auto* data = one.if_contains("response")) {
      EXPECT_EQ(answer.data(), *data) << about;
    }
    if (const auto* text = one.if_contains("responseAsJSON")) {
      EXPECT_EQ(answer.data(), json::parse(text->as_string())) << about;
    }
    if (const auto* size = one.if_contains("responseLen")) {
      EXPECT_EQ(answer.data().as_array().size(), size->to_number<std::size_t>()) << about;
    }
    if (const auto* count = one.if_contains("warningsCount")) {
      EXPECT_EQ(answer.warnings(), count->to_number<std::size_t>()) << about;
    }
  }
};

TEST_F(PrometheusEndpoints, AnswersAsPrometheusDoes) {
  const auto all = table();
  load(std::string(all.at("load").as_string()));
  const std::set<std::string> also_by_post{"query", "queryRange", "series", "labelNames"};
  std::size_t asked = 0;
  for (const auto& one : all.at("cases").as_array()) {
    const auto& what = one.as_object();
    const std::string endpoint(what.at("endpoint").as_string());
    if (what.at("needs_fixture").as_bool()) {
      std::cout << "left out: " << endpoint << ", which asks for what exists in Prometheus' own test alone\n";
      continue;
    }
    ++asked;
    expect(what, "GET");
    if (also_by_post.contains(endpoint)) expect(what, "POST");
  }
  EXPECT_EQ(asked, 23u);
}

}  // namespace
}  // namespace atalaya::api
