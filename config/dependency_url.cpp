#include "config/dependency_url.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include <charconv>
#include <optional>
#include <string_view>

namespace keygate::config {
namespace {

constexpr unsigned most_databases = 1'000'000;

std::optional<unsigned> small_number(std::string_view text, unsigned most) {
  unsigned number = 0;
  const auto [rest, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (fault != std::errc{} || rest != text.data() + text.size() || number > most) return std::nullopt;
  return number;
}

// The host as it is connected to: v6 without brackets. Empty: there is none.
std::string host_of(const boost::urls::url_view& url) {
  return url.host_type() == boost::urls::host_type::ipv6 ? std::string(url.host_ipv6_address().to_string())
                                                         : std::string(url.host());
}

std::optional<std::uint16_t> port_of(const boost::urls::url_view& url, std::uint16_t otherwise) {
  if (!url.has_port() || url.port().empty()) return otherwise;
  const std::string digits = url.port();
  const auto port = small_number(digits, 65'535);
  if (!port || *port == 0) return std::nullopt;
  return static_cast<std::uint16_t>(*port);
}

Parsed<RedisAddress> parse_redis_socket(const std::string& text) {
  const std::string form = "write unix:///run/redis.sock, or unix:///run/redis.sock?db=1";
  constexpr std::string_view prefix = "unix://";
  constexpr std::string_view query = "?db=";
  RedisAddress address;
  address.socket = text.substr(prefix.size());
  if (const auto at = address.socket.find('?'); at != std::string::npos) {
    const auto rest = address.socket.substr(at);
    const auto database = rest.rfind(query, 0) == 0
                              ? small_number(std::string_view(rest).substr(query.size()), most_databases)
                              : std::nullopt;
    if (!database) return Fault{"what follows the path does not name a database", form};
    address.database = *database;
    address.socket.resize(at);
  }
  constexpr std::size_t longest = 107;  // sockaddr_un
  if (address.socket.empty() || address.socket.front() != '/' || address.socket.size() > longest) {
    return Fault{"a socket is named by its whole path", form};
  }
  return address;
}

}  // namespace

// None of these says what was written: there may be a password in it, and wherever it is malformed, anywhere in it.
Parsed<RedisAddress> parse_redis_url(const std::string& text) {
  const std::string form = "write redis://host:6379/0, rediss://host:6379/0 or unix:///path.sock";
  if (text.rfind("unix://", 0) == 0) return parse_redis_socket(text);
  const auto url = boost::urls::parse_uri(text);
  if (!url || (url->scheme() != "redis" && url->scheme() != "rediss") || !url->has_authority()) {
    return Fault{"this is no Redis URL", form};
  }
  RedisAddress address;
  address.is_tls = url->scheme() == "rediss";
  address.host = host_of(*url);
  address.username = url->user();
  address.password = url->password();
  const auto port = port_of(*url, 6379);
  if (address.host.empty()) return Fault{"a Redis URL needs a host", form};
  if (!port) return Fault{quoted(std::string(url->port())) + " is not a port", "ports go from 1 to 65535"};
  address.port = *port;
  if (url->has_query() || url->has_fragment()) return Fault{"a Redis URL has no query and no fragment", form};
  const std::string path = url->path();
  if (path.empty() || path == "/") return address;
  const auto database = small_number(std::string_view(path).substr(1), most_databases);
  if (!database) return Fault{"what follows the host does not name a database", form};
  address.database = *database;
  return address;
}

Parsed<ServiceUrl> parse_service_url(const std::string& text) {
  const std::string form = "write https://keys.internal/v1/keys/verify";
  const auto url = boost::urls::parse_uri(text);
  if (!url || (url->scheme() != "http" && url->scheme() != "https") || !url->has_authority()) {
    return Fault{"this is no http:// or https:// URL", form};
  }
  if (url->has_userinfo()) return Fault{"this URL has no user name or password", "use token_file"};
  if (url->has_fragment()) return Fault{"this URL has no fragment", form};
  ServiceUrl result;
  result.is_tls = url->scheme() == "https";
  result.host = host_of(*url);
  const auto port = port_of(*url, result.is_tls ? 443 : 80);
  if (result.host.empty()) return Fault{"this URL has no host", form};
  if (!port) return Fault{quoted(std::string(url->port())) + " is not a port", "ports go from 1 to 65535"};
  result.port = *port;
  result.authority = url->encoded_host_and_port();
  result.target = std::string(url->encoded_target());
  if (result.target.empty() || result.target.front() != '/') result.target.insert(0, "/");
  return result;
}

bool is_loopback(const std::string& host) {
  // A name may begin like an address: 127.example.com.
  const bool is_address = host.find_first_not_of("0123456789.") == std::string::npos;
  return host == "localhost" || host == "::1" || (is_address && host.rfind("127.", 0) == 0);
}

}  // namespace keygate::config
