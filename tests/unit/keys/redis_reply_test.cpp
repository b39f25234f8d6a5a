#include "keys/redis_reply.hpp"

#include <gtest/gtest.h>

namespace keygate::keys {
namespace {

struct Row {
  std::string name;
  std::string error;
  RedisFault fault;
};

class RedisFaultTest : public testing::TestWithParam<Row> {};

TEST_P(RedisFaultTest, IsToldByTheFirstWord) { EXPECT_EQ(fault_of(GetParam().error), GetParam().fault); }

INSTANTIATE_TEST_SUITE_P(
    Errors, RedisFaultTest,
    testing::Values(
        Row{"Loading", "LOADING Redis is loading the dataset in memory", RedisFault::not_ready},
        Row{"TooManyClients", "ERR max number of clients reached", RedisFault::not_ready},
        Row{"ReadOnly", "READONLY You can't write against a read only replica.", RedisFault::read_only},
        Row{"ReadOnlyInAScript",
            "ERR Error running script (call to f_6b1b): @user_script:5: @user_script: 5: -READONLY You can't write "
            "against a read only replica.",
            RedisFault::read_only},
        Row{"NoAuth", "NOAUTH Authentication required.", RedisFault::denied},
        Row{"WrongPass", "WRONGPASS invalid username-password pair or user is disabled.", RedisFault::denied},
        Row{"Oom", "OOM command not allowed when used memory > 'maxmemory'.", RedisFault::refused},
        Row{"Moved", "MOVED 3999 127.0.0.1:6381", RedisFault::redirected},
        Row{"Ask", "ASK 3999 127.0.0.1:6381", RedisFault::redirected},
        Row{"Unknown", "ERR unknown command 'X'", RedisFault::other},
        Row{"WordThatOnlyBeginsLikeOne", "LOADINGS are none", RedisFault::other},  //
        Row{"Nothing", "", RedisFault::other}),
    [](const auto& row) { return row.param.name; });

TEST(RedisReply, IsAnErrorOfItsFirstWord) {
  const RedisReply reply{RedisReply::Type::error, 0, "NOSCRIPT No matching script."};
  EXPECT_TRUE(reply.is_error("NOSCRIPT"));
  EXPECT_FALSE(reply.is_error("NOSCR"));
  EXPECT_FALSE((RedisReply{RedisReply::Type::status, 0, "NOSCRIPT"}.is_error("NOSCRIPT")));
}

}  // namespace
}  // namespace keygate::keys
