// atalaya.

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <vector>

#include "app/commands.h"
#include "app/local_agent.h"
#include "app/serve.h"
#include "app/tables.h"
#include "io/file_system.h"

namespace atalaya::app {
namespace {

/// `atalaya agent …` is atalaya-agent, whatever its arguments.
int become_agent(char** arguments) {
  const auto executable = agent_executable();
  if (!executable) return complain(executable.error());
  execv(executable->c_str(), arguments);
  return complain({ErrorCode::kInternal, *executable + ": " + std::strerror(errno), std::nullopt, {}});
}

int run(const config::Options& options) {
  if (auto logging = configure_logging(options); !logging) return complain(logging.error());
  if (options.command_text() == "check rules") return check_rules(options);
  if (options.command_text() == "test rules") return test_rules(options);
  if (options.command_text() == "check routes") return check_routes(options);
  if (options.command_text() == "test routes") return test_routes(options);
  const auto& command = options.command().front();
  if (command == "token") return token(options);
  if (command == "check") return check(options);
  if (command == "test") return test(options);
  if (command == "package") return package(options);
  if (command == "incident") return incident(options);
  if (command == "alert" || command == "silence") return alerts_and_silences(options);
  if (command == "tsdb") return tsdb(options);
  if (command == "dashboard") return dashboard(options);
  if (command == "sensor") return sensor(options);
  if (command == "demo") return demo(options);
  return serve(options);
}

}  // namespace
}  // namespace atalaya::app

int main(int argc, char** argv) {
  using namespace atalaya;
  if (argc > 1 && std::strcmp(argv[1], "agent") == 0) return app::become_agent(argv + 1);
  auto files = io::real_file_system();
  const auto read = config::read_options(app::server_program(), config::arguments_of(argc, argv),
                                         config::system_environment(), *files);
  if (const auto* leave = std::get_if<config::Exit>(&read)) {
    std::fputs(leave->out.c_str(), stdout);
    std::fputs(leave->err.c_str(), stderr);
    return leave->code;
  }
  return app::run(std::get<config::Options>(read));
}
