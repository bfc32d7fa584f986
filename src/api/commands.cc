#include "api/commands.h"

#include <future>
#include <memory>

namespace atalaya::api {

Status run_all(control::Runner& control, const TenantId& tenant, std::vector<std::any> events) {
  std::vector<std::future<Status>> answers;
  Status status;
  for (auto& event : events) {
    const auto promise = std::make_shared<std::promise<Status>>();
    answers.push_back(promise->get_future());
    status =
        control.post_wait({tenant, std::move(event), [promise](Status s) { promise->set_value(std::move(s)); }, {}});
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
