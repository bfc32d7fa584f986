// Programs of types are asked without any lock: their packages wait, nobody else does.

#include <fmt/format.h>

#include "packages/service_impl.h"
#include "packages/type_scripts.h"

namespace atalaya::packages {
namespace {

/// A package that was looked at so often waits no more: it has more values than answers are remembered.
constexpr int kMostLooks = 100;

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
  for (const auto& name : plan.waiting) {
    auto& looks = names[name];
    if (++looks > kMostLooks) names.erase(name);
  }
}

bool Service::Impl::ask_and_look_again(std::vector<TypeQuestion> open, Steady end, News& news, bool tells) {
  bool any = false;
  while (!open.empty() && ask(open, end)) {
    open.clear();
    const std::lock_guard change(change_mutex);
    for (const auto& [tenant, names] : std::map(waiting)) {
      for (auto& question : load_tenant(tenant, Look::kWaiting, news)) open.push_back(std::move(question));
    }
    any = any || !news.packages.empty();
    if (tells && !news.packages.empty()) tell(std::exchange(news, News{}));
  }
  return any;
}

}  // namespace atalaya::packages
