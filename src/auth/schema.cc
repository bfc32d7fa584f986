#include "auth/schema.h"

namespace atalaya::auth {

// Secrets are hashed. Their hashes are unique over all tenants, because a credential is what tells
// the tenant. Times are milliseconds since 1970.
std::vector<db::Migration> migrations() {
  return {{"auth", 1, R"(
CREATE TABLE auth_users(
  tenant TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, role TEXT NOT NULL, password TEXT NOT NULL,
  created BIGINT NOT NULL, last_seen BIGINT,
  PRIMARY KEY(tenant, id), UNIQUE(tenant, name));
CREATE TABLE auth_sessions(
  tenant TEXT NOT NULL, id TEXT NOT NULL, user_id TEXT NOT NULL, last_used BIGINT NOT NULL, expires BIGINT NOT NULL,
  PRIMARY KEY(tenant, id),
  FOREIGN KEY(tenant, user_id) REFERENCES auth_users(tenant, id) ON DELETE CASCADE);
CREATE INDEX auth_sessions_user ON auth_sessions(tenant, user_id, last_used);
CREATE TABLE auth_refresh(
  tenant TEXT NOT NULL, hash TEXT NOT NULL, session_id TEXT NOT NULL, used BIGINT NOT NULL,
  PRIMARY KEY(tenant, hash),
  FOREIGN KEY(tenant, session_id) REFERENCES auth_sessions(tenant, id) ON DELETE CASCADE);
CREATE UNIQUE INDEX auth_refresh_hash ON auth_refresh(hash);
CREATE INDEX auth_refresh_session ON auth_refresh(tenant, session_id);
CREATE TABLE auth_links(
  tenant TEXT NOT NULL, hash TEXT NOT NULL, user_id TEXT NOT NULL, expires BIGINT NOT NULL,
  PRIMARY KEY(tenant, hash),
  FOREIGN KEY(tenant, user_id) REFERENCES auth_users(tenant, id) ON DELETE CASCADE);
CREATE UNIQUE INDEX auth_links_hash ON auth_links(hash);
CREATE INDEX auth_links_user ON auth_links(tenant, user_id);
CREATE TABLE auth_tokens(
  tenant TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, role TEXT NOT NULL,
  created BIGINT NOT NULL, expires BIGINT NOT NULL, revoked BIGINT NOT NULL,
  PRIMARY KEY(tenant, id));
CREATE TABLE auth_revocations(
  tenant TEXT NOT NULL, what BIGINT NOT NULL, id TEXT NOT NULL, forget BIGINT NOT NULL,
  PRIMARY KEY(tenant, what, id));
CREATE TABLE auth_enrolments(
  tenant TEXT NOT NULL, hash TEXT NOT NULL, expires BIGINT NOT NULL, uses_left BIGINT NOT NULL,
  PRIMARY KEY(tenant, hash));
CREATE UNIQUE INDEX auth_enrolments_hash ON auth_enrolments(hash);
CREATE TABLE auth_agents(
  tenant TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, version TEXT NOT NULL, secret TEXT NOT NULL,
  created BIGINT NOT NULL, last_seen BIGINT,
  PRIMARY KEY(tenant, id));
CREATE UNIQUE INDEX auth_agents_id ON auth_agents(id);
)"}};
}

}  // namespace atalaya::auth
