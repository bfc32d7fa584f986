// Remote procedures of packages: asked here, run on an agent.
#pragma once

#include <boost/json.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "api/doors.h"
#include "ingest/agent_calls.h"
#include "net/worker_pool.h"
#include "registry/audit.h"
#include "registry/hosts.h"

namespace atalaya::api {

/// An item of the section `rpc`, ready to be called.
struct Procedure {
  std::string id;  ///< "shop/queues/empty"
  std::string package;
  std::string title;
  std::string help;
  auth::Role role = auth::Role::kOperator;
  std::string on;                ///< host name or glob; "": the caller names a host
  std::string program;           ///< text of the script
  boost::json::array arguments;  ///< as forms want them: schema::to_json(Field); kind "secret" is kept out of logs
  Duration timeout{10'000};
  std::uint64_t output_limit = 1 << 20;
};

/// What is wrong with one argument.
struct WrongArgument {
  std::string field;  ///< "queue", "limits.0"; "" for what is wrong with all of them
  std::string message;
  std::string remedy;
};

/// The plain values with defaults filled in, or everything that is wrong with them.
struct CheckedArguments {
  boost::json::object values;
  std::vector<WrongArgument> wrong;
};

/// What came of a call: the program's answer, or why it was not made.
struct CallOutcome {
  boost::json::object answer;
  std::vector<WrongArgument> wrong;
};

/// What calling needs; functions are thread-safe. `find` follows the package's fallbacks.
struct ProcedureServices {
  std::function<std::vector<Procedure>(const TenantId&)> list;
  std::function<Result<Procedure>(const TenantId&, const std::string& package, const std::string& name)> find;
  std::function<Result<CheckedArguments>(const TenantId&, const Procedure&, const boost::json::object& given)>
      check_arguments;
  /// ingest::AgentHub::call.
  std::function<Result<ingest::CallResult>(const TenantId&, const AgentId&, ingest::CallFrame, Duration timeout)> call;
  const registry::Hosts& hosts;
  registry::Audit& audit;
  const Clock& clock;
};

/// Calls procedures for people: role, host and arguments are checked, the call stands in the audit log before it
/// goes out, and its outcome after. Immutable; thread-safe; a call blocks.
class Procedures {
 public:
  explicit Procedures(ProcedureServices services) : services_(std::move(services)) {}

  /// [{id, package, title, help, role, on, arguments}] of the tenant.
  boost::json::array list(const auth::Principal& who) const;

  /// The program gets `arguments` as JSON on standard input, and ATALAYA_PROCEDURE, ATALAYA_HOST and ATALAYA_CALLER
  /// in its environment. Answers {status, timed_out, output, errors, duration_ms, host}. `on`: the host, where
  /// the procedure leaves a choice.
  Result<CallOutcome> call(const auth::Principal& who, const std::string& package, const std::string& name,
                           const boost::json::object& arguments, const std::string& on) const;

 private:
  Result<registry::Host> choose_host(const TenantId& tenant, const Procedure& procedure, const std::string& on) const;
  Status note(const auth::Principal& who, std::string action, const Procedure& procedure, std::string detail) const;

  const ProcedureServices services_;
};

/// GET ~/procedures, POST ~/rpc/{package}/{name...}. `workers` are threads for calls alone: a call takes as long as
/// its program. Stop the hub before the workers, so that nobody waits for answers. Both outlive the server.
void add_procedure_routes(Doors& doors, const Procedures& procedures, net::WorkerPool& workers);

}  // namespace atalaya::api
