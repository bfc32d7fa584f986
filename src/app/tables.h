// The option tables of both executables.
#pragma once

#include "config/options.h"

namespace atalaya::app {

config::Program server_program();
config::Program agent_program();

/// Commands of the server's executable.
config::Command check_command();
config::Command test_command();
config::Command package_command();
config::Command alert_command();
config::Command incident_command();
config::Command silence_command();
config::Command tsdb_command();
config::Command dashboard_command();
config::Command sensor_command();
config::Command check_rules_command();
config::Command test_rules_command();
config::Command check_routes_command();
config::Command test_routes_command();

/// Rows by which a command finds the server and is let in; `tenant_help` is a sentence.
std::vector<config::Option> server_access_options(std::string tenant_help);
/// A command's own rows, with the form of the answer and those by which it finds the server behind them.
std::vector<config::Option> with_answer_options(std::vector<config::Option> own, std::string tenant_help);

/// Rows that both have: how the program logs.
std::vector<config::Option> logging_options();
/// Sets up the program's own log from them.
Status configure_logging(const config::Options& options);

/// Prints `error` as one sentence on standard error and returns its exit code.
int complain(const Error& error);

}  // namespace atalaya::app
