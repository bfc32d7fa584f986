#include "agent/calls.h"

#include <fmt/format.h>
#include <sys/eventfd.h>

#include <algorithm>

#include "collect/utf8.h"
#include "telemetry/log.h"

namespace atalaya::agent {
namespace {

constexpr std::string_view kComponent = "agent";
constexpr std::uint64_t kMostMemory = 1 << 30;
constexpr std::size_t kMostMessageBytes = 4 << 10;

/// A message may quote the script, which may be long and any bytes.
std::string fit(std::string text) {
  text.resize(std::min(text.size(), kMostMessageBytes));
  return collect::to_utf8(text);
}

ingest::CallResultFrame refusal(std::string id, const Error& error) {
  ingest::CallResultFrame out;
  out.id = std::move(id);
  out.error = name(error.code);
  out.message = fit(error.message);
  out.remedy = fit(error.remedy);
  return out;
}

ingest::CallResultFrame answer_of(std::string id, Result<io::SandboxResult> result) {
  if (!result) return refusal(std::move(id), result.error());
  ingest::CallResultFrame out;
  out.id = std::move(id);
  out.status = result->status;
  out.timed_out = result->timed_out;
  out.output = std::move(result->output);
  out.errors = std::move(result->errors);
  return out;
}

ingest::CallResultFrame answer_to(std::string id, std::string text) {
  if (text.size() > ingest::kMaxCallOutputBytes) {
    return refusal(std::move(id),
                   {ErrorCode::kTooLarge,
                    fmt::format("the answer has {} bytes; {} can be sent", text.size(), ingest::kMaxCallOutputBytes),
                    {},
                    {}});
  }
  ingest::CallResultFrame out;
  out.id = std::move(id);
  out.output = std::move(text);
  return out;
}

}  // namespace

Calls::Calls(net::EventLoop& loop, CallsOptions options, Send send, Run run)
    : loop_(loop),
      options_(std::move(options)),
      send_(std::move(send)),
      run_(std::move(run)),
      cancel_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

Calls::~Calls() {
  *alive_ = false;
  // Never read: so every script that runs sees it.
  if (cancel_) ::eventfd_write(cancel_.get(), 1);
  pool_.reset();
}

Status Calls::accept(const ingest::CallFrame& call) {
  if (!options_.allowed)
    return fail(ErrorCode::kPermissionDenied, "this agent runs no scripts for the server",
                "start it without --scripts=false, if that is wanted");
  if (call.kind != "script")
    return fail(ErrorCode::kUnprocessable, fmt::format("this agent runs no calls of kind \"{}\"", call.kind),
                "install a newer atalaya-agent");
  if (running_ >= options_.at_once)
    return fail(ErrorCode::kResourceExhausted, fmt::format("{} calls run on this agent already", running_),
                "try again when one of them has ended");
  return {};
}

void Calls::on_call(ingest::CallFrame call) {
  if (const auto question = options_.questions.find(call.kind); question != options_.questions.end()) {
    return answer(answer_to(std::move(call.id), question->second()));
  }
  if (auto accepted = accept(call); !accepted) return answer(refusal(std::move(call.id), accepted.error()));
  if (!pool_) pool_ = std::make_unique<net::WorkerPool>(options_.at_once, options_.at_once);
  io::SandboxRequest request;
  request.program = std::move(call.program);
  request.arguments = std::move(call.arguments);
  request.input = std::move(call.input);
  request.environment = std::move(call.environment);
  request.time = call.time;
  request.memory_bytes = std::min(call.memory_bytes, kMostMemory);
  request.output_bytes = call.output_bytes;
  request.network = call.network;
  request.cancel = cancel_.get();
  ++running_;
  ++accepted_;
  telemetry::log_info(kComponent, "runs a script for the server", {{"call", call.id}});
  // The queue has room: at most `at_once` are under way, counted from here to their answer.
  static_cast<void>(pool_->try_post([this, id = std::move(call.id), request = std::move(request)]() mutable {
    auto frame = answer_of(std::move(id), run_(request));
    loop_.post([this, alive = alive_, frame = std::move(frame)]() mutable {
      if (!*alive) return;
      --running_;
      answer(std::move(frame));
    });
  }));
}

void Calls::answer(ingest::CallResultFrame frame) {
  const auto id = frame.id;
  if (!send_(encode(frame)))
    telemetry::log_warn(kComponent, "the answer to a call is dropped: no connection", {{"call", id}});
}

}  // namespace atalaya::agent
