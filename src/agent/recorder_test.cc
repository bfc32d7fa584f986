#include "agent/recorder.h"

#include <gtest/gtest.h>

#include <numeric>
#include <optional>
#include <utility>

#include "ingest/agent_frame.h"
#include "io/memory_file_system.h"

namespace atalaya::agent {
namespace {

struct Read {
  std::vector<std::size_t> samples;  ///< of each record
  std::size_t definitions = 0;
  std::size_t lines = 0;
};

/// What a server would make of the spool.
Read read_all(Spool& spool) {
  Read out;
  SpoolCursor cursor;
  SpoolRecord record;
  std::uint64_t scope = 0;
  std::size_t known = 0;
  io::ZstdDecompressor decompressor;
  while (spool.next(cursor, record)) {
    if (std::exchange(scope, record.scope) != record.scope) known = 0;
    const auto raw = decompressor.decompress(record.payload, record.raw_size);
    EXPECT_TRUE(raw);
    EXPECT_LT(record.raw_size, ingest::kMaxFrameBytes);
    ingest::Payload payload;
    const auto decoded = raw ? ingest::decode_payload(*raw, known, payload) : Status{};
    EXPECT_TRUE(decoded) << to_string(decoded.error());
    known += payload.definitions.size();
    out.definitions += payload.definitions.size();
    out.lines += payload.logs.size();
    out.samples.push_back(payload.samples.size());
  }
  return out;
}

class RecorderTest : public testing::Test {
 protected:
  RecorderTest() {
    SpoolOptions options;
    options.directory = "/spool";
    spool = std::move(*Spool::open(files, options));
    recorder.emplace(*spool, labels);
  }
  /// Series with names this long, and a line with a mark.
  void fill(std::size_t series, std::size_t bytes) {
    for (std::size_t i = 0; i < series; ++i) {
      const auto id = labels.add(Labels{{"n", std::to_string(i)}, {"x", std::string(bytes, 'x')}});
      batch.sample(id, kNow, 1);
    }
    batch.log(labels.add(Labels{{"job", "log"}}), kNow, "line");
    batch.mark("log/a", "1");
  }

  static constexpr Time kNow = from_ms(1'700'000'000'000);
  io::MemoryFileSystem files;
  std::unique_ptr<Spool> spool;
  collect::LabelsTable labels;
  std::optional<Recorder> recorder;
  collect::Batch batch;
};

TEST_F(RecorderTest, ABatchIsOneRecord) {
  fill(100, 100);
  EXPECT_TRUE(recorder->record(kNow, batch));
  const auto read = read_all(*spool);
  EXPECT_EQ(read.samples, std::vector<std::size_t>{100});
  EXPECT_EQ(read.lines, 1u);
}

TEST_F(RecorderTest, WhatIsMoreThanAFrameBecomesSeveralWithTheMarksInTheLast) {
  fill(200, 50'000);
  const auto sequence = recorder->record(kNow, batch);
  ASSERT_TRUE(sequence);
  EXPECT_EQ(*sequence, spool->last_sequence());
  const auto read = read_all(*spool);
  EXPECT_GT(read.samples.size(), 3u);
  EXPECT_EQ(std::accumulate(read.samples.begin(), read.samples.end(), std::size_t{0}), 200u);
  EXPECT_EQ(read.lines, 1u);
  EXPECT_EQ(spool->marks(), (collect::Marks{{"log/a", "1"}}));
}

TEST_F(RecorderTest, MoreSeriesThanAScopeTakesBecomeSeveralScopes) {
  fill(ingest::kMaxScopeDefinitions + 10, 1);
  ASSERT_TRUE(recorder->record(kNow, batch));
  const auto read = read_all(*spool);
  EXPECT_EQ(std::accumulate(read.samples.begin(), read.samples.end(), std::size_t{0}),
            ingest::kMaxScopeDefinitions + 10);
}

}  // namespace
}  // namespace atalaya::agent
