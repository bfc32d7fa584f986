#include "telemetry/metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>
#include <variant>

#include "base/check.h"

namespace atalaya::telemetry {
namespace {

enum class Kind { kCounter, kGauge, kHistogram };
using Callback = std::function<double()>;

/// Behind a shared pointer, so that exposing needs the registry's lock only to copy the list.
using Metric = std::variant<Counter, Gauge, Callback, Histogram>;

struct Family {
  std::string help;
  Kind kind = Kind::kGauge;
  std::map<std::string, std::shared_ptr<Metric>> metrics;  ///< by rendered labels, without braces
};

void put_escaped(std::string& out, std::string_view text, bool quotes) {
  for (const char c : text) {
    if (c == '\\' || (quotes && c == '"')) out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
}

std::string render(const MetricLabels& labels) {
  std::string out;
  for (const auto& [name, value] : labels) {
    if (!out.empty()) out += ',';
    out += name + "=\"";
    put_escaped(out, value, true);
    out += '"';
  }
  return out;
}

std::string number(double v) {
  if (std::isnan(v)) return "NaN";
  if (std::isinf(v)) return v > 0 ? "+Inf" : "-Inf";
  return fmt::format("{}", v);
}

void put_line(std::string& out, std::string_view name, std::string_view labels, std::string_view more,
              std::string_view value) {
  out += name;
  if (!labels.empty() || !more.empty()) {
    out += '{';
    out += labels;
    if (!labels.empty() && !more.empty()) out += ',';
    out += more;
    out += '}';
  }
  out += ' ';
  out += value;
  out += '\n';
}

void put_histogram(std::string& out, const std::string& name, const std::string& labels, const Histogram& histogram) {
  std::uint64_t total = 0;
  const auto& bounds = histogram.bounds();
  for (std::size_t i = 0; i <= bounds.size(); ++i) {
    total += histogram.bucket(i);
    const auto bound = i == bounds.size() ? std::string("+Inf") : number(bounds[i]);
    put_line(out, name + "_bucket", labels, "le=\"" + bound + "\"", std::to_string(total));
  }
  put_line(out, name + "_sum", labels, "", number(histogram.sum()));
  put_line(out, name + "_count", labels, "", std::to_string(total));
}

void put_family(std::string& out, const std::string& name, const Family& family) {
  constexpr std::string_view kKinds[] = {"counter", "gauge", "histogram"};
  out += "# HELP " + name + ' ';
  put_escaped(out, family.help, false);
  out += "\n# TYPE " + name + ' ';
  out += kKinds[static_cast<int>(family.kind)];
  out += '\n';
  for (const auto& [labels, metric] : family.metrics) {
    if (const auto* counter = std::get_if<Counter>(metric.get())) {
      put_line(out, name, labels, "", std::to_string(counter->value()));
    } else if (const auto* gauge = std::get_if<Gauge>(metric.get())) {
      put_line(out, name, labels, "", number(gauge->value()));
    } else if (const auto* callback = std::get_if<Callback>(metric.get())) {
      put_line(out, name, labels, "", number((*callback)()));
    } else {
      put_histogram(out, name, labels, std::get<Histogram>(*metric));
    }
  }
}

}  // namespace

Histogram::Histogram(std::vector<double> bounds)
    : bounds_(std::move(bounds)), counts_(new std::atomic<std::uint64_t>[bounds_.size() + 1]()) {
  AT_CHECK(std::is_sorted(bounds_.begin(), bounds_.end()));
}

void Histogram::observe(double v) {
  // NaN compares false with every bound and lands in +Inf, as Prometheus' client does it.
  const auto at = std::partition_point(bounds_.begin(), bounds_.end(), [v](double bound) { return !(v <= bound); });
  counts_[static_cast<std::size_t>(at - bounds_.begin())].fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(v, std::memory_order_relaxed);
}

struct Registry::Impl {
  mutable std::mutex mutex;
  std::map<std::string, Family> families;

  template <typename T, typename... Args>
  Metric& get(std::string name, std::string help, Kind kind, const MetricLabels& labels, Args&&... args) {
    const std::lock_guard lock(mutex);
    auto [it, fresh] = families.try_emplace(std::move(name));
    auto& family = it->second;
    if (fresh) {
      family.help = std::move(help);
      family.kind = kind;
    }
    AT_CHECK(family.kind == kind);
    auto& metric = family.metrics[render(labels)];
    if (!metric) metric = std::make_shared<Metric>(std::in_place_type<T>, std::forward<Args>(args)...);
    AT_CHECK(std::holds_alternative<T>(*metric));
    return *metric;
  }
};

Registry::Registry() : impl_(std::make_unique<Impl>()) {}
Registry::~Registry() = default;

Counter& Registry::counter(std::string name, std::string help, MetricLabels labels) {
  return std::get<Counter>(impl_->get<Counter>(std::move(name), std::move(help), Kind::kCounter, labels));
}

Gauge& Registry::gauge(std::string name, std::string help, MetricLabels labels) {
  return std::get<Gauge>(impl_->get<Gauge>(std::move(name), std::move(help), Kind::kGauge, labels));
}

Histogram& Registry::histogram(std::string name, std::string help, std::vector<double> bounds, MetricLabels labels) {
  return std::get<Histogram>(
      impl_->get<Histogram>(std::move(name), std::move(help), Kind::kHistogram, labels, std::move(bounds)));
}

void Registry::callback(std::string name, std::string help, std::function<double()> read, MetricLabels labels) {
  const auto kind = name.ends_with("_total") ? Kind::kCounter : Kind::kGauge;
  const auto key = name;
  impl_->get<Callback>(std::move(name), std::move(help), kind, labels, read);
  const std::lock_guard lock(impl_->mutex);
  // A new object, because a reader may be calling the one before.
  impl_->families[key].metrics[render(labels)] =
      std::make_shared<Metric>(std::in_place_type<Callback>, std::move(read));
}

std::string Registry::expose() const {
  std::map<std::string, Family> families;
  {
    const std::lock_guard lock(impl_->mutex);
    families = impl_->families;
  }
  std::string out;
  for (const auto& [name, family] : families) put_family(out, name, family);
  return out;
}

}  // namespace atalaya::telemetry
