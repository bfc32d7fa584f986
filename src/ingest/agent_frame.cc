#include "ingest/agent_frame.h"

#include <fmt/format.h>

#include "base/bytes.h"

namespace atalaya::ingest {
namespace {

enum class Type : std::uint8_t { kHello = 1, kWelcome, kDefinitions, kBatch, kAck, kConfig, kCall, kCallResult };

constexpr std::uint64_t kCallNetwork = 1;
constexpr std::uint64_t kCallTimedOut = 1;

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
  if (!in.at_end()) frame.abilities = in.varint();
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

std::unexpected<Error> too_much(std::string_view name, std::string_view what, std::uint64_t has, std::uint64_t most) {
  return malformed(name, fmt::format("{} {}, at most {}", has, what, most));
}

Result<AgentFrame> decode_call(ByteReader& in) {
  CallFrame frame;
  frame.id = in.text();
  frame.kind = in.text();
  frame.program = in.text();
  const auto arguments = in.varint();
  if (arguments > kMaxCallTexts) return too_much("call", "arguments", arguments, kMaxCallTexts);
  std::size_t bytes = 0;
  for (std::uint64_t i = 0; i < arguments && in.ok(); ++i) {
    bytes += frame.arguments.emplace_back(in.text()).size();
  }
  frame.input = in.text();
  const auto variables = in.varint();
  if (variables > kMaxCallTexts) return too_much("call", "variables", variables, kMaxCallTexts);
  for (std::uint64_t i = 0; i < variables && in.ok(); ++i) {
    std::string name{in.text()};
    const auto value = in.text();
    bytes += name.size() + value.size();
    frame.environment.emplace(std::move(name), value);
  }
  const auto time = in.varint();
  frame.memory_bytes = in.varint();
  frame.output_bytes = in.varint();
  frame.network = (in.varint() & kCallNetwork) != 0;
  if (!in.ok()) return malformed("call", "ends too early");
  if (frame.id.empty() || frame.id.size() > kMaxCallIdBytes) return malformed("call", "id is not 1 to 64 bytes");
  if (frame.program.size() > kMaxCallProgramBytes)
    return too_much("call", "bytes of program", frame.program.size(), kMaxCallProgramBytes);
  if (frame.input.size() > kMaxCallInputBytes)
    return too_much("call", "bytes of input", frame.input.size(), kMaxCallInputBytes);
  if (bytes > kMaxCallTextsBytes) return too_much("call", "bytes of arguments", bytes, kMaxCallTextsBytes);
  if (frame.output_bytes > kMaxCallOutputBytes)
    return too_much("call", "bytes of output", frame.output_bytes, kMaxCallOutputBytes);
  const auto most = static_cast<std::uint64_t>(kMaxCallTime.count());
  if (time > most) return too_much("call", "ms", time, most);
  frame.time = Duration{static_cast<std::int64_t>(time)};
  return frame;
}

Result<AgentFrame> decode_call_result(ByteReader& in) {
  CallResultFrame frame;
  frame.id = in.text();
  frame.status = in.svarint();
  frame.timed_out = (in.varint() & kCallTimedOut) != 0;
  frame.output = in.text();
  frame.errors = in.text();
  frame.error = in.text();
  frame.message = in.text();
  frame.remedy = in.text();
  if (!in.ok()) return malformed("call result", "ends too early");
  if (frame.id.empty() || frame.id.size() > kMaxCallIdBytes) return malformed("call result", "id is not 1 to 64 bytes");
  if (frame.output.size() > kMaxCallOutputBytes)
    return too_much("call result", "bytes of output", frame.output.size(), kMaxCallOutputBytes);
  const auto words = frame.errors.size() + frame.error.size() + frame.message.size() + frame.remedy.size();
  if (words > kMaxCallErrorsBytes) return too_much("call result", "bytes of errors", words, kMaxCallErrorsBytes);
  if (!is_utf8(frame.error) || !is_utf8(frame.message) || !is_utf8(frame.remedy))
    return malformed("call result", "error is not UTF-8");
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
  writer.varint(frame.abilities);
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

std::string encode(const CallFrame& frame) {
  std::string out;
  auto writer = start(out, Type::kCall, 256 + frame.program.size() + frame.input.size());
  writer.text(frame.id);
  writer.text(frame.kind);
  writer.text(frame.program);
  writer.varint(frame.arguments.size());
  for (const auto& argument : frame.arguments) writer.text(argument);
  writer.text(frame.input);
  writer.varint(frame.environment.size());
  for (const auto& [name, value] : frame.environment) {
    writer.text(name);
    writer.text(value);
  }
  writer.varint(static_cast<std::uint64_t>(frame.time.count()));
  writer.varint(frame.memory_bytes);
  writer.varint(frame.output_bytes);
  writer.varint(frame.network ? kCallNetwork : 0);
  return out;
}

std::string encode(const CallResultFrame& frame) {
  std::string out;
  auto writer = start(out, Type::kCallResult, 128 + frame.output.size() + frame.errors.size());
  writer.text(frame.id);
  writer.svarint(frame.status);
  writer.varint(frame.timed_out ? kCallTimedOut : 0);
  writer.text(frame.output);
  writer.text(frame.errors);
  writer.text(frame.error);
  writer.text(frame.message);
  writer.text(frame.remedy);
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
    case Type::kCall: return decode_call(in);
    case Type::kCallResult: return decode_call_result(in);
  }
  return UnknownFrame{type};
}

}  // namespace atalaya::ingest
