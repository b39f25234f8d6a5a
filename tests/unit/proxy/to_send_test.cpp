#include "proxy/to_send.hpp"

#include <gtest/gtest.h>

#include <string>

namespace keygate::proxy {
namespace {

std::string text_of(const ToSend& pieces) {
  std::string text;
  for (std::size_t i = 0; i < pieces.count; ++i) {
    text.append(static_cast<const char*>(pieces.buffers[i].data()), pieces.buffers[i].size());
  }
  return text;
}

ToSend four_pieces() {
  ToSend pieces;
  for (const char* text : {"head", "5\r\n", "chunk", "\r\n"}) {
    pieces.add(text);
  }
  return pieces;
}

TEST(ToSend, LeavesEmptyPiecesOut) {
  ToSend pieces;
  for (const char* text : {"", "head", "", "body"}) {
    pieces.add(text);
  }
  EXPECT_EQ(pieces.count, 2U);
  EXPECT_EQ(pieces.size(), 8U);
  EXPECT_EQ(text_of(pieces), "headbody");
}

// A send may end anywhere: what is left is what has not gone out, byte for byte.
TEST(ToSend, AfterAnySendHoldsTheRest) {
  const std::string whole = text_of(four_pieces());
  for (std::size_t sent = 0; sent <= whole.size(); ++sent) {
    const ToSend rest = four_pieces().after(sent);
    EXPECT_EQ(text_of(rest), whole.substr(sent)) << sent;
    EXPECT_EQ(rest.size(), whole.size() - sent);
  }
}

}  // namespace
}  // namespace keygate::proxy
