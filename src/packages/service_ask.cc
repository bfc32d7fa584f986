// Programs of types are asked without any lock: their packages wait, nobody else does.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "packages/service_impl.h"
#include "packages/type_scripts.h"
#include "schema/canonical.h"

namespace atalaya::packages {
namespace {

/// As long as TypeScripts lets a program rest that said nothing.
constexpr Duration kRest = TypeScriptsOptions{}.rest;
constexpr std::string_view kWith = "with";  ///< of an instance: its values

}  // namespace

std::optional<Result<std::string>> Service::Impl::ask_later(const std::string& program, std::string_view verb,
                                                            const std::string& input) const {
  if (auto answer = options.type_scripts->known(program, verb, input)) return answer;
  if (waits) return std::nullopt;
  return fail(ErrorCode::kDeadlineExceeded,
              fmt::format("not asked: all programs of types together have used up {}", format_duration(kTimeOfChange)),
              "what they answered is remembered: try again, or make them faster");
}

schema::RunTypeScript Service::Impl::ask_now(const Files& on_disk) const {
  if (options.type_scripts == nullptr) return {};
  return run_type_script(
      [scripts = options.type_scripts](const std::string& program, std::string_view verb, const std::string& input) {
        return scripts->ask(program, verb, input);
      },
      on_disk);
}

Serialise Service::Impl::serialise_by_programs(const TenantId& id, std::vector<PackageError>& errors) {
  if (options.type_scripts == nullptr) return {};
  const auto on_disk = disk_files(id);
  const auto ask = [this](const std::string& program, std::string_view verb, const std::string& input) {
    return ask_later(program, verb, input);
  };
  const auto run =
      run_type_script(ask, on_disk, [this](TypeQuestion question) { questions.push_back(std::move(question)); });
  return [this, &id, &errors, on_disk, run](const ItemAddress& at, const schema::Section& section,
                                            const std::vector<std::string>& field, config::YamlValue value) {
    const auto& world = tenant_of(id).world;
    const auto go = [&](const schema::SchemaSet& schemas, const schema::Type& type, config::YamlValue given) {
      std::vector<Error> unanswered;
      auto out = schema::as_serialised(std::move(given), type, {schemas, run}, unanswered);
      for (auto& error : unanswered) {
        if (is_awaited(error)) continue;
        const auto name = fmt::format("{}", fmt::join(field, "."));
        if (!name.empty()) error.message = fmt::format("{}: {}", name, error.message);
        errors.push_back({std::move(error), at.package, at.section, at.path, name});
      }
      return out;
    };
    const bool gives = section.name == "instances" && !at.path.empty();
    const auto schemas = world.schemas_of(gives ? at.path.front() : at.package);
    if (!schemas) return value;
    if (!gives) {
      const auto* type = section.body ? schema::type_at(*section.body, field) : nullptr;
      return type == nullptr ? value : go(*schemas, *type, std::move(value));
    }
    // What `with` holds is of the specification's parameters' types.
    config::Errors ignored;  // when the instance is checked
    const auto specification = PackageTree::read(at.path.front(), on_disk.read(at.path.front()), ignored);
    const auto declared = specification.whole_section("parameters", ignored);
    const auto parameters = declared ? schemas->record(*declared->node, ignored) : nullptr;
    if (!parameters) return value;
    if (field.empty()) {
      for (auto& [name, part] : value.entries) {
        if (name == kWith) part = go(*schemas, *parameters, std::move(part));
      }
      return value;
    }
    const auto* type = field.front() == kWith ? schema::type_at(*parameters, std::span(field).subspan(1)) : nullptr;
    return type == nullptr ? value : go(*schemas, *type, std::move(value));
  };
}

bool Service::Impl::ask(const std::vector<TypeQuestion>& open, Steady end) const {
  for (const auto& question : open) {
    if (clock.steady() >= end) return false;
    // The answer is remembered, or the program rests: the next look knows.
    [[maybe_unused]] const auto answer = options.type_scripts->ask(question.program, question.verb, question.input);
  }
  return true;
}

void Service::Impl::note_waiting(const TenantId& tenant, const std::set<std::string>& looked_at, const Plan& plan) {
  auto& names = waiting[tenant];
  std::erase_if(
      names, [&](const auto& entry) { return looked_at.contains(entry.first) && !plan.waiting.contains(entry.first); });
  for (const auto& name : plan.waiting) names.try_emplace(name, 0);
  auto& later = resting[tenant];
  for (const auto& name : looked_at) later.erase(name);
  for (const auto& [name, slot] : plan.slots) {
    const auto rests = [](const Error& error) {
      return error.code == ErrorCode::kDeadlineExceeded ||
             (error.code == ErrorCode::kUnavailable && !is_awaited(error));
    };
    if (std::any_of(slot.errors.begin(), slot.errors.end(), rests)) later[name] = clock.steady() + kRest;
  }
}

std::vector<TypeQuestion> Service::Impl::look_at_waiting(News& news) {
  std::vector<TypeQuestion> open;
  const std::lock_guard change(change_mutex);
  const auto now = clock.steady();
  for (auto& [tenant, names] : resting) {
    for (const auto& [name, until] : names) {
      if (now >= until) waiting[tenant].try_emplace(name, 0);
    }
  }
  for (const auto& [tenant, names] : std::map(waiting)) {
    if (names.empty()) continue;
    for (auto& question : load_tenant(tenant, Look::kWaiting, news)) open.push_back(std::move(question));
  }
  if (!news.packages.empty()) tell(std::exchange(news, News{}));
  return open;
}

bool Service::Impl::ask_and_look_again(std::vector<TypeQuestion> open, Steady end, News& news, bool tells) {
  bool any = false;
  while (!open.empty() && ask(open, end)) {
    open.clear();
    const std::lock_guard change(change_mutex);
    for (const auto& [tenant, names] : std::map(waiting)) {
      if (names.empty()) continue;
      for (auto& question : load_tenant(tenant, Look::kWaiting, news)) open.push_back(std::move(question));
      bool gives_up = false;
      for (auto& [name, rounds] : waiting[tenant]) gives_up = ++rounds > kMostRounds || gives_up;
      if (gives_up) load_tenant(tenant, Look::kGivenUp, news);
    }
    any = any || !news.packages.empty();
    if (tells && !news.packages.empty()) tell(std::exchange(news, News{}));
  }
  return any;
}

}  // namespace atalaya::packages
