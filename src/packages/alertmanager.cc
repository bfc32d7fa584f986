// The section `alertmanager`: a document that routing reads.

#include "packages/project.h"
#include "routing/config.h"

namespace atalaya::packages {

void check_alertmanager(const ItemContext& item) {
  config::Errors warnings;
  routing::read_config(item.node, item.errors, warnings);
}

}  // namespace atalaya::packages
