// Writes the pages that follow from tables and schemas: atalaya-docs FOLDER

#include "app/tables.h"
#include "app/web_files.h"
#include "io/file_system.h"
#include "packages/disk.h"
#include "packages/world.h"
#include "schema/describe.h"

namespace atalaya::app {
namespace {

/// The sections of the package `base` that ships.
Result<std::string> sections_page() {
  constexpr std::string_view kBase = "base/";
  std::vector<packages::SourceFile> base;
  for (const auto& file : shipped_packages()) {
    if (!file.path.starts_with(kBase)) continue;
    const std::string name(file.path.substr(kBase.size()));
    if (packages::is_source(name))
      base.push_back({std::string(file.path), name, std::string(file.bytes), std::nullopt});
  }
  packages::Files files;
  files.list = [] { return std::vector<std::string>{"base"}; };
  files.read = [&](const std::string&) { return base; };
  files.last_good = [](const std::string&) { return std::vector<packages::SourceFile>{}; };
  files.read_file = [](const std::string&, const std::string& name) -> Result<std::string> {
    return fail(ErrorCode::kNotFound, "no file " + name);
  };
  files.has_channel_types = [](const std::string&) { return true; };
  packages::World world({.tenant = default_tenant(), .base = base});
  auto plan = world.plan(std::nullopt, files);
  if (!plan.errors.empty()) return std::unexpected(plan.errors.front());
  world.take(std::move(plan));
  const auto schemas = world.schemas_of("base");
  if (!schemas) return fail(ErrorCode::kInternal, "the package base has no schemas");
  return schema::to_markdown(*schemas);
}

Status write(const std::string& folder) {
  const auto files = io::real_file_system();
  AT_TRY(files->create_directories(folder));
  AT_TRY(io::write_file_atomically(*files, folder + "/options.md",
                                   config::render_markdown({server_program(), agent_program()})));
  AT_TRY(const auto sections, sections_page());
  return io::write_file_atomically(*files, folder + "/sections.md", sections);
}

}  // namespace
}  // namespace atalaya::app

int main(int argc, char** argv) {
  using namespace atalaya;
  if (argc != 2) return app::complain({ErrorCode::kInvalidArgument, "one folder is needed", std::nullopt, {}});
  const auto written = app::write(argv[1]);
  return written ? 0 : app::complain(written.error());
}
