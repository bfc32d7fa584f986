#include "api/pages.h"

#include <gmock/gmock.h>

#include <future>
#include <map>

#include "api/json.h"
#include "api/prometheus.h"
#include "io/memory_file_system.h"
#include "net/router_match.h"
#include "tsdb/store.h"

namespace atalaya::api {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

/// The routes over real accounts and a real store, with packages that the test names.
class PageRoutesTest : public testing::Test {
 protected:
  PageRoutesTest() {
    database = std::move(*db::open_sqlite(":memory:"));
    service = std::move(*auth::Service::open(*database, files, clock, "/data"));
    tsdb::Options options;
    options.directory = "/series";
    options.commit_inline = true;
    store = std::move(*tsdb::Store::open(files, clock, metrics, options));
    put(blue, 0.25);
    put(TenantId{"red"}, 9);
    service->create_user(blue, "ana", "correct horse", auth::Role::kAdmin).value();
    signed_in = service->sign_in(blue, "ana", "correct horse", "192.0.2.1").value();
    serve(std::nullopt);
  }

  void put(const TenantId& tenant, double value) {
    storage::SampleBatch batch;
    batch.samples.push_back(
        {store->resolve(tenant, Labels{{"__name__", "load"}, {"host", "<x>"}}).value(), clock.now(), value});
    store->append(tenant, std::move(batch), [](const Result<storage::Appended>& done) { ASSERT_TRUE(done); });
  }

  void serve(std::optional<auth::Principal> everybody) {
    router = std::make_unique<net::Router>();
    Doors doors(*router, *service, std::move(everybody));
    add_page_routes(doors, {*service, *store, clock, directory(), {.module = "assets/pages-1.js", .styles = {}}});
    add_prometheus_routes(doors, {*store, clock, workers, {}});
    doors.add_reading("things", [](const auth::Principal& who, net::Request& request) -> Result<net::Response> {
      if (request.query.has("bad")) return fail(ErrorCode::kInvalidArgument, "bad");
      return ok(boost::json::object{{"tenant", who.tenant.value()},
                                    {"writes", bool(auth::require(who, auth::Role::kOperator))}});
    });
  }

  PageDirectory directory() {
    PageDirectory out;
    out.page = [this](const TenantId& tenant, const std::string& package,
                      const std::string& path) -> std::optional<Result<pages::PageDefinition>> {
      const auto it = templates.find(tenant.value() + "/" + package + "/" + path);
      if (it == templates.end()) return std::nullopt;
      return pages::PageDefinition{
          .package = package, .path = path, .title = "T", .file = package + "/pages/x.html", .text = it->second};
    };
    out.file = [this](const TenantId& tenant, const std::string& package,
                      const std::string& path) -> std::optional<std::string> {
      asked.push_back(path);
      const auto it = beside.find(tenant.value() + "/" + package + "/" + path);
      return it == beside.end() ? std::nullopt : std::optional(it->second);
    };
    out.fallbacks = [this](const TenantId&, const std::string& package) { return fallbacks[package]; };
    out.list = [this](const TenantId& tenant) {
      if (!listed.empty()) return listed;
      return tenant.value() == "blue" ? std::vector<PageEntry>{{"host/a b", "host", {"a b"}, "A <b>", true},
                                                               {"web/x/y", "web", {"x", "y"}, "", false}}
                                      : std::vector<PageEntry>{};
    };
    out.items = [](const TenantId& tenant, const std::string& kind) {
      return boost::json::array{boost::json::object{{"id", tenant.value() + ":" + kind}}};
    };
    return out;
  }

  net::Response ask(std::string method, const std::string& target, const net::Headers& headers = {}, bool tls = false) {
    net::Request request;
    const auto mark = target.find('?');
    request.method = std::move(method);
    request.path = target.substr(0, mark);
    if (mark != std::string::npos) request.query = net::Parameters::parse(target.substr(mark + 1));
    request.headers = headers;
    request.tls = tls;
    std::vector<std::string> allowed;
    const auto* match = router->find(request.method, request.path, request.captures, allowed);
    if (match == nullptr) return net::Response::empty(599);
    std::promise<net::Response> answer;  // queries are answered on a thread of their own
    match->handler(std::move(request), [&](net::Response given) { answer.set_value(std::move(given)); });
    return answer.get_future().get();
  }
  static net::Headers header(const std::string& name, const std::string& value) {
    net::Headers headers;
    headers.add(name, value);
    return headers;
  }
  net::Headers bearer(const std::string& token) { return header("Authorization", "Bearer " + token); }

