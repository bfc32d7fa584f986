#include "ingest/agent_frame.h"

#include <fmt/format.h>

#include "base/bytes.h"

namespace atalaya::ingest {
namespace {

enum class Type : std::uint8_t { kHello = 1, kWelcome, kDefinitions, kBatch, kAck, kConfig };

ByteWriter start(std::string& out, Type type, std::size_t size_hint = 64) {
  out.reserve(size_hint);
  ByteWriter writer(out);
  writer.u8(static_cast<std::uint8_t>(type));
  return writer;
}

std::unexpected<Error> malformed(std::string_view name, std::string_view why) {
  return fail(ErrorCode::kInvalidArgument, fmt::format("agent frame {}: {}", name, why));
}

Result<AgentFrame> decode_hello(ByteReader& in) {
  HelloFrame frame;
  frame.protocol = in.varint();
  frame.version = in.text();
  frame.host = in.text();
  frame.spool_id = in.text();
  const auto facts = in.varint();
  if (facts > kMaxFacts) return malformed("hello", fmt::format("{} facts, at most {}", facts, kMaxFacts));
  for (std::uint64_t i = 0; i < facts && in.ok(); ++i) {
    std::string name{in.text()};
    frame.facts.emplace_back(std::move(name), std::string{in.text()});
  }
  if (!in.ok()) return malformed("hello", "ends too early");
  if (!is_utf8(frame.version) || !is_utf8(frame.host)) return malformed("hello", "text is not UTF-8");
  for (const auto& [name, value] : frame.facts)
    if (!is_utf8(name) || !is_utf8(value)) return malformed("hello", "fact is not UTF-8");
  return frame;
}

Result<AgentFrame> decode_welcome(ByteReader& in) {
  WelcomeFrame frame;
  frame.protocol = in.varint();
  frame.series_sequence = in.varint();
  frame.logs_sequence = in.varint();
  frame.window_batches = in.varint();
  frame.window_bytes = in.varint();
  frame.server_time = from_ms(in.svarint());
  frame.config_revision = in.text();
  frame.config_json = in.text();
  if (!in.ok()) return malformed("welcome", "ends too early");
  if (frame.config_json.size() > kMaxConfigBytes) return malformed("welcome", "configuration too large");
  return frame;
}

Result<AgentFrame> decode_definitions(ByteReader& in) {
  DefinitionsFrame frame;
  frame.scope = in.u64();
  frame.raw_size = in.varint();
  frame.packed = in.raw(in.remaining());
  if (!in.ok()) return malformed("definitions", "ends too early");
  if (frame.raw_size > kMaxPayloadBytes)
    return malformed("definitions", fmt::format("{} bytes unpacked, at most {}", frame.raw_size, kMaxPayloadBytes));
  return frame;
}

Result<AgentFrame> decode_batch(ByteReader& in) {
  BatchFrame frame;
  frame.sequence = in.varint();
  frame.scope = in.u64();
  frame.contents = in.u8();
  frame.raw_size = in.varint();
  frame.packed = in.raw(in.remaining());
  if (!in.ok()) return malformed("batch", "ends too early");
  if (frame.sequence == 0) return malformed("batch", "sequence 0");
  if (frame.raw_size > kMaxPayloadBytes)
    return malformed("batch", fmt::format("{} bytes unpacked, at most {}", frame.raw_size, kMaxPayloadBytes));
  return frame;
}

Result<AgentFrame> decode_ack(ByteReader& in) {
  const AckFrame frame{in.varint()};
  if (!in.ok()) return malformed("ack", "ends too early");
  return frame;
}

Result<AgentFrame> decode_config(ByteReader& in) {
  ConfigFrame frame;
  frame.revision = in.text();
  frame.json = in.text();
  if (!in.ok()) return malformed("config", "ends too early");
  if (frame.json.size() > kMaxConfigBytes) return malformed("config", "configuration too large");
  return frame;
}

}  // namespace

std::string encode(const HelloFrame& frame) {
  std::string out;
  auto writer = start(out, Type::kHello);
  writer.varint(frame.protocol);
  writer.text(frame.version);
  writer.text(frame.host);
  writer.text(frame.spool_id);
  writer.varint(frame.facts.size());
  for (const auto& [name, value] : frame.facts) {
    writer.text(name);
    writer.text(value);
  }
  return out;
}

std::string encode(const WelcomeFrame& frame) {
  std::string out;
  auto writer = start(out, Type::kWelcome, 96 + frame.config_json.size());
  writer.varint(frame.protocol);
  writer.varint(frame.series_sequence);
  writer.varint(frame.logs_sequence);
  writer.varint(frame.window_batches);
  writer.varint(frame.window_bytes);
  writer.svarint(to_ms(frame.server_time));
  writer.text(frame.config_revision);
  writer.text(frame.config_json);
  return out;
}

std::string encode(const DefinitionsFrame& frame) {
  std::string out;
  auto writer = start(out, Type::kDefinitions, 32 + frame.packed.size());
  writer.u64(frame.scope);
  writer.varint(frame.raw_size);
  writer.raw(frame.packed);
  return out;
}

std::string encode(const BatchFrame& frame) {
  std::string out;
  auto writer = start(out, Type::kBatch, 40 + frame.packed.size());
  writer.varint(frame.sequence);
  writer.u64(frame.scope);
  writer.u8(frame.contents);
  writer.varint(frame.raw_size);
  writer.raw(frame.packed);
  return out;
}

std::string encode(const AckFrame& frame) {
  std::string out;
  start(out, Type::kAck, 16).varint(frame.sequence);
  return out;
}

std::string encode(const ConfigFrame& frame) {
  std::string out;
  auto writer = start(out, Type::kConfig, 64 + frame.json.size());
  writer.text(frame.revision);
  writer.text(frame.json);
  return out;
}

Result<AgentFrame> decode_agent_frame(std::string_view bytes) {
  if (bytes.empty()) return malformed("", "empty message");
  if (bytes.size() > kMaxFrameBytes)
    return malformed("", fmt::format("{} bytes, at most {}", bytes.size(), kMaxFrameBytes));
  ByteReader in(bytes);
  const auto type = in.u8();
  switch (static_cast<Type>(type)) {
    case Type::kHello: return decode_hello(in);
    case Type::kWelcome: return decode_welcome(in);
    case Type::kDefinitions: return decode_definitions(in);
    case Type::kBatch: return decode_batch(in);
    case Type::kAck: return decode_ack(in);
    case Type::kConfig: return decode_config(in);
  }
  return UnknownFrame{type};
}

}  // namespace atalaya::ingest
