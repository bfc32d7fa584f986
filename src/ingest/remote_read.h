// Prometheus' remote read: what a request asks for, and answers in both of its forms.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/labels.h"
#include "model/matcher.h"
#include "model/sample.h"
#include "storage/series.h"

namespace atalaya::ingest {

struct RemoteReadRequest {
  struct Query {
    storage::TimeRange range;
    Matchers matchers;
  };
  std::vector<Query> queries;
  /// The first form that the asker takes and that there is: chunks in frames, or samples in one message.
  bool in_chunks = false;
};

constexpr std::size_t kMaxRemoteReadQueries = 100;
constexpr std::size_t kMaxRemoteReadMatchers = 100;  ///< of one query

/// `prometheus.ReadRequest`, unpacked. invalid_argument when the bytes are no such message, a regular expression does
/// not compile, or the asker takes neither form; too_large beyond the bounds. Hints are passed over.
Result<RemoteReadRequest> read_remote_read(std::string_view message);

/// Gathers one answer: `begin_query` for each of the request's, and its series in the order of their labels.
///
/// In samples: `prometheus.ReadResponse`, not packed yet. In chunks: frames, each the size of a message as varint, its
/// CRC-32C (big-endian) and the message, a `prometheus.ChunkedReadResponse` with one series or a part of it.
/// Thread-compatible.
class RemoteReadAnswer {
 public:
  explicit RemoteReadAnswer(bool in_chunks) : in_chunks_(in_chunks) {}

  void begin_query();
  /// Ascending in time; none: there is nothing to say of the series.
  void add(const Labels& labels, std::span<const Sample> samples);
  /// Once, at the end.
  std::string take();
  /// What is held.
  std::size_t bytes() const { return out_.size() + result_.size(); }

 private:
  void add_chunks(const Labels& labels, std::span<const Sample> samples);
  void add_frame(std::string message);
  void end_query();

  const bool in_chunks_;
  std::size_t queries_ = 0;
  std::string result_;  ///< of the query under way, in samples
  std::string out_;
};

}  // namespace atalaya::ingest