  /// What the browser of the signed-in person got.
  std::string cookie_text(bool tls = false) {
    const auto answer = ask("POST", "/api/atalaya/v1/auth/page-cookie", bearer(signed_in.access_token), tls);
    EXPECT_EQ(answer.status, 204);
    return std::string(answer.headers.get("Set-Cookie"));
  }
  std::string page_token() {
    const auto text = cookie_text();
    const auto begin = text.find('=') + 1;
    return text.substr(begin, text.find(';') - begin);
  }
  net::Headers cookie() { return header("Cookie", "other=1; atalaya_pages=" + page_token() + "; more=2"); }

  const TenantId blue{"blue"};
  ManualClock clock{from_ms(1'700'000'000'000)};
  io::MemoryFileSystem files;
  telemetry::Registry metrics;
  std::unique_ptr<db::Database> database;
  std::unique_ptr<auth::Service> service;
  std::unique_ptr<tsdb::Store> store;
  net::WorkerPool workers{1, 16};
  auth::SignedIn signed_in;
  std::unique_ptr<net::Router> router;
  std::map<std::string, std::string> templates;  ///< by tenant/package/path
  std::map<std::string, std::string> beside;
  std::map<std::string, std::vector<std::string>> fallbacks;
  std::vector<std::string> asked;
  std::vector<PageEntry> listed;  ///< instead of the usual ones
};

TEST_F(PageRoutesTest, TheCookieIsForPagesOnlyAndNoScriptSeesIt) {
  const auto plain = cookie_text();
  EXPECT_TRUE(plain.starts_with("atalaya_pages="));
  EXPECT_THAT(plain, HasSubstr("; Path=/p; Max-Age=43200; HttpOnly; SameSite=Strict"));
  EXPECT_THAT(plain, Not(HasSubstr("Secure")));
  EXPECT_TRUE(cookie_text(true).ends_with("; SameSite=Strict; Secure"));
  EXPECT_EQ(ask("POST", "/api/atalaya/v1/auth/page-cookie").status, 401);
}

TEST_F(PageRoutesTest, APageNeedsTheCookie) {
  templates["blue/host/machine"] = "<p>secret</p>";
  const auto refused = ask("GET", "/p/host/machine");
  EXPECT_EQ(refused.status, 401);
  EXPECT_EQ(refused.headers.get("Content-Type"), "text/html; charset=utf-8");
  EXPECT_THAT(refused.body, HasSubstr("href=\"../../\""));
  EXPECT_THAT(refused.body, Not(HasSubstr("secret")));
  EXPECT_EQ(ask("GET", "/p/host/machine", bearer(signed_in.access_token)).status, 401);
  EXPECT_EQ(ask("GET", "/p/host/machine?api-key=" + signed_in.access_token).status, 401);
  EXPECT_EQ(ask("GET", "/p/host/machine", header("Cookie", "atalaya_pages=" + signed_in.access_token)).status, 401);
  EXPECT_EQ(ask("GET", "/p/host/machine", header("Cookie", "x_atalaya_pages=" + page_token())).status, 401);
  const auto shown = ask("GET", "/p/host/machine", cookie());
  EXPECT_EQ(shown.status, 200);
  EXPECT_THAT(shown.body, HasSubstr("<p>secret</p>"));
}

TEST_F(PageRoutesTest, OnlyTheServersOwnHeadSaysThatSigningInIsNeeded) {
  constexpr auto* kMark = "<meta name=\"atalaya-sign-in\"";
  templates["blue/host/machine"] = "<p>a</p>";
  const auto refused = ask("GET", "/p/host/machine").body;
  EXPECT_LT(refused.find(kMark), refused.find("</head>"));
  EXPECT_THAT(ask("GET", "/p/host/machine", cookie()).body, Not(HasSubstr(kMark)));
  templates["blue/host/machine"] = std::string(kMark) + " content=\"needed\"><p>a</p>";
  const auto forged = ask("GET", "/p/host/machine", cookie());
  EXPECT_EQ(forged.status, 422);
  EXPECT_THAT(forged.body, Not(HasSubstr(kMark)));
}

TEST_F(PageRoutesTest, TheCookiesTokenOpensNothingElse) {
  const auto token = page_token();
  for (const auto* target : {"/api/v1/query?query=load", "/api/atalaya/v1/pages"}) {
    EXPECT_EQ(ask("GET", target, bearer(signed_in.access_token)).status, 200) << target;
    EXPECT_EQ(ask("GET", target, bearer(token)).status, 401) << target;
    EXPECT_EQ(ask("GET", target, header("X-API-Key", token)).status, 401) << target;
    EXPECT_EQ(ask("GET", target, header("Cookie", "atalaya_pages=" + token)).status, 401) << target;
  }
  EXPECT_EQ(ask("POST", "/api/atalaya/v1/auth/page-cookie", bearer(token)).status, 401);
}

TEST_F(PageRoutesTest, TheCookieEndsWithTheSignIn) {
  templates["blue/host/machine"] = "<p>a</p>";
  const auto given = cookie();
  EXPECT_EQ(ask("GET", "/p/host/machine", given).status, 200);
  ASSERT_TRUE(service->sign_out(signed_in.refresh_token));
  EXPECT_EQ(ask("GET", "/p/host/machine", given).status, 401);
  EXPECT_EQ(ask("GET", "/p/-/query?query=load", given).status, 401);
}

TEST_F(PageRoutesTest, WithoutAuthenticationPagesAreOpen) {
  templates["blue/host/machine"] = "<p>a</p>";
  serve(auth::everybody_is_admin(blue));
  EXPECT_EQ(ask("GET", "/p/host/machine").status, 200);
  EXPECT_EQ(ask("POST", "/api/atalaya/v1/auth/page-cookie").headers.get("Set-Cookie"), "");
}

TEST_F(PageRoutesTest, APageMayRunAndFetchNothingFromElsewhere) {
  templates["blue/host/machine"] = "<p>a</p>";
  const auto answer = ask("GET", "/p/host/machine", cookie());
  const std::string policy(answer.headers.get("Content-Security-Policy"));
  for (const auto* part : {"default-src 'none'", "script-src 'self';", "connect-src 'self';", "frame-src 'self';",
                           "frame-ancestors 'self'", "base-uri 'none'", "form-action 'self'"}) {
    EXPECT_THAT(policy, HasSubstr(part));
  }
  EXPECT_EQ(answer.headers.get("Cache-Control"), "no-store");
  EXPECT_EQ(answer.headers.get("Referrer-Policy"), "same-origin");
}

TEST_F(PageRoutesTest, APageReadsItsTenantsDataAndItsAddress) {
  templates["blue/host/machine"] =
      "{{ range query \"load\" }}<p>{{ .labels.host }}={{ .value }}</p>{{ end }}{{ arg \"a\" }}"
      "{{ range items \"rules\" }}{{ .id }}{{ end }}{{ range range \"load\" \"1m\" \"30s\" }}{{ len .values }}{{ end "
      "}}";
  const auto answer = ask("GET", "/p/host/machine?a=%3Cb%3E", cookie());
  EXPECT_THAT(answer.body, HasSubstr("<p>&lt;x&gt;=0.25</p>&lt;b&gt;blue:rules1"));
  EXPECT_THAT(answer.body, Not(HasSubstr("=9")));
}

TEST_F(PageRoutesTest, NestedPathsFindTheirPage) {
  templates["blue/host/disks/slow"] = "<p>slow</p>";
  const auto answer = ask("GET", "/p/host/disks/slow", cookie());
  EXPECT_THAT(answer.body, HasSubstr("<p>slow</p>"));
  EXPECT_THAT(answer.body, HasSubstr("src=\"../../../assets/pages-1.js\""));
  EXPECT_EQ(ask("GET", "/p/host/disks", cookie()).status, 404);
}

TEST_F(PageRoutesTest, APageGoesByItsNameWhereNoOtherBearsIt) {
  listed = {{"host/disks/slow", "host", {"disks", "slow"}, "", false},
            {"host/net/all", "host", {"net", "all"}, "", false},
            {"host/disks/all", "host", {"disks", "all"}, "", false},
            {"mine/disks/slow", "mine", {"disks", "slow"}, "", false}};
  templates["blue/host/disks/slow"] = "<p>slow</p>";
  EXPECT_THAT(ask("GET", "/p/host/slow", cookie()).body, HasSubstr("<p>slow</p>"));
  EXPECT_THAT(ask("GET", "/p/host/disks/slow", cookie()).body, HasSubstr("<p>slow</p>"));
  const auto list = ask("GET", "/api/atalaya/v1/pages", bearer(signed_in.access_token)).body;
  for (const auto* href : {"\"/p/host/slow\"", "\"/p/host/net/all\"", "\"/p/host/disks/all\"", "\"/p/mine/slow\""}) {
    EXPECT_THAT(list, HasSubstr(href));
  }
}

TEST_F(PageRoutesTest, AMissingPageIsLookedForInTheFallbacks) {
  fallbacks["mine"] = {"other", "host"};
  fallbacks["other"] = {"mine"};
  templates["blue/host/machine"] = "<p>of host</p>";
  EXPECT_THAT(ask("GET", "/p/mine/machine", cookie()).body, HasSubstr("<p>of host</p>"));
  templates["blue/mine/machine"] = "<p>mine</p>";
  EXPECT_THAT(ask("GET", "/p/mine/machine", cookie()).body, HasSubstr("<p>mine</p>"));
  EXPECT_EQ(ask("GET", "/p/other/none", cookie()).status, 404);
}

TEST_F(PageRoutesTest, AnotherTenantsPagesAreNotThere) {
  templates["red/host/machine"] = "<p>a</p>";
  EXPECT_EQ(ask("GET", "/p/host/machine", cookie()).status, 404);
}

TEST_F(PageRoutesTest, AWrongTemplateSaysWhere) {
  templates["blue/host/machine"] = "<p>\n<script>";
  const auto answer = ask("GET", "/p/host/machine", cookie());
  EXPECT_EQ(answer.status, 422);
  EXPECT_THAT(answer.body, HasSubstr("host/pages/x.html:2:8"));
  EXPECT_THAT(answer.body, HasSubstr("&lt;script&gt; is not allowed"));
  templates["blue/host/machine"] = "{{ query \"load[5m]\" }}";
  EXPECT_THAT(ask("GET", "/p/host/machine", cookie()).body, HasSubstr("use a function such as rate()"));
}

TEST_F(PageRoutesTest, FilesBesidePagesAreServedWhenTheyRunNothing) {
  beside["blue/host/a.svg"] = "<svg/>";
  beside["blue/host/a.js"] = "alert(1)";
  beside["blue/host/a.html"] = "<script>";
  const auto answer = ask("GET", "/p/host/a.svg", cookie());
  EXPECT_EQ(answer.body, "<svg/>");
  EXPECT_EQ(answer.headers.get("Content-Type"), "image/svg+xml");
  EXPECT_THAT(std::string(answer.headers.get("Content-Security-Policy")), HasSubstr("sandbox"));
  for (const auto* other :
       {"/p/host/a.js", "/p/host/a.html", "/p/host/b.css", "/p/host/.a.css", "/p/host/x/../a.css"}) {
    EXPECT_EQ(ask("GET", other, cookie()).status, 404) << other;
  }
  EXPECT_THAT(asked, ElementsAre("a.svg", "b.css"));
  EXPECT_EQ(ask("GET", "/p/host/a.svg").status, 401);
}

TEST_F(PageRoutesTest, TheFolderListsItsPages) {
  const auto answer = ask("GET", "/p/host/", cookie());
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.body, HasSubstr("<a href=\"../../p/host/a%20b\">A &lt;b&gt;</a>"));
  EXPECT_THAT(answer.body, Not(HasSubstr("web")));
  EXPECT_EQ(ask("GET", "/p/none/", cookie()).status, 404);
}

