// Programs of types: asked while people type, so answers are remembered.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <semaphore>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/result.h"
#include "base/time.h"
#include "io/sandbox.h"

namespace atalaya::packages {

struct TypeScriptsOptions {
  std::size_t most_answers = 16'384;
  std::size_t most_bytes = 4 << 20;        ///< of all remembered answers and their inputs
  Duration rest{std::chrono::minutes{1}};  ///< after a program said nothing about a value
  int most_in_a_row = 3;                   ///< values about which a program says nothing, before it rests as a whole
};

/// Runs a type's program in the sandbox: 2 s, 64 MiB, no network; the verb is its only argument, the value as
/// JSON its input. A program is a function of these, so its answer holds until its text changes: the least
/// recently used go. What says nothing about the value (a time-out, no room to start) lets the value rest: it is
/// not asked meanwhile and gets the same error; other values are asked. When that happens with some values in a
/// row, the program rests as a whole, so that a package of a thousand values costs a few time-outs. Another text
/// is another program. At most two run at once; further callers wait. Thread-safe.
class TypeScripts {
 public:
  using Run = std::function<Result<io::SandboxResult>(const io::SandboxRequest&)>;

  /// Borrows the clock.
  explicit TypeScripts(const Clock& clock, TypeScriptsOptions options = {}, Run run = io::run_sandboxed);

  /// What it printed. Errors: unprocessable (exit code other than 0), deadline_exceeded,
  /// and those of the sandbox. Blocks, for 2 s and as long as others are asked.
  Result<std::string> ask(const std::string& program, std::string_view verb, const std::string& input);
  /// The same where the answer is remembered, or value or program rest; else nothing. Does not block.
  std::optional<Result<std::string>> known(const std::string& program, std::string_view verb, const std::string& input);

  std::size_t remembered() const;

 private:
  struct Entry {
    std::string key;
    Result<std::string> answer;
    std::size_t size() const;
  };
  using Entries = std::list<Entry>;

  const Result<std::string>* find(const std::string& key);
  void remember(std::string key, const Result<std::string>& answer);
  Result<std::string> run(const std::string& program, std::string_view verb, const std::string& input);

  struct Rest {
    Steady until;
    Error error;
  };
  /// What is known of a program that said nothing about some values.
  struct Resting {
    std::unordered_map<std::uint64_t, Rest> values;  ///< by hash of the question
    int in_a_row = 0;                                ///< since it answered last
    Rest whole;                                      ///< in force from most_in_a_row on
  };

  std::optional<Result<std::string>> known(const std::string& program, const std::string& key);
  Error let_rest(const std::string& program, const std::string& key, Error error);

  const Clock& clock_;
  const TypeScriptsOptions options_;
  const Run run_;
  std::counting_semaphore<> free_;

  mutable std::mutex mutex_;
  Entries entries_;  ///< the most recently used first
  std::unordered_map<std::string_view, Entries::iterator> by_key_;
  std::size_t bytes_ = 0;
  std::unordered_map<std::uint64_t, Resting> resting_;  ///< by hash of the program
};

}  // namespace atalaya::packages
