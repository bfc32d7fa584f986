#include "api/occi_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "api/occi_items.h"
#include "api/occi_maker.h"
#include "config/suggest.h"
#include "occi/monitoring.h"

namespace atalaya::api {
namespace {

using occi::Category;
using occi::Entity;

class Check {
 public:
  explicit Check(const packages::Package& package)
      : package_(std::shared_ptr<const void>(), &package), world_(occi_model_with(shipped(), mixins_of(package_))) {
    for (const auto* one : shipped().all()) schemes_.insert(one->scheme);
    for (const auto& item : package.items) ids_.insert(item.id);
  }

  std::vector<Error> errors() {
    std::vector<std::pair<const packages::Item*, Entity>> entities;
    for (const auto& section : occi_sections(world_.model())) {
      for (const auto& item : package_->items) {
        if (item.section != section) continue;
        auto entity = entity_of(world_.model(), {package_, &item}, [&](std::string_view id) { return known(id); });
        if (!entity) continue;
        entity->id = world_.find(item.id) == nullptr ? item.id : occi_id_beside_another(section, item.id);
        entities.emplace_back(&item, *entity);
        world_.put(std::move(*entity));
      }
    }
    for (const auto& [item, entity] : entities) {
      if (!is(entity, occi::kSensor) && !is(entity, occi::kCollector)) continue;
      const auto before = out_.size();
      check_mixins(*item, entity);
      check_attributes(*item, entity);
      if (out_.size() == before && is(entity, occi::kCollector)) check_ends(*item, entity);
    }
    if (out_.empty()) {
      for (const auto& [item, entity] : entities) {
        if (is(entity, occi::kSensor)) check_wiring(*item, entity);
      }
    }
    return std::move(out_);
  }

 private:
  static const occi::Model& shipped() {
    static const auto model = occi::Model::shipped();
    return model;
  }
  bool is(const Entity& entity, std::string_view kind) const { return world_.model().is_a(entity.kind, kind); }
  void complain(const packages::Item& item, std::string message, std::string remedy = {}) {
    out_.push_back({ErrorCode::kInvalidArgument, std::move(message), item.origin, std::move(remedy)});
  }

  static std::vector<packages::FoundInPackage> mixins_of(const packages::PackagePtr& package) {
    std::vector<packages::FoundInPackage> out;
    for (const auto& item : package->items) {
      if (item.section == kOcciMixins) out.push_back({package, &item});
    }
    return out;
  }

  /// An end is looked for within the package first, then among all: what is not here is somewhere else.
  std::optional<std::string> known(std::string_view id) const {
    if (ids_.contains(id)) return std::string(id);
    return id.starts_with(package_->name + "/") ? std::nullopt : std::optional("elsewhere:" + std::string(id));
  }

  void check_mixins(const packages::Item& item, const Entity& entity) {
    const auto& model = world_.model();
    for (const auto& id : entity.mixins) {
      const auto* mixin = model.mixin(id);
      if (mixin != nullptr) {
        if (!model.applies(*mixin, entity.kind))
          complain(item, fmt::format("the mixin {} does not apply to {}", id, entity.kind),
                   fmt::format("it applies to {}", fmt::join(mixin->applies, ", ")));
        continue;
      }
      if (!schemes_.contains(id.substr(0, id.rfind('#') + 1))) continue;
      std::vector<std::string> names;
      for (const auto* one : model.all()) {
        if (one->cls == Category::Class::kMixin && model.applies(*one, entity.kind)) names.push_back(one->id());
      }
      complain(item, fmt::format("there is no mixin {}", id), config::suggestion(id, names));
    }
  }

  void check_attributes(const packages::Item& item, const Entity& entity) {
    const auto& model = world_.model();
    const bool all_known = std::all_of(entity.mixins.begin(), entity.mixins.end(),
                                       [&](const auto& id) { return model.mixin(id) != nullptr; });
    std::vector<std::string> names;
    std::vector<const Category*> categories{model.kind(entity.kind)};
    for (const auto& id : entity.mixins) {
      if (const auto* mixin = model.mixin(id)) categories.push_back(mixin);
    }
    for (const auto* category : categories) {
      for (const auto* attribute : model.attributes_of(*category)) {
        names.push_back(attribute->name);
        const bool missing =
            attribute->required && !attribute->fallback && !entity.attributes.contains(attribute->name);
        if (missing && attribute->set_by != occi::Attribute::SetBy::kServer && attribute->name != occi::kId)
          complain(item, fmt::format("attribute {} is missing: {} requires it", attribute->name, category->id()),
                   attribute->help);
      }
    }
    for (const auto& [name, value] : entity.attributes) {
      if (name == occi::kSource || name == occi::kTarget) continue;  // items, not entities
      if (const auto* attribute = world_.attribute(entity, name)) {
        if (const auto checked = occi::check_value(*attribute, value); !checked)
          complain(item, checked.error().message, checked.error().remedy);
      } else if (all_known) {
        complain(item, fmt::format("attribute {} belongs to none of its mixins", name),
                 config::suggestion(name, names));
      }
    }
  }

  void check_ends(const packages::Item& item, const Entity& entity) {
    std::size_t sensors = 0;
    for (const auto name : {occi::kSource, occi::kTarget}) {
      const auto* end = world_.find(entity.text(name));
      if (end == nullptr) return;  // of another package, which says what it is
      sensors += is(*end, occi::kSensor) ? 1 : 0;
    }
    if (sensors != 1)
      complain(item, "a collector with source and target joins a sensor and another resource",
               "one of the two is the sensor, the other what is measured");
  }

  /// With the collectors of this package: others may have more of them.
  void check_wiring(const packages::Item& item, const Entity& sensor) {
    const auto& model = world_.model();
    std::vector<const Entity*> collectors;
    for (const auto* link : world_.links_of(sensor.id)) {
      if (is(*link, occi::kCollector)) collectors.push_back(link);
    }
    const auto pipe = occi::pipe_of(model, sensor, collectors);
    const auto reads = occi::streams_read(pipe);
    for (const auto* collector : collectors) {
      for (const auto& metric : occi::metrics_of(model, *collector)) {
        if (reads.contains(metric.stream)) continue;
        complain(*package_->find("collectors", collector->item),
                 fmt::format("{}.out: nothing of the sensor {} reads the stream \"{}\"", metric.mixin->term, sensor.id,
                             metric.stream),
                 fmt::format("it reads {}", fmt::join(reads, ", ")));
      }
    }
    if (const auto checked = sense::check(pipe); !checked)
      complain(item, checked.error().message, checked.error().remedy);
  }

  const packages::PackagePtr package_;
  occi::World world_;
  std::set<std::string> schemes_;                ///< of what the program brings
  std::set<std::string_view, std::less<>> ids_;  ///< of the package's items
  std::vector<Error> out_;
};

}  // namespace

std::vector<Error> check_sensor_items(const packages::Package& package) {
  const bool any = std::any_of(package.items.begin(), package.items.end(), [](const auto& item) {
    return item.section == "sensors" || (item.section == "collectors" && item.fields.contains("source"));
  });
  return any ? Check(package).errors() : std::vector<Error>{};
}

}  // namespace atalaya::api
