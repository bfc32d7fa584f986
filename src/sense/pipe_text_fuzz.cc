// Pipes as a hostile tenant could write them: read, checked, run for a moment.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "sense/pipe_text.h"

using namespace atalaya;
using namespace atalaya::sense;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto document = config::Document::parse(std::string(reinterpret_cast<const char*>(data), size), "pipe");
  if (!document) return 0;
  const auto spec = read_pipe(document->root());
  if (!spec) return 0;
  // As JSON it is the same pipe.
  const auto json = config::Document::parse(to_json(*spec), "json");
  AT_CHECK(json.has_value());
  const auto again = read_pipe(json->root());
  AT_CHECK(again.has_value() && *again == *spec);
  const auto checked = check(*spec);
  constexpr PipeLimits kLimits{.max_series = 4};
  auto pipe = Pipe::make(*spec, kLimits);
  AT_CHECK(pipe.has_value() == checked.has_value());
  if (!pipe) return 0;
  std::vector<Published> out;
  auto now = from_ms(1'700'000'000'000);
  for (int i = 0; i < 20; ++i) {
    now += Duration{7'777};
    for (const std::string_view stream : {"a", "b"}) {
      Record record{now, static_cast<double>(i % 7), {{"x", std::to_string(i)}}, std::nullopt};
      if (i % 5 == 0) record.text = "a line";
      pipe->push(stream, record, now, out);
    }
    pipe->tick(now, out);
    AT_CHECK(pipe->due() > now);
    AT_CHECK(pipe->remembered() <= kLimits.max_series * (kMaxStreams + kMaxParts));
  }
  for (const auto& one : out) AT_CHECK(one.publisher < spec->publishers.size());
  return 0;
}
