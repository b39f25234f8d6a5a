#include "policy/address_block.hpp"

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <string>

namespace keygate::policy {
namespace {

AddressBytes bytes_of(const std::string& text) {
  AddressBytes bytes{};
  const std::string long_form = text.find(':') == std::string::npos ? "::ffff:" + text : text;
  EXPECT_EQ(inet_pton(AF_INET6, long_form.c_str(), bytes.data()), 1) << text;
  return bytes;
}

struct Row {
  const char* block;
  const char* address;
  bool is_covered;
};

TEST(AddressBlock, CoversWhatSharesItsPrefix) {
  for (const Row& row : {Row{"10.0.0.0/8", "10.255.255.255", true},
                         {"10.0.0.0/8", "11.0.0.0", false},
                         {"10.0.0.0/8", "a00::", false},
                         {"192.0.2.7", "192.0.2.7", true},
                         {"192.0.2.7", "192.0.2.6", false},
                         {"192.0.2.4/30", "192.0.2.7", true},
                         {"192.0.2.4/30", "192.0.2.8", false},
                         {"0.0.0.0/0", "203.0.113.9", true},
                         {"0.0.0.0/0", "2001:db8::1", false},
                         {"::/0", "2001:db8::1", true},
                         {"::/0", "203.0.113.9", false},
                         {"::ffff:10.0.0.0/104", "10.1.2.3", true},
                         {"2001:db8::/33", "2001:db8:7fff::", true},
                         {"2001:db8::/33", "2001:db8:8000::", false}}) {
    const auto block = parse_block(row.block);
    ASSERT_TRUE(block) << row.block;
    EXPECT_EQ(covers(*block, bytes_of(row.address)), row.is_covered) << row.block << " " << row.address;
    EXPECT_EQ(is_in_any({*parse_block("198.51.100.1"), *block}, bytes_of(row.address)), row.is_covered);
  }
  EXPECT_FALSE(is_in_any({}, bytes_of("::1")));
}

TEST(AddressBlock, IsNoneWhereItCouldMeanSomethingElse) {
  for (const char* text : {"", "here", "10.0.0.0/33", "10.1.0.0/8", "10.0.0.0/", "10.0.0.0/08", "10.0.0/8", "::1/129",
                           " 10.0.0.0/8", "10.0.0.0/8 ", "010.0.0.0/8", "fe80::1%eth0"}) {
    EXPECT_FALSE(parse_block(text)) << text;
  }
}

TEST(AddressBlock, IsWrittenAsItIsRead) {
  for (const char* text : {"10.0.0.0/8", "192.0.2.7/32", "2001:db8::/32", "::1/128", "::/0", "0.0.0.0/0"}) {
    EXPECT_EQ(to_string(*parse_block(text)), text);
  }
  EXPECT_EQ(to_string(*parse_block("192.0.2.7")), "192.0.2.7/32");
}

}  // namespace
}  // namespace keygate::policy
