// The shape of this folder's error categories: a name, and one sentence for each value.
#pragma once

#include "keys/asio.hpp"

#include <string>

namespace keygate::keys {

// Boost's base has a protected, non-virtual destructor: nobody deletes a category through it, and none is ever deleted.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"

class ErrorCategory final : public boost::system::error_category {
 public:
  using Sentence = const char* (*)(int value);

  constexpr ErrorCategory(const char* name, Sentence sentence) : name_(name), sentence_(sentence) {}

  const char* name() const noexcept override { return name_; }
  std::string message(int value) const override { return sentence_(value); }

 private:
  const char* name_;
  Sentence sentence_;
};

#pragma GCC diagnostic pop

}  // namespace keygate::keys
