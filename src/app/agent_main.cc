// atalaya-agent.

#include <cstdio>

#include "agent/agent.h"
#include "agent/identity.h"
#include "app/tables.h"
#include "app/version.h"
#include "io/file_system.h"

namespace atalaya::app {
namespace {

agent::AgentOptions agent_options(const config::Options& options) {
  agent::AgentOptions out;
  out.data_dir = options.text("data");
  out.version = kVersion;
  out.proxy = options.text("proxy");
  out.proxy_password_file = options.text("proxy-password-file");
  out.ca_file = options.text("ca-file");
  return out;
}

int run(const config::Options& options) {
  auto given = agent_options(options);
  given.spool_bytes = options.bytes("spool-bytes");
  given.spool_sync = options.boolean("spool-sync");
  given.root = options.text("root");
  given.scripts = options.boolean("scripts");
  given.publish_allow = options.list("publish-allow");
  return agent::run_agent(given);
}

Status enroll(const config::Options& options) {
  const auto given = agent_options(options);
  auto files = io::real_file_system();
  AT_TRY(auto connect, agent::connect_options(given));
  AT_TRY(files->create_directories(given.data_dir));
  const auto name = options.text("name").empty() ? agent::host_name() : options.text("name");
  agent::EnrolRequest request;
  request.server = options.text("server");
  request.token = options.text("token");
  request.name = name;
  request.version = kVersion;
  request.replace = options.boolean("replace");
  request.connect = connect;
  AT_TRY(auto identity, agent::enrol(request));
  AT_TRY(agent::save_identity(*files, given.data_dir, identity));
  std::printf("%s is enrolled at %s; start it with: atalaya-agent run --data %s\n", identity.name.c_str(),
              identity.server.c_str(), given.data_dir.c_str());
  return {};
}

}  // namespace
}  // namespace atalaya::app

int main(int argc, char** argv) {
  using namespace atalaya;
  auto files = io::real_file_system();
  const auto read = config::read_options(app::agent_program(), config::arguments_of(argc, argv),
                                         config::system_environment(), *files);
  if (const auto* leave = std::get_if<config::Exit>(&read)) {
    std::fputs(leave->out.c_str(), stdout);
    std::fputs(leave->err.c_str(), stderr);
    return leave->code;
  }
  const auto& options = std::get<config::Options>(read);
  if (auto logging = app::configure_logging(options); !logging) return app::complain(logging.error());
  if (options.command_text() == "run") return app::run(options);
  if (auto enrolled = app::enroll(options); !enrolled) return app::complain(enrolled.error());
  return 0;
}
