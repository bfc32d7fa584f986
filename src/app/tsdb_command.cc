#include "app/commands.h"
#include "app/tables.h"
#include "app/tsdb_command_io.h"

namespace atalaya::app {

int tsdb(const config::Options& options) {
  const auto code = options.command().at(1) == "import" ? import_series(options) : export_series(options);
  return code ? *code : complain(code.error());
}

}  // namespace atalaya::app
