// Appending for callers that wait.
#pragma once

#include <future>
#include <memory>
#include <string>
#include <utility>

#include "storage/series.h"

namespace atalaya::ingest {

/// Returns when the batch is on disk and visible, or with the error that kept it out. Not on the store's own thread.
inline Result<storage::Appended> append_and_wait(storage::SeriesAppender& series, const TenantId& tenant,
                                                 storage::SampleBatch batch) {
  const auto done = std::make_shared<std::promise<Result<storage::Appended>>>();
  auto answer = done->get_future();
  series.append(tenant, std::move(batch),
                [done](Result<storage::Appended> result) { done->set_value(std::move(result)); });
  return answer.get();
}

/// Why a sample was refused, for people.
inline std::string words(const storage::RefusedSample& refused) {
  const auto bounded = [&](std::string text, std::string_view bound) {
    return refused.bound == kMinTime ? text : text + ": " + std::string(bound) + format_rfc3339(refused.bound);
  };
  switch (refused.why) {
    case storage::Refusal::kDuplicate: return "another value is there at that time";
    case storage::Refusal::kTooOld: return bounded("too old", "samples of its series are kept from ");
    case storage::Refusal::kTooLate: return bounded("too old", "by --series-window its series takes samples from ");
    case storage::Refusal::kTooNew: return bounded("from a clock that is ahead", "samples are taken until ");
  }
  return "refused";
}

}  // namespace atalaya::ingest
