#include "packages/type_scripts.h"

#include <fmt/format.h>

#include "collect/utf8.h"
#include "io/checksum.h"

namespace atalaya::packages {
namespace {

constexpr std::ptrdiff_t kAtOnce = 2;
constexpr std::size_t kReasonBytes = 300;
constexpr std::size_t kOutputBytes = 64 << 10;
constexpr std::size_t kMostResting = 1024;

/// The program by its length and hash (nobody gains by a collision but the author of both programs, who may
/// print what he likes), verb and input in full.
std::string key_of(const std::string& program, std::string_view verb, const std::string& input) {
  return fmt::format("{} {:016x} {} {}", program.size(), io::xxh3(program), verb, input);
}

/// Of what a script complained about, the last line: interpreters put the reason there.
std::string last_line(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  return collect::to_utf8(text.substr(text.rfind('\n') + 1).substr(0, kReasonBytes));
}

/// Whether the same question would get the same answer.
bool is_lasting(const Result<std::string>& answer) {
  if (answer) return true;
  const auto code = answer.error().code;
  return code == ErrorCode::kUnprocessable || code == ErrorCode::kInvalidArgument ||
         code == ErrorCode::kResourceExhausted;
}

}  // namespace

std::size_t TypeScripts::Entry::size() const {
  return key.size() + (answer ? answer->size() : answer.error().message.size() + answer.error().remedy.size());
}

TypeScripts::TypeScripts(const Clock& clock, TypeScriptsOptions options, Run run)
    : clock_(clock), options_(options), run_(std::move(run)), free_(kAtOnce) {}

const Result<std::string>* TypeScripts::find(const std::string& key) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, found->second);
  return &found->second->answer;
}

void TypeScripts::remember(std::string key, const Result<std::string>& answer) {
  if (by_key_.contains(key)) return;  // two asked at once
  entries_.push_front({std::move(key), answer});
  by_key_.emplace(entries_.front().key, entries_.begin());
  bytes_ += entries_.front().size();
  while (entries_.size() > options_.most_answers || (bytes_ > options_.most_bytes && !entries_.empty())) {
    bytes_ -= entries_.back().size();
    by_key_.erase(entries_.back().key);
    entries_.pop_back();
  }
}

Result<std::string> TypeScripts::run(const std::string& program, std::string_view verb, const std::string& input) {
  io::SandboxRequest request;
  request.program = program;
  request.arguments = {std::string{verb}};
  request.input = input;
  request.output_bytes = kOutputBytes;
  auto result = run_(request);
  if (!result) return std::unexpected(std::move(result).error());
  if (result->timed_out)
    return fail(ErrorCode::kDeadlineExceeded, fmt::format("did not end within {}", format_duration(request.time)));
  if (result->status != 0)
    return fail(ErrorCode::kUnprocessable, fmt::format("exit code {}: {}", result->status, last_line(result->errors)));
  return std::move(result->output);
}

std::optional<Result<std::string>> TypeScripts::known(const std::string& program, const std::string& key) {
  const std::lock_guard lock(mutex_);
  if (const auto* answer = find(key)) return *answer;
  const auto resting = resting_.find(io::xxh3(program));
  if (resting == resting_.end()) return std::nullopt;
  const auto now = clock_.steady();
  const auto& of = resting->second;
  const auto value = of.values.find(io::xxh3(key));
  if (value != of.values.end() && now < value->second.until) return std::unexpected(value->second.error);
  if (of.in_a_row >= options_.most_in_a_row && now < of.whole.until) return std::unexpected(of.whole.error);
  return std::nullopt;
}

std::optional<Result<std::string>> TypeScripts::known(const std::string& program, std::string_view verb,
                                                      const std::string& input) {
  return known(program, key_of(program, verb, input));
}

/// The error as it is told, with when the question is asked again.
Error TypeScripts::let_rest(const std::string& program, const std::string& key, Error error) {
  const auto now = clock_.steady();
  const auto until = now + options_.rest;
  std::erase_if(resting_, [&](const auto& entry) { return entry.second.whole.until <= now; });
  const auto rest = format_duration(options_.rest);
  auto whole = error;
  whole.remedy = fmt::format("mend the program; as it is, it is asked again in {}", rest);
  error.remedy = fmt::format("give another value, or mend the program; as it is, this is asked again in {}", rest);
  if (resting_.size() >= kMostResting) return error;
  auto& of = resting_[io::xxh3(program)];
  std::erase_if(of.values, [&](const auto& entry) { return entry.second.until <= now; });
  const bool rests = ++of.in_a_row >= options_.most_in_a_row;
  of.whole = {until, whole};
  if (rests) return whole;
  of.values.insert_or_assign(io::xxh3(key), Rest{until, error});
  return error;
}

Result<std::string> TypeScripts::ask(const std::string& program, std::string_view verb, const std::string& input) {
  auto key = key_of(program, verb, input);
  if (auto answer = known(program, key)) return std::move(*answer);
  free_.acquire();
  // Whoever had the place may have found out that the program hangs.
  if (auto answer = known(program, key)) {
    free_.release();
    return std::move(*answer);
  }
  auto answer = run(program, verb, input);
  free_.release();
  const std::lock_guard lock(mutex_);
  if (is_lasting(answer)) {
    remember(std::move(key), answer);
    if (const auto resting = resting_.find(io::xxh3(program)); resting != resting_.end()) resting->second.in_a_row = 0;
  } else {
    answer = std::unexpected(let_rest(program, key, std::move(answer).error()));
  }
  return answer;
}

std::size_t TypeScripts::remembered() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

}  // namespace atalaya::packages
