#include "rules/groups/schedule.h"

#include "model/labels.h"

namespace atalaya::rules {

Schedule::Schedule(std::string_view file, std::string_view name, Duration interval)
    : interval_(interval),
      offset_(static_cast<std::int64_t>(Labels{{"file", file}, {"name", name}}.hash() %
                                        static_cast<std::uint64_t>(interval.count()))) {}

Time Schedule::last(Time now) const {
  const auto since = (now - offset_).time_since_epoch().count();
  auto steps = since / interval_.count();
  if (since < 0 && since % interval_.count() != 0) --steps;
  return Time{Duration{steps * interval_.count()}} + offset_;
}

}  // namespace atalaya::rules
