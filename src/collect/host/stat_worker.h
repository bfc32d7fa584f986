// statfs for file systems whose server may be gone.
#pragma once

#include <sys/statfs.h>

#include <memory>
#include <optional>
#include <string>

#include "base/time.h"

namespace atalaya::collect::host {

/// Asks on a thread of its own, made when the first remote file system appears, and remembers: so
/// the collector never waits. A call that has not come back for five seconds counts as a device
/// error (ETIMEDOUT), as in node_exporter. The destructor leaves a thread that hangs behind, with
/// the state that it shares. Strand-bound.
class StatWorker {
 public:
  struct Answer {
    struct statfs state{};
    int error = 0;
  };

  StatWorker();
  ~StatWorker();
  StatWorker(const StatWorker&) = delete;
  StatWorker& operator=(const StatWorker&) = delete;

  /// The last answer, asked anew every five seconds; nothing before the first one.
  std::optional<Answer> ask(const std::string& path, Time now);

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
};

}  // namespace atalaya::collect::host
