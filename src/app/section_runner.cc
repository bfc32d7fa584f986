#include "app/section_runner.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/json.h"
#include "packages/manifest.h"
#include "telemetry/log.h"

namespace atalaya::app {
namespace {

namespace json = boost::json;

constexpr Duration kRetry{std::chrono::seconds{30}};
constexpr Duration kPatience{std::chrono::seconds{30}};
constexpr std::size_t kMostEntities = 10'000;

std::uint64_t mix(std::uint64_t hash, std::string_view text) {
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return hash;
}

Result<std::string> text(const json::object& from, std::string_view key, std::size_t most) {
  const auto* value = from.if_contains(key);
  if (value == nullptr || value->is_null()) return std::string();
  if (!value->is_string() || value->get_string().size() > most) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("an entity's \"{}\" is no text of at most {} bytes", key, most));
  }
  return std::string(value->get_string());
}

}  // namespace

Result<std::vector<registry::Item>> read_entities(std::string_view output, const TenantId& tenant,
                                                  const std::string& package, const std::string& section,
                                                  const std::map<std::string, Place>& places) {
  boost::system::error_code error;
  const auto answer = json::parse(output, error);
  const auto* list = !error && answer.is_object() ? answer.get_object().if_contains("entities") : nullptr;
  if (list == nullptr || !list->is_array() || list->get_array().size() > kMostEntities) {
    return fail(ErrorCode::kInvalidArgument, "the program did not answer {\"entities\": […]}",
                fmt::format("it prints one JSON object, with at most {} entities", kMostEntities));
  }
  std::map<std::string, registry::Item> out;
  for (const auto& one : list->get_array()) {
    if (!one.is_object()) return fail(ErrorCode::kInvalidArgument, "an entity is no object");
    const auto& from = one.get_object();
    registry::Item item;
    AT_TRY(const auto id, text(from, "id", 200));
    AT_TRY(item.kind, text(from, "kind", 64));
    AT_TRY(item.title, text(from, "title", 500));
    AT_TRY(auto of, text(from, "item", 500));
    // A program names an item as it got it: by its path, or by its id.
    if (const auto whole = package + "/" + of; !places.contains(of) && places.contains(whole)) of = whole;
    if (id.empty()) return fail(ErrorCode::kInvalidArgument, "an entity has no \"id\"");
    if (item.kind.empty()) item.kind = section;
    if (!packages::is_item_name(item.kind)) {
      return fail(ErrorCode::kInvalidArgument, fmt::format("\"{}\" is no kind of entity", item.kind),
                  std::string(packages::kItemNameRemedy));
    }
    item.id = fmt::format("{}:{}/{}", package, section, id);
    item.tenant = tenant;
    item.package = package;
    if (const auto place = places.find(of); place != places.end()) item.origin.place = place->second;
    if (const auto* links = from.if_contains("links"); links != nullptr && links->is_array()) {
      for (const auto& link : links->get_array()) {
        if (link.is_string()) item.links.emplace_back(link.get_string());
      }
    }
    if (!of.empty()) item.links.push_back(of);
    out.insert_or_assign(item.kind + "/" + item.id, std::move(item));
  }
  std::vector<registry::Item> items;
  for (auto& [key, item] : out) items.push_back(std::move(item));
  return items;
}

void SectionRunner::changed(const TenantId& tenant, const std::set<std::string>& packages) {
  const std::lock_guard lock(mutex_);
  due_[tenant].insert(packages.begin(), packages.end());
}

void SectionRunner::look() {
  std::map<TenantId, std::set<std::string>> due;
  std::map<TenantId, std::set<std::string>> again;
  {
    const std::lock_guard lock(mutex_);
    due.swap(due_);
    for (const auto& [key, run] : runs_) {
      if (!run.ok && clock_.now() - run.at >= kRetry) again[TenantId{std::get<0>(key)}].insert(std::get<1>(key));
    }
  }
  for (const auto& [tenant, packages] : due) {
    for (const auto& package : packages) look_at(tenant, package, false);
  }
  for (const auto& [tenant, packages] : again) {
    for (const auto& package : packages) look_at(tenant, package, true);
  }
}