TEST_F(PageRoutesTest, AnAddressWithoutItsSlashLeadsToTheOneWithIt) {
  const auto location = [&](const std::string& path) {
    const auto answer = ask("GET", path);
    EXPECT_EQ(answer.status, 302) << path;
    return std::string(answer.headers.get("Location"));
  };
  EXPECT_EQ(location("/p"), "p/");
  EXPECT_EQ(location("/p/host"), "./host/");
  EXPECT_EQ(location("/p/javascript:x"), "./javascript%3Ax/");
}

TEST_F(PageRoutesTest, TheTopListsThePackagesThatHavePages) {
  const auto answer = ask("GET", "/p/", cookie());
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.body, HasSubstr("<a href=\"../p/host/\">host</a>"));
  EXPECT_THAT(answer.body, HasSubstr("<a href=\"../p/web/y\">y</a>"));
  EXPECT_EQ(ask("GET", "/p/").status, 401);
}

TEST_F(PageRoutesTest, WhoOpensAnAddressByItselfIsLedToTheUiAndBack) {
  auto opened = header("Sec-Fetch-Mode", "navigate");
  opened.add("Sec-Fetch-Dest", "document");
  opened.add("Sec-Fetch-Site", "none");
  const auto answer = ask("GET", "/p/host/machine?host=a%20%26b&x", opened);
  EXPECT_EQ(answer.status, 302);
  EXPECT_EQ(answer.headers.get("Location"), "../../#/page?to=host%2Fmachine%3Fhost%3Da%2520%2526b%26x%3D");
  EXPECT_EQ(ask("GET", "/p/", opened).headers.get("Location"), "../#/page?to=");
  EXPECT_EQ(ask("GET", "/p/host/", opened).headers.get("Location"), "../../#/page?to=host%2F");
  // From the UI it comes without the cookie only when the browser keeps none: that would never end.
  opened.set("Sec-Fetch-Site", "same-origin");
  EXPECT_EQ(ask("GET", "/p/host/machine", opened).status, 401);
}

