// Any bytes as a segment file: whatever they are, opening ends, and what was healthy around them
// is found.
#include <cstdint>

#include "base/check.h"
#include "io/memory_file_system.h"
#include "storage/segment_log.h"
#include "storage/segment_scanner.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace atalaya;
  using namespace atalaya::storage;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  bool damaged = false;
  (void)decode_segment_header(bytes, "TEST", damaged);

  Segment segment;
  segment.number = 1;
  segment.epoch = 1;
  segment.salt = 77;
  std::string file = encode_segment_header(segment, "TEST");
  append_record(file, segment.salt, 1, std::string(1, '\0') + "first");
  file += bytes;
  append_record(file, segment.salt, 1'000'000, std::string(1, '\0') + "last");
  io::MemoryFileSystem files;
  AT_CHECK(files.create_directories("log").has_value());
  AT_CHECK(io::write_file_atomically(files, "log/000000000001.log", file).has_value());
  std::vector<std::string> found;
  LogDamage damage;
  const auto log = SegmentLog::open(
      files, {"log", "TEST", 1 << 20}, 1,
      [&](const Segment&, const SegmentRecord& record) -> Status {
        found.emplace_back(record.payload);
        return {};
      },
      damage);
  AT_CHECK(log.has_value());
  // Bytes can hide what follows only by being a record themselves.
  if (size == 0) AT_CHECK(found.size() == 2);
  AT_CHECK(!found.empty() && found.front() == "first");
  return 0;
}
