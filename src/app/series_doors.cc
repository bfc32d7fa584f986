#include "app/series_doors.h"

#include "api/federate.h"
#include "api/remote_read.h"
#include "api/remote_write.h"
#include "api/series_care.h"
#include "api/series_transfer.h"

namespace atalaya::app {
namespace {

/// Of imports; a thread waits for a sync, which many share: more of them make groups larger, not the server slower.
constexpr std::size_t kWriters = 16;
constexpr std::size_t kRemoteWriters = 4;
constexpr std::size_t kRemoteQueue = 256;
constexpr std::size_t kReaders = 2;
constexpr std::size_t kQueue = 64;
constexpr std::size_t kWaitingQueries = 1000;

}  // namespace

SeriesDoors::SeriesDoors(const SeriesDoorParts& parts)
    : parts_(parts),
      series_(parts.series, parts.memory),
      exemplars_(parts.series, parts.most_exemplars),
      remote_writer_(parts.appender, parts.keys, parts.metrics, &exemplars_),
      remote_writers_(kRemoteWriters, kRemoteQueue),
      writers_(kWriters, kQueue),
      readers_(kReaders, kQueue),
      federation_(kReaders, kQueue),
      queries_(parts.query_concurrency, kWaitingQueries) {}

void SeriesDoors::add_routes(api::Doors& doors, registry::Audit& audit) {
  api::add_prometheus_routes(doors, {series_, parts_.clock, queries_, parts_.queries, &exemplars_});
  api::add_remote_write_routes(doors, remote_writer_, remote_writers_);
  api::add_federate_route(doors, {series_, parts_.clock, federation_, &parts_.memory, parts_.external_labels,
                                  parts_.queries.limits.lookback});
  api::add_remote_read_route(doors, {series_, readers_, &parts_.memory, parts_.external_labels});
  api::add_series_care_routes(doors, parts_.store, readers_, audit, parts_.clock);
  api::add_series_transfer_routes(doors, {parts_.appender, series_, parts_.clock, writers_, readers_, &parts_.memory});
}

void SeriesDoors::stop() {
  remote_writers_.stop();
  writers_.stop();
  readers_.stop();
  federation_.stop();
  queries_.stop();
}

}  // namespace atalaya::app
