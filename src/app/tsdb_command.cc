#include "app/commands.h"
#include "app/tables.h"
#include "app/tsdb_care_command.h"
#include "app/tsdb_command_io.h"

namespace atalaya::app {

int tsdb(const config::Options& options) {
  const auto& verb = options.command().at(1);
  const auto care = tsdb_care(verb, options);
  const auto code = care ? *care : verb == "import" ? import_series(options) : export_series(options);
  return code ? *code : complain(code.error());
}

}  // namespace atalaya::app