TEST_F(PageRoutesTest, ANameThatIsNoPageIsToldWithTheNearest) {
  const auto page = ask("GET", "/p/web/z", cookie());
  EXPECT_EQ(page.status, 404);
  EXPECT_THAT(page.body, HasSubstr("the package web has no page z"));
  EXPECT_THAT(page.body, HasSubstr("<a href=\"../../p/web/\">The pages of web</a>"));
  const auto package = ask("GET", "/p/hosd/a", cookie());
  EXPECT_EQ(package.status, 404);
  EXPECT_THAT(package.body, HasSubstr("there is no package hosd with pages"));
  EXPECT_THAT(package.body, HasSubstr("did you mean &#34;host&#34;?"));
  EXPECT_THAT(package.body, HasSubstr("<a href=\"../../p/\">All pages</a>"));
}

TEST_F(PageRoutesTest, TheListNamesEveryPageWithItsAddress) {
  EXPECT_EQ(
      ask("GET", "/api/atalaya/v1/pages", bearer(signed_in.access_token)).body,
      R"({"pages":[{"id":"host/a b","package":"host","path":["a b"],"title":"A <b>","href":"/p/host/a%20b","widgets":true},)"
      R"({"id":"web/x/y","package":"web","path":["x","y"],"title":"","href":"/p/web/y"}]})");
  EXPECT_EQ(ask("GET", "/api/atalaya/v1/pages").status, 401);
}

