#include "config/address.hpp"

#include <gtest/gtest.h>

namespace keygate::config {
namespace {

struct Row {
  const char* text;
  const char* expected;  // "host port", or the start of the fault's message
};

std::string fault_in(const Fault& fault) { return fault.message; }

TEST(ListenerAddress, IsNumericWithAPort) {
  const Row rows[] = {
      {"127.0.0.1:8080", "127.0.0.1 8080"},
      {"0.0.0.0:0", "0.0.0.0 0"},
      {"[::1]:8080", "::1 8080"},
      {"[0:0::1]:65535", "::1 65535"},
      {"localhost:80", "127.0.0.1 80"},
      {"8080", "\"8080\" has no host"},
      {":8080", "\":8080\" has no host"},
      {"127.0.0.1", "\"127.0.0.1\" has no port"},
      {"::1", "\"::1\" has no port"},
      {"::1:8080", "\"::1:8080\" has no port"},
      {"[::1]", "\"[::1]\" has no port"},
      {"[::1", "\"[::1\" is not an address to listen on"},
      {"[::1]x:80", "\"[::1]x:80\" is not an address to listen on"},
      {"[127.0.0.1]:80", "\"127.0.0.1\" is not a numeric address"},
      {"example.com:80", "\"example.com\" is not a numeric address"},
      {"010.0.0.1:80", "\"010.0.0.1\" is not a numeric address"},
      {"127.0.0.1:65536", "\"65536\" is not a port"},
      {"127.0.0.1:080", "\"080\" is not a port"},
      {"127.0.0.1:", "\"\" is not a port"},
      {"127.0.0.1:-1", "\"-1\" is not a port"},
      {"unix:/run/k.sock", "unix:/run/k.sock"},
      {"unix:k.sock", "unix:k.sock"},
      {"unix:", "\"unix:\" has no path"},
      {"unix://run/k.sock", "\"unix://run/k.sock\" begins with two slashes"},
  };
  for (const auto& row : rows) {
    const auto result = parse_listener_address(row.text);
    const auto* listener = std::get_if<ListenerSettings>(&result);
    const auto got = listener == nullptr         ? fault_in(std::get<Fault>(result))
                     : !listener->socket.empty() ? name_of(*listener)
                                                 : listener->host + " " + std::to_string(listener->port);
    EXPECT_EQ(got, row.expected) << row.text;
  }
}

TEST(Endpoint, IsAnHttpAddressWithoutAPath) {
  const Row rows[] = {
      {"http://127.0.0.1:3000", "127.0.0.1 3000"},
      {"http://app.internal", "app.internal 80"},
      {"HTTP://app:81", "app 81"},
      {"http://[::1]:3000", "::1 3000"},
      {"http://my_app-1:3000", "my_app-1 3000"},
      {"http://app/", "an endpoint has no path"},
      {"http://app/api", "an endpoint has no path"},
      {"http://app?x", "an endpoint has no path"},
      {"http://app#x", "an endpoint has no path"},
      {"http://user:secret@app", "an endpoint has no user name or password"},
      {"http://app:0", "\"0\" is not a port"},
      {"http://app:http", "\"http\" is not a port"},
      {"http://app:70000", "\"70000\" is not a port"},
      {"http://", "\"\" does not begin with a host name or address"},
      {"http://3000", "\"3000\" does not begin with a host name or address"},
      {"http://1.2.3", "\"1.2.3\" does not begin with a host name or address"},
      {"http://a..b", "\"a..b\" does not begin with a host name or address"},
      {"http://a b", "\"a b\" does not begin with a host name or address"},
      {"http://::1:80", "\"::1:80\" does not begin with a host name or address"},
      {"http://[app]:80", "\"[app]:80\" does not begin with a host name or address"},
      {"app:3000", "\"app:3000\" is not an http:// address"},
      {"http:/app", "\"http:/app\" is not an http:// address"},
      {"https://app", "app 443 tls"},
      {"HTTPS://app:8443", "app 8443 tls"},
      {"https://app/", "an endpoint has no path"},
      {"unix:/run/app.sock", "/run/app.sock"},
      {"unix:", "\"unix:\" has no path"},
      {"unix:///run/app.sock", "\"unix:///run/app.sock\" begins with two slashes"},
  };
  for (const auto& row : rows) {
    const auto result = parse_endpoint(row.text);
    const auto* endpoint = std::get_if<EndpointSettings>(&result);
    const auto got = endpoint == nullptr ? fault_in(std::get<Fault>(result))
                     : !endpoint->socket.empty()
                         ? endpoint->socket
                         : endpoint->host + " " + std::to_string(endpoint->port) + (endpoint->is_tls ? " tls" : "");
    EXPECT_EQ(got, row.expected) << row.text;
  }
}

TEST(AddressBlock, HasNoBitsPastItsPrefix) {
  const Row rows[] = {
      {"10.0.0.0/8", "10.0.0.0/8"},
      {"192.0.2.7", "192.0.2.7"},
      {"::1/128", "::1/128"},
      {"2001:db8::/32", "2001:db8::/32"},
      {"0.0.0.0/0", "0.0.0.0/0"},
      {"10.1.0.0/8", "\"10.1.0.0/8\" has bits set past its prefix"},
      {"10.0.0.1/31", "\"10.0.0.1/31\" has bits set past its prefix"},
      {"2001:db8::1/32", "\"2001:db8::1/32\" has bits set past its prefix"},
      {"10.0.0.0/33", "\"33\" is not a prefix length"},
      {"::/129", "\"129\" is not a prefix length"},
      {"10.0.0.0/", "\"\" is not a prefix length"},
      {"10.0.0.0/08", "\"08\" is not a prefix length"},
      {"10.0.0.0/8/8", "\"8/8\" is not a prefix length"},
      {"private", "\"private\" is not an address or address block"},
      {"10/8", "\"10/8\" is not an address or address block"},
  };
  for (const auto& row : rows) {
    const auto result = parse_address_block(row.text);
    const auto* block = std::get_if<std::string>(&result);
    EXPECT_EQ(block != nullptr ? *block : fault_in(std::get<Fault>(result)), row.expected) << row.text;
  }
}

TEST(AddressBlock, TheHintNamesTheBlockThatWasMeant) {
  const auto result = parse_address_block("10.1.2.3/8");
  EXPECT_EQ(std::get<Fault>(result).hint, "write 10.0.0.0/8, or 10.1.2.3 alone");
}

}  // namespace
}  // namespace keygate::config
