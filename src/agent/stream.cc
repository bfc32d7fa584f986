#include "agent/stream.h"

#include <algorithm>

#include "ingest/agent_payload.h"

namespace atalaya::agent {
namespace {

constexpr std::uint8_t kWireContents = kRecordSamples | kRecordLogs;
constexpr std::size_t kDefinitionsPerFrameBytes = 1 << 20;

}  // namespace

Stream::Stream(Spool& spool, ingest::HelloFrame hello, const Clock& clock, Callbacks callbacks)
    : spool_(spool), hello_(std::move(hello)), clock_(clock), callbacks_(std::move(callbacks)), compressor_(1, 16) {}

void Stream::opened() {
  open_ = true;
  send(encode(hello_));
}

void Stream::closed() {
  open_ = established_ = false;
  in_flight_.clear();
  in_flight_bytes_ = 0;
}

bool Stream::send(std::string frame) {
  const auto size = frame.size();
  if (!callbacks_.send(std::move(frame))) return false;
  bytes_sent_ += size;
  return true;
}

Status Stream::on_frame(std::string_view bytes) {
  AT_TRY(auto frame, ingest::decode_agent_frame(bytes));
  if (const auto* welcome = std::get_if<ingest::WelcomeFrame>(&frame)) {
    on_welcome(*welcome);
  } else if (const auto* ack = std::get_if<ingest::AckFrame>(&frame)) {
    on_ack(ack->sequence);
  } else if (const auto* config = std::get_if<ingest::ConfigFrame>(&frame)) {
    if (callbacks_.config) callbacks_.config(config->revision, config->json);
  } else if (auto* call = std::get_if<ingest::CallFrame>(&frame)) {
    if (callbacks_.call) callbacks_.call(std::move(*call));
  } else if (!std::holds_alternative<ingest::UnknownFrame>(frame)) {
    return fail(ErrorCode::kInvalidArgument, "the server sent a frame that only an agent sends");
  }
  return {};
}

void Stream::on_welcome(const ingest::WelcomeFrame& frame) {
  established_ = true;
  window_batches_ = std::max<std::uint64_t>(frame.window_batches, 1);
  window_bytes_ = frame.window_bytes;
  clock_difference_ = frame.server_time - clock_.now();
  skip_durable(frame);
  if (callbacks_.config) callbacks_.config(frame.config_revision, frame.config_json);
  pump();
}

void Stream::skip_durable(const ingest::WelcomeFrame& frame) {
  cursor_ = {};
  scope_ = defining_scope_ = 0;
  auto at = cursor_;
  SpoolRecord record;
  std::uint64_t durable = 0;
  while (spool_.next(cursor_, record)) {
    const bool series = !(record.contents & kRecordSamples) || record.sequence <= frame.series_sequence;
    const bool logs = !(record.contents & kRecordLogs) || record.sequence <= frame.logs_sequence;
    if (record.sequence > spool_.acknowledged() && !(series && logs)) break;
    durable = record.sequence;
    at = cursor_;
  }
  cursor_ = at;
  if (durable > 0) spool_.acknowledge(durable);
}

void Stream::on_ack(std::uint64_t sequence) {
  bool any = false;
  while (!in_flight_.empty() && in_flight_.front().sequence <= sequence) {
    round_trip_ = clock_.steady() - in_flight_.front().sent;
    in_flight_bytes_ -= in_flight_.front().bytes;
    in_flight_.pop_front();
    any = true;
  }
  if (!any) return;  // nothing that we sent: a server that counts wrongly must not empty the spool
  spool_.acknowledge(sequence);
  pump();
}

void Stream::pump() {
  if (!established_) return;
  while (in_flight_.size() < window_batches_) {
    auto at = cursor_;
    SpoolRecord record;
    if (!spool_.next(cursor_, record)) return;
    std::string kept;
    if (record.scope != scope_) {
      const bool within = at.segment == cursor_.segment && at.offset > kSegmentHeaderBytes;
      if (within) {
        // Reading the definitions takes the record's bytes away.
        kept = record.payload;
        record.payload = kept;
        const auto sent = send_definitions(at, record.scope);
        if (!sent) {
          // Without them nothing that follows in the segment means anything.
          cursor_ = at;
          spool_.pass_over(cursor_);
          continue;
        }
        if (!*sent) {
          cursor_ = at;
          return;
        }
      }
      scope_ = record.scope;
    }
    auto frame = encode(ingest::BatchFrame{record.sequence, record.scope,
                                           static_cast<std::uint8_t>(record.contents & kWireContents), record.raw_size,
                                           record.payload});
    const auto size = frame.size();
    const bool full = !in_flight_.empty() && in_flight_bytes_ + size > window_bytes_;
    if (full || !send(std::move(frame))) {
      cursor_ = at;
      return;
    }
    in_flight_.push_back({record.sequence, size, clock_.steady()});
    in_flight_bytes_ += size;
    ++batches_sent_;
  }
}

Result<bool> Stream::send_definitions(const SpoolCursor& at, std::uint64_t scope) {
  std::vector<std::string> storage;
  const auto records = spool_.defining_before(at, storage);
  if (!records && records.error().code == ErrorCode::kCorruption) return std::unexpected(records.error());
  if (!records) return false;
  if (defining_scope_ != scope) {
    defining_scope_ = scope;
    definition_frames_sent_ = 0;
  }
  std::size_t frames = 0;
  io::ZstdDecompressor decompressor;
  ingest::PayloadWriter writer;
  const auto flush = [&] {
    const auto raw = writer.take();
    if (frames++ < definition_frames_sent_) return true;
    const auto packed = compressor_.compress(raw);
    if (!send(encode(ingest::DefinitionsFrame{scope, raw.size(), packed}))) return false;
    ++definition_frames_sent_;
    return true;
  };
  for (const auto& record : *records) {
    // The record's checksum held when it was read: what does not unpack was never well formed.
    const auto raw = decompressor.decompress(record.payload, record.raw_size);
    if (!raw) continue;
    const auto definitions = ingest::payload_definitions(*raw);
    if (!definitions) continue;
    for (const auto packed : *definitions) writer.define(packed);
    if (writer.size_bytes() >= kDefinitionsPerFrameBytes && !flush()) return false;
  }
  return flush();
}

}  // namespace atalaya::agent
