#include "tests/support/nginx.hpp"

#include "tests/support/socket.hpp"

#include <filesystem>
#include <stdexcept>

namespace keygate::test {
namespace {

// In $VARIABLES the client's names are lower case with underscores; an absent header is an empty line's end.
constexpr char echo[] = R"(
      default_type text/plain;
      return 200 "method=$request_method
target=$request_uri
protocol=$server_protocol
host=$http_host
org=$http_x_org_id
key=$http_x_key_id
user=$http_x_user_id
scopes=$http_x_scopes
environment=$http_x_environment
auth=$http_x_auth_method
authorization=$http_authorization
api_key=$http_x_api_key
via=$http_via
";)";

std::string configuration(const std::string& directory, std::uint16_t port) {
  std::string text = R"(
daemon off;
master_process off;
worker_processes 1;
pid @/nginx.pid;
error_log stderr warn;
events { worker_connections 512; }
http {
  access_log off;
  client_body_temp_path @/body;
  proxy_temp_path @/proxy;
  fastcgi_temp_path @/fastcgi;
  uwsgi_temp_path @/uwsgi;
  scgi_temp_path @/scgi;
  client_max_body_size 0;
  keepalive_requests 100000;
  sendfile on;
  server {
    listen 127.0.0.1:%;
    location = /v1/echo {$}
    location = /public/echo {$}
    location = /v1/empty { return 204; }
    location /v1/files/ { alias @/files/; }
    location /v1/chunked/ {
      alias @/files/;
      # Looking for a text makes nginx forget the length.
      sub_filter_types *;
      sub_filter "a text that no file holds" "";
    }
    location /v1/store/ {
      alias @/store/;
      dav_methods PUT DELETE;
    }
  }
}
)";
  for (const auto& [mark, value] : {std::pair<char, std::string>{'@', directory}, {'%', std::to_string(port)}}) {
    for (std::size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at + value.size())) {
      text.replace(at, 1, value);
    }
  }
  for (std::size_t at = text.find("{$}"); at != std::string::npos; at = text.find("{$}")) {
    text.replace(at, 3, std::string("{") + echo + "\n    }");
  }
  return text;
}

}  // namespace

Nginx::Nginx() {
  std::filesystem::create_directory(directory_ / "files");
  std::filesystem::create_directory(directory_ / "store");
  for (int attempt = 0; attempt < 5; ++attempt) {
    port_ = free_port();
    const std::string file = directory_.write("nginx.conf", configuration(directory_.path().string(), port_));
    process_ =
        std::make_unique<Process>(Command{{"nginx", "-p", directory_.path().string(), "-c", file, "-e", "stderr"}});
    eventually([&] { return process_->exited() || try_connect(port_); });
    if (!process_->exited()) {
      return;
    }
  }
  throw std::runtime_error("nginx does not come up: " + process_->errors());
}

}  // namespace keygate::test
