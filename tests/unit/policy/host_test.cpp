#include "policy/route_table.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace keygate::policy {
namespace {

std::optional<std::string> canonical(const std::string& host) {
  std::string buffer(host.size(), '\0');
  const auto result = canonical_host(host, buffer);
  return result ? std::optional<std::string>(*result) : std::nullopt;
}

struct Row {
  std::string name;
  std::string host;
  std::optional<std::string> expected;
};

class CanonicalHost : public ::testing::TestWithParam<Row> {};

TEST_P(CanonicalHost, IsOneFormOrNone) { EXPECT_EQ(canonical(GetParam().host), GetParam().expected); }

INSTANTIATE_TEST_SUITE_P(
    H11, CanonicalHost,
    ::testing::Values(
        Row{"plain", "api.local", "api.local"}, Row{"P11_upper_case", "API.Local", "api.local"},
        Row{"trailing_dot", "api.local.", "api.local"}, Row{"port", "api.local:8080", "api.local"},
        Row{"dot_and_port", "API.LOCAL.:80", "api.local"}, Row{"empty_port", "api.local:", "api.local"},
        Row{"last_port", "a:65535", "a"}, Row{"ipv4", "127.0.0.1:8080", "127.0.0.1"},
        Row{"punycode", "xn--bcher-kva.example", "xn--bcher-kva.example"}, Row{"underscore", "a_b.local", "a_b.local"},
        Row{"ipv6", "[::1]", "[::1]"}, Row{"ipv6_port", "[::1]:8080", "[::1]"},
        Row{"ipv6_case", "[FE80::A]", "[fe80::a]"}, Row{"longest", std::string(253, 'a'), std::string(253, 'a')},
        Row{"too_long", std::string(254, 'a'), std::nullopt}, Row{"empty", "", std::nullopt},
        Row{"only_port", ":80", std::nullopt}, Row{"only_dot", ".", std::nullopt},
        Row{"two_trailing_dots", "api.local..", std::nullopt}, Row{"leading_dot", ".api.local", std::nullopt},
        Row{"empty_label", "api..local", std::nullopt}, Row{"port_no_number", "api.local:http", std::nullopt},
        Row{"port_too_large", "api.local:65536", std::nullopt},
        Row{"port_far_too_large", "api.local:99999999999999999999", std::nullopt},
        Row{"port_signed", "api.local:+80", std::nullopt}, Row{"two_ports", "api.local:80:80", std::nullopt},
        Row{"user", "api.local@evil", std::nullopt}, Row{"list", "api.local,evil", std::nullopt},
        Row{"space", "api local", std::nullopt}, Row{"slash", "api.local/x", std::nullopt},
        Row{"escape", "api%2elocal", std::nullopt}, Row{"raw_utf8", "b\xc3\xbc.local", std::nullopt},
        Row{"nul", std::string("a\0b", 3), std::nullopt}, Row{"ipv6_bare", "::1", std::nullopt},
        Row{"ipv6_open", "[::1", std::nullopt}, Row{"ipv6_empty", "[]", std::nullopt},
        Row{"ipv6_zone", "[fe80::1%25eth0]", std::nullopt}, Row{"ipv6_no_colon", "[1234]", std::nullopt},
        Row{"ipv6_tail", "[::1]evil", std::nullopt}, Row{"ipv6_dot", "[::1].", std::nullopt},
        Row{"ipv6_inner_bracket", "[::[1]]", std::nullopt}),
    [](const auto& row) { return row.param.name; });

TEST(CanonicalHost, IsAFixedPoint) {
  for (const auto* host : {"API.Local.:80", "[::1]:9", "x"}) {
    const auto once = canonical(host);
    ASSERT_TRUE(once) << host;
    EXPECT_EQ(canonical(*once), once) << host;
  }
}

}  // namespace
}  // namespace keygate::policy
