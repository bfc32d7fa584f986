// Sections that packages declare for themselves: their items go to the section's program on an agent, and
// what it answers stands in the registry. docs/formats/schema.md.
#pragma once

#include <boost/json.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <tuple>

#include "base/time.h"
#include "ingest/agent_calls.h"
#include "packages/service.h"
#include "registry/items.h"

namespace atalaya::app {

/// Runs a program on the agent of a host (name or glob) of the tenant; blocks.
using CallHost =
    std::function<Result<ingest::CallResult>(const TenantId&, const std::string& on, ingest::CallFrame call)>;

/// The program gets {"section","package","items":[{id, path, fields}]} on standard input and answers
/// {"entities":[{"id", "kind"?, "title"?, "links"?, "item"?}]}. It runs when the items or the program changed,
/// and again every 30 s while it fails. Entities are items of the registry with the id
/// "<package>:<section>/<id>", the kind that they name (else the section's name) and the place of their
/// `item`; they go when the section's items do. Thread-safe; `look` blocks and is called by one thread.
class SectionRunner {
 public:
  SectionRunner(const packages::Service& packages, registry::Items& items, const Clock& clock, CallHost call)
      : packages_(packages), items_(items), clock_(clock), call_(std::move(call)) {}

  /// Something of these packages differs; cheap.
  void changed(const TenantId& tenant, const std::set<std::string>& packages);
  /// Runs what is due.
  void look();
  /// [{section, state: ok | failed, at, entities, error}] of a package.
  boost::json::array state(const TenantId& tenant, const std::string& package) const;

 private:
  using Key = std::tuple<std::string, std::string, std::string>;  ///< tenant, package, section
  struct Run {
    std::uint64_t content = 0;  ///< of program and items
    Time at;
    bool ok = false;
    std::size_t entities = 0;
    std::string error;
  };

  void look_at(const TenantId& tenant, const std::string& package, bool again);
  Result<std::vector<registry::Item>> run(const TenantId& tenant, const std::string& package,
                                          const schema::Section& section, const std::string& program,
                                          const std::vector<packages::FoundInPackage>& found) const;

  const packages::Service& packages_;
  registry::Items& items_;
  const Clock& clock_;
  const CallHost call_;

  mutable std::mutex mutex_;
  std::map<TenantId, std::set<std::string>> due_;
  std::map<Key, Run> runs_;
};

/// The entities of an answer; invalid_argument with what is wrong.
Result<std::vector<registry::Item>> read_entities(std::string_view output, const TenantId& tenant,
                                                  const std::string& package, const std::string& section,
                                                  const std::map<std::string, Place>& places);

}  // namespace atalaya::app
