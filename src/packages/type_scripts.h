// Programs of types: asked while people type, so answers are remembered.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <semaphore>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/result.h"
#include "io/sandbox.h"

namespace atalaya::packages {

struct TypeScriptsOptions {
  std::size_t most_answers = 4096;
  std::size_t most_bytes = 4 << 20;  ///< of all remembered answers and their inputs
};

/// Runs a type's program in the sandbox: 2 s, 64 MiB, no network; the verb is its only argument, the value as
/// JSON its input. A program is a function of these, so its answer holds until its text changes: the least
/// recently used go. Not remembered is what says nothing about the value (a time-out, no room to start).
/// At most two run at once; further callers wait. Thread-safe.
class TypeScripts {
 public:
  using Run = std::function<Result<io::SandboxResult>(const io::SandboxRequest&)>;

  explicit TypeScripts(TypeScriptsOptions options = {}, Run run = io::run_sandboxed);

  /// What it printed. Errors: unprocessable (exit code other than 0), deadline_exceeded,
  /// and those of the sandbox.
  Result<std::string> ask(const std::string& program, std::string_view verb, const std::string& input);

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

  const TypeScriptsOptions options_;
  const Run run_;
  std::counting_semaphore<> free_;

  mutable std::mutex mutex_;
  Entries entries_;  ///< the most recently used first
  std::unordered_map<std::string_view, Entries::iterator> by_key_;
  std::size_t bytes_ = 0;
};

}  // namespace atalaya::packages
