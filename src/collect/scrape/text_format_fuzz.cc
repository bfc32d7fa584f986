// What a hostile target could answer, in either format.
#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "base/check.h"
#include "collect/scrape/scrape_state.h"

using namespace atalaya;
using namespace atalaya::collect::scrape;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  const Labels labels{{"instance", "a:1"}, {"job", "j"}};
  const ScrapeConfig config;
  ScrapeState state;
  std::uint64_t ids = 0;
  for (const auto format : {Format::kText, Format::kOpenMetrics, Format::kText}) {
    const auto out = state.take(config, labels, Duration{1}, {body, format, from_ms(1'000'000), Duration{1}},
                                [&](const Labels& series) -> Result<SeriesId> {
                                  AT_CHECK(series.has(kMetricName) && series.get("job") == "j");
                                  for (const auto& [name, value] : series) AT_CHECK(is_utf8(name) && is_utf8(value));
                                  return SeriesId{++ids};
                                });
    AT_CHECK(is_utf8(out.error) && out.error.size() < 4096);
    AT_CHECK(out.samples.size() >= 5);
    for (const auto& [metric, metadata] : state.metadata()) AT_CHECK(is_utf8(metric) && is_utf8(metadata.help));
  }
  state.end(from_ms(2'000'000));
  return 0;
}
