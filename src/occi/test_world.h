// For tests: a small world, and requests to it in text.
#pragma once

#include <string>

#include "occi/engine.h"
#include "occi/render.h"
#include "occi/request.h"

namespace atalaya::occi {

constexpr std::string_view kInfrastructure = "http://schemas.ogf.org/occi/infrastructure#";
inline std::string infrastructure(std::string_view term) { return std::string(kInfrastructure) + std::string(term); }

/// Counts ids up and keeps what engines answer.
class TestWorld {
 public:
  TestWorld() : world(Model::shipped()) {
    rules.new_id = [this] { return "id-" + std::to_string(++ids_); };
    rules.seal = [](const Attribute&, std::string_view text) { return "sealed:" + std::to_string(text.size()); };
  }

  /// A request in text/plain, e.g. `Category: compute; scheme="…"; class="kind"`.
  Result<Change> create(const std::string& text, const std::string& id = {}) {
    AT_TRY(const auto content, read_content(Media::kPlain, {}, text));
    AT_TRY(const auto drafts, drafts_of(content, world.model()));
    return take(Engine(world, rules).create(drafts, nullptr, id));
  }
  Result<Change> create_json(const std::string& text) {
    AT_TRY(const auto content, read_content(Media::kJson, {}, text));
    AT_TRY(const auto drafts, drafts_of(content, world.model()));
    return take(Engine(world, rules).create(drafts, nullptr, ""));
  }
  Result<Change> update(const std::string& id, const std::string& text, bool whole) {
    AT_TRY(const auto content, read_content(Media::kPlain, {}, text));
    AT_TRY(const auto draft, draft_of(content, world.model()));
    return take(Engine(world, rules).update(id, draft, whole));
  }
  Result<Change> act(const std::string& id, const std::string& term, AttributeList attributes = {}) {
    return take(Engine(world, rules).act({id}, term, {"", std::move(attributes)}));
  }
  Result<Change> take(Result<Change> change) {
    if (!change) return change;
    for (const auto& id : change->removed) world.remove(id);
    auto model = world.model();
    for (const auto& id : change->forgotten) {
      if (auto done = model.remove(id); !done) return std::unexpected(done.error());
    }
    for (auto mixin : change->defined) {
      mixin.item = "ondemand/" + mixin.term;
      if (auto done = model.add(std::move(mixin)); !done) return std::unexpected(done.error());
    }
    world.set_model(std::move(model));
    for (const auto& entity : change->put) world.put(entity);
    return change;
  }

  World world;
  Rules rules;

 private:
  int ids_ = 0;
};

inline std::string category(std::string_view term, std::string_view cls = "kind",
                            std::string_view scheme = kInfrastructure) {
  return "Category: " + std::string(term) + "; scheme=\"" + std::string(scheme) + "\"; class=\"" + std::string(cls) +
         "\"\n";
}
inline std::string attribute(const std::string& name, const std::string& value) {
  return "X-OCCI-Attribute: " + name + "=" + value + "\n";
}

}  // namespace atalaya::occi
