// Any bytes as a payload of the series log.
#include <cstdint>

#include "base/check.h"
#include "tsdb/log/records.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace atalaya::tsdb;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  atalaya::storage::OriginMarks marks;
  (void)decode_marks(bytes, marks);
  CheckpointHead head;
  (void)decode_checkpoint_head(bytes, head);
  DefinitionsView definitions;
  if (decode_definitions(bytes, definitions)) {
    for (std::size_t i = 0; i < definitions.ids.size(); ++i) {
      for (const auto member : definitions.members_of(i)) AT_CHECK(member < definitions.pairs.size());
    }
  }
  SamplesRecord samples;
  if (decode_samples(bytes, samples)) {
    std::string again;
    encode_samples(samples.tenant, samples.origin, samples.samples, again);
    SamplesRecord back;
    AT_CHECK(decode_samples(again, back).has_value());
    AT_CHECK(back.samples.size() == samples.samples.size());
  }
  return 0;
}
