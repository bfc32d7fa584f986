// One request to OCCI and its answer; inside this library only.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/occi.h"
#include "occi/media.h"
#include "occi/render.h"
#include "occi/request.h"

namespace atalaya::api {

/// Reads what the request is in, decides by the newest world, answers in what its sender wants. Lives as long as one
/// request; thread-compatible.
class OcciExchange {
 public:
  OcciExchange(Occi& occi, const auth::Principal& who, const net::Request& request);

  /// The address within OCCI, such as "/compute/web-1"; "/-/" is the query interface.
  net::Response answer(const std::string& path);

 private:
  using Answer = Result<net::Response>;
  Answer routed(const std::string& path);

  Answer query();
  Answer collection(const occi::Category* of);
  Answer entity(const occi::Category& of, const std::string& id);

  Answer list(const occi::Category* of);
  Answer create(const occi::Category* of, const std::string& id);
  /// `one`: the address is the entity's.
  Answer act(const std::vector<std::string>& ids, const std::string& term, bool one);
  Answer associate(const occi::Category& mixin, bool whole);
  Answer remove(const occi::Category* of, const std::vector<std::string>& ids);
  Answer define();
  Answer forget();

  Result<occi::Content> content();
  /// What the address says, and what stands in a rendering.
  Result<occi::Filter> filter(const occi::Content& said);
  /// Of a GET, whose filter stands in its headers.
  Result<occi::Filter> filter();
  Result<std::vector<const occi::Entity*>> chosen(const occi::Category* of, const Result<occi::Filter>& wanted);
  Result<std::vector<const occi::Entity*>> page(std::vector<const occi::Entity*> all);
  Result<occi::Change> change(const std::string& action, const std::string& reason,
                              const std::function<Result<occi::Change>(const occi::Engine&)>& decide);

  Answer show(const occi::Entity& entity, int status = 200);
  Answer show(const std::vector<const occi::Entity*>& entities);
  Answer show_categories(const std::vector<const occi::Category*>& categories);
  Answer made(const occi::Change& change);
  Answer done();
  Answer text_answer(const occi::TextMessage& message, int status);
  Answer not_allowed(std::string allowed);
  net::Response refusal(const Error& error, int status = 0) const;
  net::Response finished(net::Response response) const;
  std::string url_of(const occi::Entity& entity) const;

  Occi& occi_;
  const auth::Principal& who_;
  const net::Request& request_;
  occi::Addresses addresses_;
  const OcciWorld first_;  ///< keeps categories of the address where they are
  OcciWorld world_;        ///< the newest that it knows
  occi::Sight sight_;
  std::optional<occi::MediaType> wanted_;
  std::vector<std::string> warnings_;
  int status_ = 0;  ///< of a refusal, where the error's own would say less
};

}  // namespace atalaya::api
