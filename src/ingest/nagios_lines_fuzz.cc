// Any bytes must be refused with words or become results that hold what their headers promise.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/bytes.h"
#include "ingest/nagios_lines.h"

namespace {

void check(const atalaya::ingest::CheckResults& read) {
  using namespace atalaya;
  if (read.results.size() > ingest::kMaxCheckResults) std::abort();
  for (const auto& error : read.errors) {
    if (error.message.empty()) std::abort();
  }
  for (const auto& one : read.results) {
    if (one.host.empty() || !is_utf8(one.host) || !is_utf8(one.output)) std::abort();
    if (one.state < 0 || one.state > (one.service.empty() ? 2 : 3)) std::abort();
    for (const auto& measured : ingest::read_plugin_output(one.output).performance) {
      if (measured.label.empty()) std::abort();
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace atalaya;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check(ingest::read_check_commands(text));
  for (const auto& read : {ingest::read_nrdp_xml(text), ingest::read_nrdp_json(text)}) {
    if (read) check(*read);
    if (!read && read.error().message.empty()) std::abort();
  }
  return 0;
}
