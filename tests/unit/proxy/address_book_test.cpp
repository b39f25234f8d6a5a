#include "proxy/address_book.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace keygate::proxy {
namespace {

using namespace std::chrono_literals;

constexpr SteadyClock::time_point begin{1'000'000s};

StreamEndpoint at(const std::string& address) { return Tcp::endpoint(net::ip::make_address(address), 80); }

AddressBook book_of(const std::vector<StreamEndpoint>& all, SteadyClock::time_point now = begin) {
  AddressBook book;
  book.begin(now);
  book.settle(now, all);
  return book;
}

TEST(AddressBook, AFixedAddressIsNeverAskedFor) {
  AddressBook book(at("10.0.0.1"));
  EXPECT_TRUE(book.is_fixed());
  EXPECT_FALSE(book.is_due(begin + 24h));
  EXPECT_EQ(book.next(), at("10.0.0.1"));
}

TEST(AddressBook, IsDueAtFirstAndEachThirtySecondsButNotWhileItIsAsked) {
  AddressBook book;
  EXPECT_TRUE(book.is_due(begin));
  book.begin(begin);
  EXPECT_FALSE(book.is_due(begin + 1h));
  book.settle(begin + 1h, {at("10.0.0.1")});
  EXPECT_TRUE(book.is_due(begin + 1h)) << "counted from the asking: an answer that took an hour is an hour old";
  book.begin(begin + 1h);
  book.settle(begin + 1h + 1s, {at("10.0.0.1")});
  EXPECT_FALSE(book.is_due(begin + 1h + 29s));
  EXPECT_TRUE(book.is_due(begin + 1h + 30s));
}

TEST(AddressBook, SeveralAddressesTakeTurns) {
  AddressBook book = book_of({at("10.0.0.1"), at("10.0.0.2"), at("10.0.0.3")});
  std::multiset<StreamEndpoint> given;
  for (int i = 0; i < 6; ++i) given.insert(book.next());
  for (const StreamEndpoint& one : book.all()) EXPECT_EQ(given.count(one), 2U);
}

TEST(AddressBook, F40_TheLastGoodAddressesServeAnHourWhileItCannotBeAsked) {
  AddressBook book = book_of({at("10.0.0.1")});
  book.begin(begin + 30s);
  EXPECT_FALSE(book.settle(begin + 31s, {}));
  EXPECT_EQ(book.all().size(), 1U);
  EXPECT_FALSE(book.is_due(begin + 59s)) << "a failure is asked again no sooner";
  book.begin(begin + 59min);
  EXPECT_FALSE(book.settle(begin + 59min, {}));
  EXPECT_EQ(book.all().size(), 1U);
  book.begin(begin + 61min);
  EXPECT_TRUE(book.settle(begin + 61min, {}));
  EXPECT_TRUE(book.all().empty()) << "by now it may be somebody else's";
  EXPECT_TRUE(book.is_due(begin + 61min));
}

TEST(AddressBook, F40_AnHourCountsFromTheLastGoodAnswer) {
  AddressBook book = book_of({at("10.0.0.1")});
  book.begin(begin + 59min);
  book.settle(begin + 59min, {at("10.0.0.1")});
  book.begin(begin + 90min);
  EXPECT_FALSE(book.settle(begin + 90min, {}));
  EXPECT_EQ(book.all().size(), 1U);
}

TEST(AddressBook, TellsWhenAnAddressHasGone) {
  AddressBook book = book_of({at("10.0.0.1"), at("10.0.0.2")});
  EXPECT_FALSE(book.settle(begin, {at("10.0.0.2"), at("10.0.0.1")})) << "another order is nothing new";
  EXPECT_FALSE(book.settle(begin, {at("10.0.0.2"), at("10.0.0.1"), at("10.0.0.3")}));
  EXPECT_TRUE(book.settle(begin, {at("10.0.0.3")}));
  EXPECT_FALSE(book.contains(at("10.0.0.1")));
  EXPECT_TRUE(book.contains(at("10.0.0.3")));
}

}  // namespace
}  // namespace keygate::proxy
