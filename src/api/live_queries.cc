#include "api/live_queries.h"

#include <algorithm>

#include "api/prometheus_json.h"

namespace atalaya::api {

Status LiveQueries::subscribe(const TenantId& tenant, const std::string& text, Duration lookback,
                              Subscriber subscriber) {
  AT_TRY(auto expression, promql::parse(text));
  std::lock_guard lock(mutex_);
  const auto key = std::make_tuple(tenant, text, lookback);
  auto found = queries_.find(key);
  if (found == queries_.end()) {
    if (queries_.size() >= kMaxQueries) {
      return fail(ErrorCode::kResourceExhausted, "too many live queries are open", "close another page");
    }
    auto query = std::make_shared<Query>();
    query->tenant = tenant;
    query->lookback = lookback;
    query->selectors = promql::selectors(*expression);
    query->expression = std::move(expression);
    found = queries_.emplace(key, std::move(query)).first;
    watchers_.erase(tenant);
  }
  found->second->subscribers.push_back(std::move(subscriber));
  return {};
}

template <typename Predicate>
std::size_t LiveQueries::erase(Predicate predicate) {
  std::lock_guard lock(mutex_);
  std::size_t erased = 0;
  for (auto it = queries_.begin(); it != queries_.end();) {
    erased += std::erase_if(it->second->subscribers, predicate);
    if (it->second->subscribers.empty()) {
      watchers_.erase(it->second->tenant);
      it = queries_.erase(it);
    } else {
      ++it;
    }
  }
  return erased;
}

std::size_t LiveQueries::unsubscribe(std::uint64_t session, const std::string& id) {
  return erase([&](const Subscriber& s) { return s.session == session && s.id == id; });
}

std::size_t LiveQueries::drop(std::uint64_t session) {
  return erase([&](const Subscriber& s) { return s.session == session; });
}

const std::vector<LiveQueries::Query*>& LiveQueries::watchers_of(const TenantId& tenant, SeriesId id) {
  auto& known = watchers_[tenant];
  const auto [it, fresh] = known.try_emplace(id);
  if (fresh) {
    if (const auto labels = series_.labels_of(tenant, id)) {
      for (const auto& [key, query] : queries_) {
        if (query->tenant != tenant) continue;
        const bool reads = std::any_of(query->selectors.begin(), query->selectors.end(),
                                       [&](const Matchers& selector) { return matches(selector, *labels); });
        if (reads) it->second.push_back(query.get());
      }
    }
  }
  return it->second;
}

void LiveQueries::touch(const TenantId& tenant, const std::vector<SeriesId>& series, Time newest) {
  std::lock_guard lock(mutex_);
  if (queries_.empty()) return;
  for (const auto id : series) {
    for (auto* query : watchers_of(tenant, id)) {
      query->marked = true;
      query->newest = std::max(query->newest, newest);
    }
  }
}

std::string LiveQueries::run(const Query& query) const {
  promql::Limits limits;
  limits.lookback = query.lookback;
  const auto value = promql::Engine(series_, limits).instant(query.tenant, *query.expression, query.newest);
  // An evaluation error (a limit, say) shows as an empty answer; the same query asked once at
  // /api/v1/query tells the reason.
  if (!value) return "[]";
  return instant_vector_json(*value);
}

bool LiveQueries::evaluate(Steady now) {
  std::vector<Query> due;
  bool left = false;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [key, query] : queries_) {
      if (!query->marked) continue;
      if (now - query->evaluated < kPause) {
        left = true;
        continue;
      }
      query->marked = false;
      query->evaluated = now;
      due.push_back(*query);
    }
  }
  for (const auto& query : due) {
    const auto result = run(query);
    for (const auto& subscriber : query.subscribers) subscriber.deliver(query.newest, result);
  }
  return left;
}

std::size_t LiveQueries::size() const {
  std::lock_guard lock(mutex_);
  return queries_.size();
}

}  // namespace atalaya::api