TEST_F(PageRoutesTest, WidgetsReadThroughTheCookie) {
  const auto instant = ask("GET", "/p/-/query?query=load", cookie());
  EXPECT_EQ(instant.status, 200);
  EXPECT_EQ(instant.body, ask("GET", "/api/v1/query?query=load", bearer(signed_in.access_token)).body);
  EXPECT_EQ(instant.headers.get("Cache-Control"), "no-store");
  const std::string range = "?query=load&start=1699999990&end=1700000000&step=5";
  EXPECT_EQ(ask("GET", "/p/-/query_range" + range, cookie()).body,
            ask("GET", "/api/v1/query_range" + range, bearer(signed_in.access_token)).body);
  EXPECT_EQ(ask("GET", "/p/-/query?query=load").status, 401);
  EXPECT_EQ(ask("GET", "/p/-/query?query=load", bearer(signed_in.access_token)).status, 401);
  EXPECT_EQ(ask("GET", "/p/-/query?query=sum(", cookie()).status, 400);
  EXPECT_EQ(ask("POST", "/p/-/query?query=load", cookie()).status, 599) << "there is no such route";
}

TEST_F(PageRoutesTest, WhatViewersReadIsReadThroughTheCookieToo) {
  const auto read = ask("GET", "/p/-/things", cookie());
  EXPECT_EQ(read.body, R"({"tenant":"blue","writes":false})") << "the administrator's page is a viewer";
  EXPECT_EQ(read.headers.get("Cache-Control"), "no-store");
  EXPECT_EQ(ask("GET", "/api/atalaya/v1/things", bearer(signed_in.access_token)).body,
            R"({"tenant":"blue","writes":true})");
  EXPECT_EQ(ask("GET", "/p/-/things?bad=1", cookie()).status, 400);
  EXPECT_EQ(ask("GET", "/p/-/things").status, 401);
  EXPECT_EQ(ask("GET", "/p/-/things", bearer(signed_in.access_token)).status, 401);
  EXPECT_EQ(ask("GET", "/api/atalaya/v1/things", cookie()).status, 401);
  serve(auth::everybody_is_admin(blue));
  EXPECT_EQ(ask("GET", "/p/-/things").status, 200);
}

