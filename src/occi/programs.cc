// Metrics that programs of packages measure.
#include <fmt/format.h>

#include "base/check.h"
#include "occi/monitoring.h"

namespace atalaya::occi {
namespace {

Attribute attribute(const std::string& name, const char* definition) {
  const auto document = config::Document::parse(definition, "attribute");
  AT_CHECK(document);
  auto read = read_attribute(name, document->root());
  AT_CHECK(read);
  return std::move(*read);
}

}  // namespace

Status bind_program(Category& mixin, const std::string& program) {
  const auto own = fmt::format("com.example.occi.monitoring.{}.", mixin.term);
  if (!is_attribute_name(own + "out") || mixin.term.find('.') != std::string::npos)
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("Category {}: a metric's term becomes a part of its attributes' names", mixin.id()),
                "letters, digits, _ and -");
  mixin.attributes = {
      attribute(own + "out",
                "{type: string, required: true, pattern: '[A-Za-z0-9_.-]+', most: 128, help: The stream that its "
                "values flow into.}"),
      attribute(own + "series",
                "{type: string, default: value, most: 256, pattern: '[A-Za-z_:][A-Za-z0-9_:]*', help: Of the series "
                "that its program prints the one whose values are taken.}"),
      attribute(own + "timeout",
                "{type: integer, min: 100, max: 60000, default: 5000, help: How many milliseconds it may take.}")};
  auto measure = std::make_shared<Measure>();
  measure->type = "script";
  measure->take = "{series}";
  measure->fields = {{"timeout", "timeout"}};
  measure->program = program;
  mixin.measure = std::move(measure);
  return {};
}

std::string program_of(const Model& model, const Category& mixin, const Entity& collector) {
  if (mixin.measure == nullptr) return {};
  if (!mixin.measure->program.empty()) return mixin.measure->program;
  if (mixin.measure->program_of.empty()) return {};
  for (const auto* attribute : model.attributes_of(mixin)) {
    if (sense::short_name(attribute->name) == mixin.measure->program_of) return collector.text(attribute->name);
  }
  return {};
}

Status check_programs(const World& world, const Change& change, const ReadProgram& read) {
  for (const auto& entity : change.put) {
    if (!world.model().is_a(entity.kind, kCollector)) continue;
    for (const auto& metric : metrics_of(world.model(), entity)) {
      const auto program = program_of(world.model(), *metric.mixin, entity);
      if (program.empty()) continue;
      if (auto found = read(program); !found) {
        auto error = std::move(found).error();
        error.code = ErrorCode::kInvalidArgument;
        error.message = fmt::format("{} of collector {}: {}", metric.mixin->term, entity.id, error.message);
        return std::unexpected(std::move(error));
      }
    }
  }
  return {};
}

}  // namespace atalaya::occi
