// What the parts of the service share. For service*.cc only.
#pragma once

#include <functional>
#include <semaphore>
#include <string>
#include <utility>
#include <vector>

#include "auth/failure_limit.h"
#include "auth/jwt.h"
#include "auth/revocations.h"
#include "auth/service.h"
#include "auth/sessions.h"
#include "auth/tickets.h"
#include "auth/users.h"
#include "auth/verified_cache.h"

namespace atalaya::auth {

struct Service::Impl {
  static constexpr std::size_t kMaxVerified = 20000;
  static constexpr std::size_t kMaxTickets = 10000;
  static constexpr std::size_t kMaxFailureKeys = 10000;
  static constexpr int kMaxHashing = 4;  ///< 19 MiB each

  Impl(db::Database& db, const Clock& c, const Lifetimes& l, SigningKey key)
      : database(db), clock(c), lifetimes(l), jwt(std::move(key)), tickets(l.ticket, kMaxTickets) {}

  db::Database& database;
  const Clock& clock;
  const Lifetimes lifetimes;
  const Jwt jwt;
  Revocations revocations;
  VerifiedCache verified{kMaxVerified};
  Tickets tickets;
  FailureLimit by_user{10, std::chrono::seconds(30), kMaxFailureKeys};
  FailureLimit by_address{60, std::chrono::seconds(2), kMaxFailureKeys};
  std::counting_semaphore<kMaxHashing> hashing{kMaxHashing};

  Time now() const { return clock.now(); }
  /// `work` in a writing transaction, with a value coming out.
  template <typename Work>
  auto write(Work work) -> decltype(work(std::declval<db::Session&>())) {
    return in(work, [&](const auto& inner) { return database.write(inner); });
  }
  template <typename Work>
  auto read(Work work) const -> decltype(work(std::declval<db::Session&>())) {
    return in(work, [&](const auto& inner) { return database.read(inner); });
  }

  /// A revocation that outlasts every access token minted until now.
  Revocation revocation(const TenantId& tenant, Revoked what, std::string id) const;
  /// `work` in a writing transaction; the revocations that it adds are stored in the same one and hold
  /// once it has committed.
  using Revoking = std::function<Status(db::Session&, std::vector<Revocation>& made)>;
  Status revoking(const Revoking& work);
  /// Ends every session of a user but `except`.
  Status end_sessions(db::Session& session, const TenantId& tenant, const UserId& user, std::string_view except,
                      std::vector<Revocation>& made) const;

  bool matches(const std::string& phc, std::string_view password);
  Result<std::string> hash(std::string_view password);
  SignedIn signed_in(const TenantId& tenant, User user, const std::string& session_id, std::string refresh_token) const;
  /// Starts a session in `session`.
  Result<SignedIn> start_session(db::Session& session, const TenantId& tenant, User user, Time at) const;

 private:
  template <typename Work, typename Run>
  static auto in(Work& work, Run run) -> decltype(work(std::declval<db::Session&>())) {
    using Answer = decltype(work(std::declval<db::Session&>()));
    Answer answer = fail(ErrorCode::kInternal, "the transaction did not run");
    AT_TRY(run([&](db::Session& session) -> Status {
      answer = work(session);
      if (!answer) return std::unexpected(answer.error());
      return {};
    }));
    return answer;
  }
};

std::unexpected<Error> refuse_credential(std::string message, std::string remedy);

}  // namespace atalaya::auth
