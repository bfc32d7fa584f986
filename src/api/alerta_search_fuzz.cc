// Any text must be refused with a place or be a question that every alert answers.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "api/alerta_query.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace atalaya;
  const auto test = api::alerta::parse_search({reinterpret_cast<const char*>(data), size});
  if (!test) {
    if (test.error().message.empty()) std::abort();
    return 0;
  }
  alerts::SeenReport seen;
  seen.report.event = "b c";
  seen.report.tags = {"x", "y"};
  if ((*test)(seen) != (*test)(seen)) std::abort();
  return 0;
}