void SectionRunner::look_at(const TenantId& tenant, const std::string& package, bool again) {
  const auto schemas = packages_.schemas(tenant, package);
  if (!schemas) return;
  std::set<std::string> present;
  for (const auto* section : schemas->sections()) {
    if (section->script.empty()) continue;
    auto found = packages_.items(tenant, section->name);
    std::erase_if(found, [&](const auto& one) { return one.package->name != package; });
    if (found.empty()) continue;
    present.insert(section->name);
    const Key key{tenant.value(), package, section->name};
    Run next;
    next.at = clock_.now();
    const auto program = packages_.file(tenant, section->package, section->script);
    Result<std::vector<registry::Item>> made = std::unexpected(Error{});
    if (program) {
      next.content = mix(0xcbf29ce484222325ULL, program->text);
      for (const auto& one : found)
        next.content = mix(next.content, fmt::format("{}{:x}", one.item->id, one.item->content));
      {
        const std::lock_guard lock(mutex_);
        const auto last = runs_.find(key);
        if (last != runs_.end() && last->second.content == next.content && (last->second.ok || !again)) continue;
      }
      made = run(tenant, package, *section, program->text, found);
    } else {
      made = std::unexpected(program.error());
    }
    if (made) {
      next.ok = true;
      next.entities = made->size();
      items_.replace(tenant, package + ":" + section->name, std::move(*made));
    } else {
      next.error = to_string(made.error());
      // At a start agents are on their way; the next try tells of one that does not come.
      if (again || made.error().code != ErrorCode::kUnavailable) {
        telemetry::log_warn("packages", "a section's program did not process its items",
                            {{"package", package}, {"section", section->name}, {"reason", next.error}});
      }
    }
    const std::lock_guard lock(mutex_);
    auto& last = runs_[key];
    if (!next.ok) next.entities = last.entities;  // what it made before stays
    last = std::move(next);
  }
  // Sections that hold nothing any more.
  std::vector<std::string> gone;
  {
    const std::lock_guard lock(mutex_);
    for (auto run = runs_.begin(); run != runs_.end();) {
      const auto& [of, name, section] = run->first;
      if (of == tenant.value() && name == package && !present.contains(section)) {
        gone.push_back(section);
        run = runs_.erase(run);
      } else {
        ++run;
      }
    }
  }
  for (const auto& section : gone) items_.replace(tenant, package + ":" + section, {});
}

Result<std::vector<registry::Item>> SectionRunner::run(const TenantId& tenant, const std::string& package,
                                                       const schema::Section& section, const std::string& program,
                                                       const std::vector<packages::FoundInPackage>& found) const {
  json::array list;
  std::map<std::string, Place> places;
  for (const auto& one : found) {
    list.push_back(json::object{
        {"id", one.item->id}, {"path", one.item->id.substr(package.size() + 1)}, {"fields", one.item->fields}});
    places[one.item->id] = one.item->origin;
  }
  ingest::CallFrame call;
  call.program = program;
  call.input =
      json::serialize(json::object{{"section", section.name}, {"package", package}, {"items", std::move(list)}});
  call.environment = {{"ATALAYA_SECTION", section.name}, {"ATALAYA_PACKAGE", package}};
  call.time = kPatience;
  AT_TRY(const auto answer, call_(tenant, section.on.empty() ? "*" : section.on, std::move(call)));
  if (answer.timed_out) {
    return fail(ErrorCode::kDeadlineExceeded,
                fmt::format("{} did not end within {}", section.script, format_duration(kPatience)));
  }
  if (answer.status != 0) {
    return fail(ErrorCode::kUnprocessable,
                fmt::format("{} ended with {}: {}", section.script, answer.status, answer.errors));
  }
  return read_entities(answer.output, tenant, package, section.name, places);
}

json::array SectionRunner::state(const TenantId& tenant, const std::string& package) const {
  json::array out;
  const std::lock_guard lock(mutex_);
  for (const auto& [key, run] : runs_) {
    const auto& [of, name, section] = key;
    if (of != tenant.value() || name != package) continue;
    out.push_back(json::object{{"section", section},
                               {"state", run.ok ? "ok" : "failed"},
                               {"at", api::rfc3339(run.at)},
                               {"entities", run.entities},
                               {"error", run.error}});
  }
  return out;
}

}  // namespace atalaya::app
