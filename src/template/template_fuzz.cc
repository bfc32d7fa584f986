// Any text must either be refused or render within its bounds.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "template/template.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace atalaya;
  static const auto values = boost::json::parse(
      R"({"status":"firing","alerts":[{"status":"firing","labels":{"a":"b"},"annotations":{"summary":"s"}}],
          "groupLabels":{"alertname":"x"},"n":3,"list":[1,"two",3.5,null,true]})");
  const auto parsed = templates::Template::parse({reinterpret_cast<const char*>(data), size},
                                                 {.file = "fuzz", .variables = {"labels", "value"}});
  if (!parsed) {
    if (!parsed.error().place) std::abort();
    return 0;
  }
  const auto out = parsed->render(values, {.variables = {{"labels", boost::json::object{{"a", "b"}}}, {"value", 1.5}},
                                           .max_output_bytes = 4096,
                                           .max_steps = 2000});
  if (out && out->size() > 4096) std::abort();
  return 0;
}
