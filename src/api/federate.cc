#include "api/federate.h"

#include <fmt/format.h>

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "api/parameters.h"
#include "ingest/prometheus_text.h"
#include "model/names.h"

namespace atalaya::api {
namespace {

/// In the order of the exposition: by name, then by labels.
using Newest = std::map<std::pair<std::string, Labels>, Sample>;

/// What does not belong into a name becomes an underscore, one for each character.
std::string escaped_name(std::string_view name, bool (*fits)(std::string_view)) {
  std::string out;
  for (const char c : name) {
    if ((static_cast<unsigned char>(c) & 0xc0) == 0x80) continue;  // of a character that has its underscore
    out += c;
    if (!fits(out)) out.back() = '_';
  }
  return out;
}

/// With names that Prometheus 2 reads. Two that become one are told apart by more underscores.
Labels escaped(const Labels& labels) {
  std::map<std::string, std::string> out;
  for (const auto& [name, value] : labels) {
    if (is_label_name(name))
      out.emplace(name, name == kMetricName ? escaped_name(value, is_metric_name) : std::string(value));
  }
  for (const auto& [name, value] : labels) {
    if (is_label_name(name)) continue;
    auto other = escaped_name(name, is_label_name);
    while (out.contains(other)) other += '_';
    out.emplace(std::move(other), value);
  }
  return Labels(out);
}

/// As Prometheus 3 asks for names in quotes; who does not say so may fail over a single one.
bool takes_any_name(std::string_view accept) { return accept.find("escaping=allow-utf-8") != std::string_view::npos; }

/// What a series that was found takes until its newest sample is known, and what an answer has of it.
constexpr std::uint64_t kBytesOfFound = 1024;
constexpr std::uint64_t kBytesOfNewest = 512;

/// The work of one request.
class Federation {
 public:
  Federation(const FederateParts& parts, const TenantId& tenant, bool any_name)
      : parts_(parts), tenant_(tenant), any_name_(any_name) {
    if (parts.memory) memory_.emplace(*parts.memory);
  }

  Status add(const Matchers& matchers, storage::TimeRange range) {
    storage::SelectHints hints;
    std::uint64_t taken = 0;
    hints.on_damage = [](const Error&) {};  // counted and logged by the store; the rest is as new as ever
    hints.on_series = [&](std::size_t series) -> Status {
      if (!memory_) return {};
      AT_TRY(memory_->take(series * (kBytesOfFound + kBytesOfNewest)));
      taken += series * kBytesOfFound;
      return {};
    };
    {
      AT_TRY(auto selected, parts_.series.select_hinted(tenant_, matchers, range, hints));
      for (auto& one : selected) take(std::exchange(one, {}));
    }
    if (memory_) memory_->give_back(taken);
    return {};
  }
  const Newest& newest() const { return newest_; }

 private:
  void take(const storage::SelectedSeries& one) {
    Sample newest;
    bool any = false;
    while (one.samples->next(newest)) any = true;
    if (!any || is_stale(newest.value) || !one.labels->has(kMetricName)) return;
    if (!one.samples->status()) return;  // what was read may not be the newest
    const auto labels = with_external(any_name_ ? *one.labels : escaped(*one.labels), parts_.external);
    const auto [it, fresh] = newest_.try_emplace({std::string(labels.get(kMetricName)), labels}, newest);
    if (!fresh && it->second.time < newest.time) it->second = newest;
  }

  const FederateParts& parts_;
  const TenantId& tenant_;
  const bool any_name_;
  std::optional<telemetry::QueryMemory::Share> memory_;
  Newest newest_;
};

/// So that the one who scrapes does not put its target's there.
void add_empty_instance(std::string& series) {
  if (series.ends_with('}')) {
    series.insert(series.size() - 1, R"(,instance="")");
  } else {
    series += R"({instance=""})";
  }
}

std::string exposition(const Newest& newest) {
  std::string out;
  std::string_view family;
  std::string text;
  for (const auto& [key, sample] : newest) {
    const auto& [name, labels] = key;
    if (family != name) {
      family = name;
      out += fmt::format("# TYPE {} untyped\n", is_metric_name(name) ? name : quote_label_value(name));
    }
    text.clear();
    ingest::append_text_series(text, labels);
    if (!labels.has("instance")) add_empty_instance(text);
    ingest::append_text_sample(out, text, sample.value, sample.time);
  }
  return out;
}

}  // namespace

Labels with_external(Labels labels, const Labels& external) {
  if (external.empty()) return labels;
  LabelsBuilder out(external);
  for (const auto& [name, value] : labels) out.set(name, value);
  return out.build();
}

void add_federate_route(Doors& doors, FederateParts given) {
  auto& readers = given.readers;
  doors.add_slow(
      "GET", "/federate", Need::kViewer, readers,
      [parts = std::move(given)](const auth::Principal& who, net::Request& request) -> Result<net::Response> {
        const auto now = parts.clock.now();
        const storage::TimeRange range{now - parts.lookback, now};
        const bool any_name = takes_any_name(request.headers.get("Accept"));
        Federation federation(parts, who.tenant, any_name);
        for (const auto& text : request.query.all("match[]")) {
          AT_TRY(const auto matchers, selector_parameter("match[]", text));
          AT_TRY(federation.add(matchers, range));
        }
        auto response = net::Response::text(exposition(federation.newest()));
        response.headers.set("Content-Type", any_name ? "text/plain; version=1.0.0; charset=utf-8; escaping=allow-utf-8"
                                                      : "text/plain; version=0.0.4; charset=utf-8");
        return response;
      });
}

}  // namespace atalaya::api
