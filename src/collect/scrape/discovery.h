// Targets that files and HTTP addresses list, looked up again and again.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "collect/scrape/config.h"
#include "collect/scrape/fetch.h"
#include "io/file_system.h"
#include "net/event_loop.h"

namespace atalaya::collect::scrape {

/// Thread-compatible. A file that is broken keeps the targets that it had; a file that is gone has none.
class FileTargets {
 public:
  FileTargets(io::FileSystem& files, FileDiscovery config) : files_(files), config_(std::move(config)) {}

  /// Reads what has changed, and everything once in a refresh. True: the groups may be others. Problems are logged
  /// when they are new.
  bool look(Steady now);
  std::vector<TargetGroup> groups() const;

 private:
  struct Known {
    std::uint64_t stamp = 0;
    std::uint64_t bytes = 0;
    std::vector<TargetGroup> groups;
    bool broken = false;
  };
  std::map<std::string, Known> list() const;
  bool read(const std::string& path, Known& file);

  io::FileSystem& files_;
  const FileDiscovery config_;
  std::map<std::string, Known> known_;
  Steady read_all_{};
};

/// Strand-bound to its loop. What the address listed last stands while it cannot be asked.
class HttpTargets {
 public:
  HttpTargets(net::EventLoop& loop, io::FileSystem& files, const Clock& clock, HttpDiscovery config,
              std::string user_agent, std::function<void()> changed);

  const std::string& url() const { return config_.url; }
  const std::vector<TargetGroup>& groups() const { return groups_; }
  /// Begins; `before` is in force until the first answer.
  void start(std::vector<TargetGroup> before);

 private:
  void ask();
  void received(Result<Fetched> answer);

  net::EventLoop& loop_;
  const HttpDiscovery config_;
  const std::string user_agent_;
  const std::function<void()> changed_;
  Fetcher fetcher_;
  net::Timer timer_;
  std::vector<TargetGroup> groups_;
  std::string problem_;
};

}  // namespace atalaya::collect::scrape
