// What pages and procedures of packages need of the rest: connections only.
#pragma once

#include "api/pages.h"
#include "api/procedures.h"
#include "app/channels.h"
#include "io/file_system.h"
#include "packages/service.h"
#include "registry/hosts.h"
#include "registry/items.h"

namespace atalaya::app {

/// Where the packages of the server in the folder `data` are, and what they ask of the rest; borrows that.
packages::Service::Options package_options(const std::string& data, const Channels& channels,
                                           packages::TypeScripts& scripts, const registry::Hosts& hosts);

/// Both outlive what is made of them.
api::PageDirectory page_directory(const packages::Service& packages, const registry::Items& items);

/// The parts of ProcedureServices that packages answer: list, find, check_arguments.
struct PackageProcedures {
  std::function<std::vector<api::Procedure>(const TenantId&)> list;
  std::function<Result<api::Procedure>(const TenantId&, const std::string& package, const std::string& name)> find;
  std::function<Result<api::CheckedArguments>(const TenantId&, const api::Procedure&, const boost::json::object& given)>
      check_arguments;
};
PackageProcedures package_procedures(const packages::Service& packages);

/// The public keys (PEM) in these files; an error that names the one that holds none.
Result<std::vector<std::string>> read_package_keys(io::FileSystem& files, const std::vector<std::string>& paths);

/// Module and styles of pages among the embedded files; empty where the UI was not built.
pages::Assets page_assets();

}  // namespace atalaya::app
