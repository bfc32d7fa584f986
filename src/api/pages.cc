#include "api/pages.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "api/json.h"
#include "api/prometheus.h"
#include "config/suggest.h"
#include "net/percent.h"
#include "pages/lookup.h"
#include "promql/engine.h"

namespace atalaya::api {
namespace {

using auth::Principal;

/// Of one query of a page; a whole page asks at most pages::PageLimits::queries.
constexpr std::size_t kMaxSamples = 5'000'000;

/// The module of pages runs and nothing else; styles are also set by charts and by templates. Frames show pages.
constexpr std::string_view kPagePolicy =
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src "
    "'self'; frame-src 'self'; "
    "frame-ancestors 'self'; base-uri 'none'; form-action 'self'";
/// Of a file beside pages: an SVG opened by itself is a document.
constexpr std::string_view kFilePolicy = "default-src 'none'; style-src 'unsafe-inline'; sandbox";

net::Response html(std::string body, int status = 200) {
  net::Response response;
  response.status = status;
  response.body = std::move(body);
  response.headers.add("Content-Type", "text/html; charset=utf-8");
  response.headers.add("Content-Security-Policy", std::string(kPagePolicy));
  response.headers.add("Referrer-Policy", "same-origin");
  response.headers.add("Cache-Control", "no-store");
  return response;
}

/// To another place of this server; relative, so that it also holds behind a proxy.
net::Response redirect(std::string location) {
  auto response = net::Response::empty(302);
  response.headers.add("Location", std::move(location));
  response.headers.add("Cache-Control", "no-store");
  return response;
}

/// Whether a person opens the address by itself (bookmark, link of a colleague). Who comes from here has been led
/// through the UI already: to lead them there again could go on for ever.
bool is_opened_directly(const net::Request& request) {
  return request.headers.get("Sec-Fetch-Mode") == "navigate" && request.headers.get("Sec-Fetch-Dest") == "document" &&
         request.headers.get("Sec-Fetch-Site") != "same-origin";
}

/// What stands below /p/ in the request's address, its query with it.
std::string part_below(const net::Request& request) {
  std::string out;
  for (const auto segment : net::path_segments(request.path.substr(2))) {
    if (!out.empty()) out += '/';
    out += net::percent_encode(segment);
  }
  char mark = '?';
  for (const auto& [name, value] : request.query.fields()) {
    out += fmt::format("{}{}={}", mark, net::percent_encode(name), net::percent_encode(value));
    mark = '&';
  }
  return out;
}

bool is_named(const PageEntry& entry, const std::string& package, std::string_view name) {
  return entry.package == package && !entry.path.empty() && entry.path.back() == name;
}

/// A page may go by its name alone: the first in the list that bears it, where no page stands at `path` itself.
std::string whole_path(const std::vector<PageEntry>& entries, const std::string& package, const std::string& path) {
  const auto joined = [](const PageEntry& entry) { return fmt::format("{}", fmt::join(entry.path, "/")); };
  if (std::ranges::any_of(entries, [&](const PageEntry& e) { return e.package == package && joined(e) == path; })) {
    return path;
  }
  const auto it = std::ranges::find_if(entries, [&](const PageEntry& e) { return is_named(e, package, path); });
  return it == entries.end() ? path : joined(*it);
}

/// Below /p/<package>/: the name alone where it is the only one, so that files beside the page are found
/// beside it.
std::vector<std::string> short_path(const std::vector<PageEntry>& entries, const PageEntry& entry) {
  if (entry.path.size() < 2) return entry.path;
  const auto bearers =
      std::ranges::count_if(entries, [&](const PageEntry& e) { return is_named(e, entry.package, entry.path.back()); });
  return bearers == 1 ? std::vector<std::string>{entry.path.back()} : entry.path;
}

/// What the tenant's viewer may read while a page is made.
class Reader {
 public:
  Reader(const PageRoutes& routes, const TenantId& tenant, const net::Request& request)
      : routes_(routes), tenant_(tenant), request_(request), engine_(routes.series, limits()) {}

  pages::PageSources sources() const {
    pages::PageSources out;
    out.now = routes_.clock.now();
    out.query = [this, now = out.now](const std::string& promql) { return instant(promql, now); };
    out.range = [this](const std::string& promql, Time from, Time to, Duration step) {
      return range(promql, from, to, step);
    };
    if (routes_.directory.items) {
      out.items = [this](const std::string& kind) { return routes_.directory.items(tenant_, kind); };
    }
    out.argument = [this](const std::string& name) -> std::optional<std::string> {
      if (!request_.query.has(name)) return std::nullopt;
      return std::string(request_.query.get(name));
    };
    return out;
  }

 private:
  static promql::Limits limits() {
    promql::Limits out;
    out.max_samples = kMaxSamples;
    return out;
  }

