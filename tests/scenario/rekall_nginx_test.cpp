// Rekall's two environments as they would be run: nginx, one server each, whose pages say where the request went.
#include "tests/support/curl.hpp"
#include "tests/support/shipped_example.hpp"
#include "tests/support/shipped_key_service.hpp"
#include "tests/support/socket.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace keygate::test {
namespace {

class RekallBehindNginx : public testing::Test {
 protected:
  void SetUp() override {
    for (int attempt = 0; attempt < 5; ++attempt) {
      const std::string file = directory.write(
          "nginx.conf", "daemon off; master_process off; pid " + (directory / "pid") +
                            "; error_log stderr warn; events {}\nhttp {\n  access_log off; client_body_temp_path " +
                            (directory / "body") + "; proxy_temp_path " + (directory / "proxy") +
                            ";\n  fastcgi_temp_path " + (directory / "fcgi") + "; uwsgi_temp_path " +
                            (directory / "uwsgi") + "; scgi_temp_path " + (directory / "scgi") + ";\n" +
                            server("production", production_port) + server("sandbox", sandbox_port) + "}\n");
      nginx = std::make_unique<Process>(
          Command{{"nginx", "-p", directory.path().string(), "-c", file, "-e", "stderr"}, {}, "", ""});
      eventually([&] { return nginx->exited() || (try_connect(production_port) && try_connect(sandbox_port)); });
      if (!nginx->exited()) {
        return;
      }
      production_port = free_port();
      sandbox_port = free_port();
    }
    FAIL() << nginx->errors();
  }

  static std::string server(const std::string& name, std::uint16_t port) {
    return "  server {\n    listen 127.0.0.1:" + std::to_string(port) + ";\n    default_type application/json;\n" +
           "    location /v1/ { return 200 '" + name +
           " $request_method $request_uri $http_x_org_id [$http_authorization$http_x_api_key]'; }\n  }\n";
  }

  TempDir directory;
  std::uint16_t production_port = free_port();
  std::uint16_t sandbox_port = free_port();
  std::unique_ptr<Process> nginx;
};

TEST_F(RekallBehindNginx, PrefixChoosesTheServer) {
  const ShippedKeyService key_service("rekall");
  std::vector<std::string> environment = key_service.environment();
  environment.push_back("REKALL_PRODUCTION_URL=" + address_of(production_port));
  environment.push_back("REKALL_SANDBOX_URL=" + address_of(sandbox_port));
  ShippedExample example("rekall", environment);
  example.start();
  const std::string scopes = "memories:read,memories:write";
  const Key live = example.create_key("org_1", scopes);
  const Key test = example.create_key("org_2", scopes, {"--environment", "test"});
  EXPECT_EQ(curl({"-H", "x-api-key: " + live.text, example.url("/v1/memories")}).body,
            "production GET /v1/memories org_1 []");
  EXPECT_EQ(curl({"-H", "Authorization: Bearer " + test.text, "-d", "{}", example.url("/v1/memories")}).body,
            "sandbox POST /v1/memories org_2 []");
  EXPECT_EQ(curl({example.url("/v1/memories?limit=1&api_key=" + test.text)}).body,
            "sandbox GET /v1/memories?limit=1 org_2 []");
  example.stop();
}

}  // namespace
}  // namespace keygate::test
