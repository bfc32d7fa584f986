#include "collect/host/host_collector.h"

namespace atalaya::collect::host {

HostCollector::HostCollector(HostOptions options, LabelsTable& labels)
    : options_(std::move(options)),
      set_(labels, Labels{{"instance", options_.instance}, {"job", "node"}}),
      up_(set_.add("up", {})) {
  for (const auto make :
       {make_stat_source, make_memory_source, make_disk_source, make_filesystem_source, make_network_source,
        make_network_class_source, make_protocol_source, make_pressure_source, make_kernel_source, make_system_source,
        make_hardware_source, make_raid_source, make_softnet_source})
    sources_.push_back(make(options_, set_));
}

HostCollector::~HostCollector() = default;

Status HostCollector::collect(Time now, Batch& out) {
  const auto slow = cycle_++ % std::max<std::uint32_t>(options_.slow_every, 1) == 0;
  set_.begin(now, out, slow);
  set_.put(up_, 1);
  for (const auto& source : sources_) source->read(now);
  set_.finish();
  return {};
}

}  // namespace atalaya::collect::host
