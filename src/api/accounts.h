// Routes of people and programs: sign-in, sessions, users, tokens.
#pragma once

#include "api/doors.h"

namespace atalaya::api {

/// People sign in to one tenant; `default` unless the body of sign-in names another.
void add_account_routes(Doors& doors, auth::Service& service);

}  // namespace atalaya::api
