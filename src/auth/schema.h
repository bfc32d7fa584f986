// The tables of this library.
#pragma once

#include <vector>

#include "db/database.h"

namespace atalaya::auth {

std::vector<db::Migration> migrations();

}  // namespace atalaya::auth
