#include <boost/json.hpp>
#include <fmt/format.h>

#include <cstdio>
#include <iostream>
#include <iterator>

#include "app/accounts.h"
#include "app/commands.h"
#include "app/tables.h"
#include "auth/jws.h"
#include "io/file_system.h"

namespace atalaya::app {
namespace {

namespace json = boost::json;

Status create(const config::Options& options) {
  AT_TRY(auto accounts, open_accounts(options.text("data"), options.text("tenant")));
  AT_TRY(auto role, auth::parse_role(options.text("role")));
  AT_TRY(auto made,
         accounts->service->create_token(accounts->tenant, options.text("name"), role, options.duration("ttl")));
  std::puts(made.token.c_str());
  return {};
}

Status list(const config::Options& options) {
  AT_TRY(auto accounts, open_accounts(options.text("data"), options.text("tenant")));
  AT_TRY(auto tokens, accounts->service->tokens(accounts->tenant));
  if (options.text("output") == "json") {
    json::array all;
    for (const auto& token : tokens) {
      all.push_back(json::object{{"id", token.id},
                                 {"name", token.name},
                                 {"role", auth::name(token.role)},
                                 {"created", format_rfc3339(token.created)},
                                 {"expires", format_rfc3339(token.expires)},
                                 {"revoked", token.revoked}});
    }
    std::puts(json::serialize(all).c_str());
    return {};
  }
  if (tokens.empty()) std::puts("No tokens. Make one with: atalaya token create --role viewer --ttl 30d");
  for (const auto& token : tokens) {
    fmt::print("{}  {:<8}  until {}  {}{}\n", token.id, auth::name(token.role), format_rfc3339(token.expires),
               token.name, token.revoked ? "  (revoked)" : "");
  }
  return {};
}

Status revoke(const config::Options& options) {
  AT_TRY(auto accounts, open_accounts(options.text("data"), options.text("tenant")));
  return accounts->service->revoke_token(accounts->tenant, options.argument("ID"));
}

/// The argument itself when it looks like a token, else the file that it names, else standard input.
Result<std::string> token_text(io::FileSystem& files, const std::string& argument) {
  std::string text = argument;
  if (argument.empty() || argument == "-") {
    text.assign(std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>());
  } else if (files.exists(argument)) {
    AT_TRY(text, io::read_file(files, argument, auth::kMaxJwsBytes));
  }
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.pop_back();
  return text;
}

Status verify(const config::Options& options) {
  const auto files = io::real_file_system();
  const SystemClock clock;
  AT_TRY(auto keys, io::read_file(*files, options.text("jwks"), auth::kMaxJwksBytes));
  AT_TRY(auto text, token_text(*files, options.argument("TOKEN")));
  AT_TRY(auto judged, auth::judge_token(keys, text));
  if (const auto timely = auth::judge_token(keys, text, clock.now()); !timely) {
    if (options.boolean("check-times")) return std::unexpected(timely.error());
    fmt::print(stderr, "atalaya: note: {}\n", timely.error().message);
  }
  if (options.text("output") == "json") {
    std::puts(
        json::serialize(
            json::object{{"valid", true}, {"alg", judged.algorithm}, {"kid", judged.kid}, {"payload", judged.payload}})
            .c_str());
  } else {
    fmt::print("valid: {}{}\n{}\n", judged.algorithm, judged.kid.empty() ? "" : " by key " + judged.kid,
               judged.payload);
  }
  return {};
}

}  // namespace

int token(const config::Options& options) {
  const auto& action = options.command().at(1);
  Status status;
  if (action == "create") status = create(options);
  if (action == "list") status = list(options);
  if (action == "revoke") status = revoke(options);
  if (action == "verify") status = verify(options);
  return status ? 0 : complain(status.error());
}

}  // namespace atalaya::app