  Result<std::vector<pages::QueriedSeries>> instant(const std::string& promql, Time at) const {
    AT_TRY(const auto expression, promql::parse(promql));
    AT_TRY(auto value, engine_.instant(tenant_, *expression, at));
    std::vector<pages::QueriedSeries> out;
    if (const auto* scalar = std::get_if<promql::Scalar>(&value)) {
      out.push_back({Labels{}, {*scalar}});
    } else if (auto* vector = std::get_if<promql::Vector>(&value)) {
      for (auto& [labels, time, number] : *vector) out.push_back({std::move(labels), {{time, number}}});
    } else {
      return fail(ErrorCode::kUnprocessable, "query: this gives no single value for each series",
                  "use a function such as rate() or last_over_time(), or range \"promql\" \"1h\" \"30s\"");
    }
    return out;
  }

  Result<std::vector<pages::QueriedSeries>> range(const std::string& promql, Time from, Time to, Duration step) const {
    AT_TRY(const auto expression, promql::parse(promql));
    AT_TRY(auto matrix, engine_.range(tenant_, *expression, from, to, step));
    std::vector<pages::QueriedSeries> out;
    for (auto& [labels, samples] : matrix) out.push_back({std::move(labels), std::move(samples)});
    return out;
  }

  const PageRoutes& routes_;
  const TenantId& tenant_;
  const net::Request& request_;
  promql::Engine engine_;
};

/// The routes below /p/: they let in by the cookie alone.
class Pages {
 public:
  Pages(PageRoutes routes, std::optional<Principal> everybody)
      : routes_(std::move(routes)), everybody_(std::move(everybody)) {}

  const PageRoutes& routes() const { return routes_; }

  Result<Principal> admit(const net::Request& request) const {
    if (everybody_) return *everybody_;
    return admit_page(routes_.service, request);
  }

  net::Response page(const net::Request& request) const {
    const auto frame = frame_of(request);
    const auto who = admit(request);
    if (!who) return unknown(frame, request);
    const std::string package(request.captures.get("package"));
    const std::string path(request.captures.get("path"));
    const auto entries = routes_.directory.list(who->tenant);
    if (path.empty()) return index(frame, pages_of(entries, package));
    const auto packages = pages::lookup_order(
        package, [&](const std::string& name) { return routes_.directory.fallbacks(who->tenant, name); });
    for (const auto& name : packages) {
      auto found = routes_.directory.page(who->tenant, name, whole_path(entries, name, path));
      if (!found) continue;
      if (!*found) return refused(frame, pages_of(entries, package), found->error());
      auto answer = pages::render_page(**found, Reader(routes_, who->tenant, request).sources(), frame);
      return answer ? html(std::move(*answer)) : refused(frame, pages_of(entries, package), answer.error());
    }
    if (auto answer = file(who->tenant, packages, path)) return std::move(*answer);
    return absent(frame, entries, package, path);
  }

  /// The packages that have pages.
  net::Response all(const net::Request& request) const {
    const auto frame = frame_of(request);
    const auto who = admit(request);
    if (!who) return unknown(frame, request);
    const auto entries = routes_.directory.list(who->tenant);
    std::vector<pages::PackagePages> packages;
    for (const auto& name : packages_of(entries)) packages.push_back(pages_of(entries, name));
    return html(pages::packages_page(frame, packages));
  }

 private:
  pages::Frame frame_of(const net::Request& request) const {
    return {routes_.assets, pages::root_of(request.path), routes_.clock.now()};
  }

  /// To a browser without a good cookie.
  static net::Response unknown(const pages::Frame& frame, const net::Request& request) {
    if (!is_opened_directly(request)) return html(pages::sign_in_page(frame), 401);
    return redirect(fmt::format("{}#/page?to={}", frame.root, net::percent_encode(part_below(request))));
  }

  static std::vector<std::string> packages_of(const std::vector<PageEntry>& entries) {
    std::vector<std::string> out;
    for (const auto& entry : entries) out.push_back(entry.package);
    std::ranges::sort(out);
    const auto rest = std::ranges::unique(out);
    out.erase(rest.begin(), rest.end());
    return out;
  }

  static pages::PackagePages pages_of(const std::vector<PageEntry>& entries, const std::string& package) {
    pages::PackagePages out{package, {}};
    for (const auto& entry : entries) {
      if (entry.package != package) continue;
      out.pages.push_back({fmt::format("{}", fmt::join(short_path(entries, entry), "/")), entry.title});
    }
    return out;
  }

  static net::Response refused(const pages::Frame& frame, const pages::PackagePages& package, const Error& error) {
    // A template that is wrong is no mistake of the one who asks for its page.
    const int status = error.code == ErrorCode::kInvalidArgument ? 422 : http_status(error.code);
    return html(pages::error_page(frame, package, error), status);
  }