TEST_F(PageRoutesTest, WhatWidgetsReadTakesNoCredentialButTheCookie) {
  const auto page = page_token();
  const auto script = service->create_token(blue, "script", auth::Role::kAdmin, std::chrono::hours(1)).value().token;
  for (const auto* target : {"/p/-/things", "/p/-/query?query=load", "/p/-/query_range?query=load"}) {
    for (const auto& token : {signed_in.access_token, signed_in.refresh_token, script, page + "x", std::string("x")}) {
      EXPECT_EQ(ask("GET", target, header("Cookie", "atalaya_pages=" + token)).status, 401) << target;
    }
    for (const auto& token : {signed_in.access_token, script, page}) {
      EXPECT_EQ(ask("GET", target, bearer(token)).status, 401) << target;
      EXPECT_EQ(ask("GET", target, header("X-API-Key", token)).status, 401) << target;
    }
    EXPECT_EQ(ask("GET", target, header("Cookie", "atalaya_pages=")).status, 401) << target;
    EXPECT_EQ(ask("GET", target, header("Cookie", "Atalaya_pages=" + page)).status, 401) << target;
  }
  EXPECT_EQ(ask("GET", "/p/-/things?token=" + page + "&ticket=" + page + "&api-key=" + script).status, 401);
}

TEST_F(PageRoutesTest, NothingIsWrittenThroughTheCookie) {
  for (const auto* method : {"POST", "PUT", "PATCH", "DELETE"}) {
    for (const auto* target : {"/p/-/things", "/p/-/query", "/p/host/machine"}) {
      EXPECT_EQ(ask(method, target, cookie()).status, 599) << method << " " << target << " is a route";
    }
  }
}

TEST_F(PageRoutesTest, WidgetsReadTheTenantOfTheCookieWhateverTheySay) {
  service->create_user(TenantId{"red"}, "rob", "another horse", auth::Role::kViewer).value();
  const auto red = service->sign_in(TenantId{"red"}, "rob", "another horse", "192.0.2.1").value();
  const auto made = ask("POST", "/api/atalaya/v1/auth/page-cookie", bearer(red.access_token));
  const std::string text(made.headers.get("Set-Cookie"));
  const auto theirs = text.substr(0, text.find(';'));
  for (const auto* more : {"", "?tenant=blue"}) {
    auto headers = header("Cookie", theirs);
    headers.add("X-Tenant", "blue");
    headers.add("X-Scope-OrgID", "blue");
    EXPECT_EQ(ask("GET", std::string("/p/-/things") + more, headers).body, R"({"tenant":"red","writes":false})");
  }
  EXPECT_THAT(ask("GET", "/p/-/query?query=load", header("Cookie", theirs)).body, HasSubstr("\"9\""));
  EXPECT_THAT(ask("GET", "/p/-/query?query=load", cookie()).body, HasSubstr("\"0.25\""));
}

}  // namespace
}  // namespace atalaya::api
