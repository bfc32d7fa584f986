// Writes the pages that follow from tables: atalaya-docs OPTIONS.MD

#include "app/tables.h"
#include "io/file_system.h"

int main(int argc, char** argv) {
  using namespace atalaya;
  if (argc != 2) return app::complain({ErrorCode::kInvalidArgument, "one file is needed", std::nullopt, {}});
  const auto files = io::real_file_system();
  const auto text = config::render_markdown({app::server_program(), app::agent_program()});
  if (auto written = io::write_file_atomically(*files, argv[1], text); !written) return app::complain(written.error());
  return 0;
}
