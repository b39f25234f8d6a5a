#include "proxy/address_seats.hpp"

#include <boost/asio/ip/address.hpp>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace keygate::proxy {
namespace {

Address address(const char* text) { return boost::asio::ip::make_address(text); }

TEST(AddressSeats, AreCountedForEachAddress) {
  AddressSeats seats;
  EXPECT_TRUE(seats.take(address("192.0.2.1"), 2));
  EXPECT_TRUE(seats.take(address("192.0.2.1"), 2));
  EXPECT_FALSE(seats.take(address("192.0.2.1"), 2));
  EXPECT_TRUE(seats.take(address("192.0.2.2"), 2));
  seats.give_back(address("192.0.2.1"));
  EXPECT_TRUE(seats.take(address("192.0.2.1"), 2));
  EXPECT_FALSE(seats.take(address("192.0.2.1"), 2));
}

TEST(AddressSeats, OfIpv6AreThoseOfTheNetwork) {
  AddressSeats seats;
  EXPECT_TRUE(seats.take(address("2001:db8::1"), 1));
  EXPECT_FALSE(seats.take(address("2001:db8::ffff:2"), 1));
  EXPECT_TRUE(seats.take(address("2001:db8:0:1::1"), 1));
  EXPECT_TRUE(seats.take(address("192.0.2.1"), 1));
  EXPECT_FALSE(seats.take(address("::ffff:192.0.2.1"), 1)) << "one address in two spellings";
}

TEST(AddressSeat, IsGivenBackByWhoTookIt) {
  AddressSeats seats;
  {
    AddressSeat first, second;
    EXPECT_TRUE(first.take(seats, address("192.0.2.1"), 1));
    EXPECT_FALSE(second.take(seats, address("192.0.2.1"), 1));
  }
  AddressSeat third;
  EXPECT_TRUE(third.take(seats, address("192.0.2.1"), 1));
}

TEST(ConcurrentAddressSeats, NeverAreMoreThanThereMayBe) {
  AddressSeats seats;
  std::atomic<int> taken{0};
  std::atomic<bool> is_exceeded{false};
  std::vector<std::thread> threads;
  for (int number = 0; number < 4; ++number) {
    threads.emplace_back([&] {
      for (int i = 0; i < 2'000; ++i) {
        AddressSeat seat;
        if (seat.take(seats, address("192.0.2.1"), 2)) {
          is_exceeded = is_exceeded || ++taken > 2;
          --taken;
        }
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_FALSE(is_exceeded);
}

}  // namespace
}  // namespace keygate::proxy