  static net::Response absent(const pages::Frame& frame, const std::vector<PageEntry>& entries,
                              const std::string& package, const std::string& path) {
    const auto known = pages_of(entries, package);
    Error error{ErrorCode::kNotFound, {}, std::nullopt, {}};
    if (known.pages.empty()) {
      const auto names = packages_of(entries);
      error.message = fmt::format("there is no package {} with pages", package);
      error.remedy = names.empty() ? "no package has pages" : config::suggestion(package, names);
    } else {
      std::vector<std::string> names;
      for (const auto& page : known.pages) names.push_back(page.path);
      error.message = fmt::format("the package {} has no page {}", package, path);
      error.remedy = config::suggestion(path, names);
    }
    return refused(frame, known, error);
  }

  static net::Response index(const pages::Frame& frame, const pages::PackagePages& package) {
    return html(pages::index_page(frame, package), package.pages.empty() ? 404 : 200);
  }

  std::optional<net::Response> file(const TenantId& tenant, const std::vector<std::string>& packages,
                                    const std::string& path) const {
    const auto type = pages::content_type_of(path);
    if (!type || !pages::is_plain_path(path)) return std::nullopt;
    for (const auto& name : packages) {
      auto bytes = routes_.directory.file(tenant, name, path);
      if (!bytes) continue;
      net::Response response;
      response.body = std::move(*bytes);
      response.headers.add("Content-Type", std::string(*type));
      response.headers.add("Content-Security-Policy", std::string(kFilePolicy));
      response.headers.add("Cache-Control", "no-store");
      return response;
    }
    return std::nullopt;
  }

  const PageRoutes routes_;
  const std::optional<Principal> everybody_;
};

std::string href(const std::vector<PageEntry>& entries, const PageEntry& entry) {
  auto out = "/p/" + net::percent_encode(entry.package);
  for (const auto& segment : short_path(entries, entry)) out += "/" + net::percent_encode(segment);
  return out;
}

net::Response list(const PageDirectory& directory, const TenantId& tenant) {
  json::array out;
  const auto entries = directory.list(tenant);
  for (const auto& entry : entries) {
    json::object one{{"id", entry.id},
                     {"package", entry.package},
                     {"path", json::array(entry.path.begin(), entry.path.end())},
                     {"title", entry.title},
                     {"href", href(entries, entry)}};
    if (entry.widgets) one["widgets"] = true;
    out.push_back(std::move(one));
  }
  return ok(json::object{{"pages", std::move(out)}});
}

Result<net::Response> cookie(const auth::Service& service, const Principal& who, bool tls) {
  AT_TRY(const auto token, service.create_page_token(who));
  auto answer = net::Response::empty();
  answer.headers.add("Set-Cookie", fmt::format("{}={}; Path=/p; Max-Age={}; HttpOnly; SameSite=Strict{}", kPageCookie,
                                               token.token, token.expires_in.count() / 1000, tls ? "; Secure" : ""));
  answer.headers.add("Cache-Control", "no-store");
  return answer;
}

}  // namespace

void add_page_routes(Doors& doors, PageRoutes given) {
  const auto pages = std::make_shared<const Pages>(std::move(given), doors.everybody());
  doors.add("GET", "~/pages", Need::kViewer, [pages](const Principal& who, net::Request&) -> Result<net::Response> {
    return list(pages->routes().directory, who.tenant);
  });
  doors.add("POST", "~/auth/page-cookie", Need::kViewer,
            [pages, open = doors.everybody().has_value()](const Principal& who,
                                                          net::Request& request) -> Result<net::Response> {
              if (open) return net::Response::empty();
              return cookie(pages->routes().service, who, request.tls);
            });
  // Public to the usual door: this looks at the cookie itself, and answers people with a page.
  doors.add("GET", "/p/{package}/{path...}", Need::kPublic,
            [pages](const Principal&, net::Request& request) -> Result<net::Response> { return pages->page(request); });
  doors.add("GET", "/p/", Need::kPublic,
            [pages](const Principal&, net::Request& request) -> Result<net::Response> { return pages->all(request); });
  // What stands in pages is relative: without the slash it would lead elsewhere.
  doors.add("GET", "/p", Need::kPublic,
            [](const Principal&, net::Request&) -> Result<net::Response> { return redirect("p/"); });
  doors.add("GET", "/p/{package}", Need::kPublic, [](const Principal&, net::Request& request) -> Result<net::Response> {
    return redirect(fmt::format("./{}/", net::percent_encode(request.captures.get("package"))));
  });
  const auto data = [&](const std::string& pattern, auto answer) {
    doors.add("GET", pattern, Need::kPage,
              [pages, answer](const Principal& who, net::Request& request) -> Result<net::Response> {
                AT_TRY(auto response, answer(pages->routes(), who.tenant, request));
                response.headers.set("Cache-Control", "no-store");
                return response;
              });
  };
  data("/p/-/query", [](const PageRoutes& r, const TenantId& tenant, const net::Request& request) {
    return answer_query(r.series, r.clock, tenant, request, r.queries);
  });
  data("/p/-/query_range", [](const PageRoutes& r, const TenantId& tenant, const net::Request& request) {
    return answer_query_range(r.series, r.clock, tenant, request, r.queries);
  });
}

}  // namespace atalaya::api
