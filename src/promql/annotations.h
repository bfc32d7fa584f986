// What an evaluation says beside its value.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"

namespace atalaya::promql {

/// In Prometheus' words, each once, sorted; with the place in the query's text: `… (1:10)`.
struct Annotations {
  std::vector<std::string> warnings;
  std::vector<std::string> infos;
};

/// Collects them during one evaluation. Thread-safe.
class AnnotationSink {
 public:
  /// `text` without "PromQL warning: " and without the place.
  void warn(const Place& place, std::string_view text);
  void info(const Place& place, std::string_view text);
  /// A warning of the store, which has no place in the query.
  void warn_of_store(std::string text);

  /// Buckets of a classic histogram that had to be lifted. Those of one metric and place become one info.
  struct Lifted {
    double lowest_bound = 0;
    double highest_bound = 0;
    double greatest_difference = 0;
    Time at;
  };
  void lifted(const Place& place, std::string_view metric, const Lifted& what);

  Annotations take() const;

 private:
  struct LiftedOften {
    Lifted sum;
    Time last;
    std::uint64_t count = 0;
  };
  mutable std::mutex mutex_;
  std::map<std::string, bool> texts_;                                  ///< → is a warning; guarded by mutex_
  std::map<std::pair<std::string, std::string>, LiftedOften> lifted_;  ///< (text, place); guarded by mutex_
};

}  // namespace atalaya::promql
