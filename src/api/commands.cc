#include "api/commands.h"

#include <future>
#include <memory>

namespace atalaya::api {

Status run_all(control::Runner& control, const TenantId& tenant, std::vector<Command> commands) {
  std::vector<std::future<Status>> answers;
  Status status;
  for (auto& command : commands) {
    const auto promise = std::make_shared<std::promise<Status>>();
    answers.push_back(promise->get_future());
    status = control.post_wait({.tenant = tenant,
                                .body = std::move(command.body),
                                .done = [promise](Status s) { promise->set_value(std::move(s)); },
                                .urgent = command.urgent && commands.size() == 1,
                                .weight = command.weight});
    if (status) continue;
    answers.pop_back();
    break;
  }
  for (auto& answer : answers) {
    if (auto stored = answer.get(); !stored && status) status = std::move(stored);
  }
  return status;
}

}  // namespace atalaya::api
