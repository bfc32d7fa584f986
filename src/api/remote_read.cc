#include "api/remote_read.h"

#include <optional>
#include <utility>
#include <vector>

#include "api/federate.h"
#include "ingest/remote_read.h"
#include "io/compress.h"

namespace atalaya::api {
namespace {

constexpr std::uint64_t kMaxBody = 1 << 20;
/// Unpacked.
constexpr std::size_t kMaxMessage = 8 << 20;
/// What a series that was found takes until it is read.
constexpr std::uint64_t kBytesOfFound = 1024;
/// Who asks is looked for after so many series.
constexpr std::size_t kLookEvery = 1000;

/// The work of one request.
class Reading {
 public:
  Reading(const RemoteReadParts& parts, const auth::Principal& who, const net::Request& request, bool in_chunks)
      : parts_(parts), tenant_(who.tenant), request_(request), answer_(in_chunks) {
    if (parts.memory) memory_.emplace(*parts.memory);
  }

  Status add(const ingest::RemoteReadRequest::Query& query) {
    answer_.begin_query();
    if (query.range.to < query.range.from) return {};
    storage::SelectHints hints;
    hints.on_series = [&](std::size_t series) { return take(series * kBytesOfFound); };
    AT_TRY(auto selected, parts_.series.select_hinted(tenant_, without_external(query.matchers), query.range, hints));
    for (auto& one : selected) AT_TRY(add(std::exchange(one, {})));
    return {};
  }
  std::string text() { return answer_.take(); }

 private:
  Status add(storage::SelectedSeries one) {
    if (++looked_ % kLookEvery == 0 && request_.gone.stop_requested()) {
      return fail(ErrorCode::kCancelled, "nobody waits for the answer any more");
    }
    samples_.clear();
    one.samples->take_rest(samples_);
    AT_TRY(one.samples->status());
    const auto before = answer_.bytes();
    answer_.add(with_external(*one.labels, parts_.external), samples_);
    return take(answer_.bytes() - before);
  }
  Status take(std::uint64_t bytes) { return memory_ ? memory_->take(bytes) : Status{}; }

  Matchers without_external(Matchers matchers) const {
    for (auto& matcher : matchers) {
      const bool as_it_is = matcher.op() == Matcher::Op::kEqual && parts_.external.has(matcher.name()) &&
                            parts_.external.get(matcher.name()) == matcher.value();
      if (as_it_is) matcher = Matcher::equal(matcher.name(), "");
    }
    return matchers;
  }

  const RemoteReadParts& parts_;
  const TenantId& tenant_;
  const net::Request& request_;
  std::optional<telemetry::QueryMemory::Share> memory_;
  ingest::RemoteReadAnswer answer_;
  std::vector<Sample> samples_;
  std::size_t looked_ = 0;
};

Result<net::Response> read(const RemoteReadParts& parts, const auth::Principal& who, const net::Request& request) {
  const auto message = io::snappy_decompress(request.body, kMaxMessage);
  if (!message && message.error().code == ErrorCode::kCorruption) {
    return fail(ErrorCode::kInvalidArgument, "the body is not in snappy's block format: " + message.error().message);
  }
  if (!message) return std::unexpected(message.error());
  AT_TRY(const auto asked, ingest::read_remote_read(*message));
  Reading reading(parts, who, request, asked.in_chunks);
  for (const auto& query : asked.queries) AT_TRY(reading.add(query));
  auto response = net::Response::text(reading.text());
  if (asked.in_chunks) {
    response.headers.set("Content-Type", "application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse");
  } else {
    response.body = io::snappy_compress(response.body);
    response.headers.set("Content-Type", "application/x-protobuf");
    response.headers.set("Content-Encoding", "snappy");
  }
  return response;
}

}  // namespace

void add_remote_read_route(Doors& doors, RemoteReadParts given) {
  auto& readers = given.readers;
  doors.add_slow("POST", "/api/v1/read", Need::kViewer, readers,
                 [parts = std::move(given)](const auth::Principal& who, net::Request& request) {
                   return read(parts, who, request);
                 },
                 {.max_body_bytes = kMaxBody});
}

}  // namespace atalaya::api
