#include "api/series_care.h"

#include "api/prometheus_test_support.h"

namespace atalaya::api {
namespace {

class SeriesCareTest : public PrometheusApiTest {
 protected:
  SeriesCareTest() : audit_(std::move(*registry::Audit::open(*database))) {
    Doors doors(router, *service, auth::everybody_is_admin(default_tenant()));
    add_series_care_routes(doors, *store, workers, *audit_, clock);
    for (const auto* instance : {"a", "b"}) put(Labels{{"__name__", "up"}, {"instance", instance}}, from_ms(1000), 1);
  }
  std::size_t series() { return get("series", "match[]=up").data().as_array().size(); }

  std::unique_ptr<registry::Audit> audit_;
};

TEST_F(SeriesCareTest, SeriesAreDeletedByAFormInTheBody) {
  for (const auto* method : {"POST", "PUT"}) {
    EXPECT_EQ(ask(method, "/api/v1/admin/tsdb/delete_series", "match[]=nope").status, 204) << method;
    EXPECT_EQ(ask(method, "/api/v1/admin/tsdb/delete_series", "match[]=up{instance=\"a\"}&end=0.5").status, 204);
  }
  EXPECT_EQ(series(), 2u);
  EXPECT_EQ(ask("POST", "/api/v1/admin/tsdb/delete_series", "match[]=up{instance=\"a\"}&start=1&end=1.5").status, 204);
  EXPECT_EQ(series(), 1u);
  EXPECT_EQ(ask("PUT", "/api/v1/admin/tsdb/delete_series", "match[]=up").status, 204);
  EXPECT_EQ(series(), 0u);
  EXPECT_EQ(ask("POST", "/api/v1/admin/tsdb/delete_series", "start=1").message(), "no match[] parameter provided");
}

}  // namespace
}  // namespace atalaya::api
