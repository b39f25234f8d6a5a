// How long a test waits for something that is bound to happen, and how: by looking, never by sleeping for a guess.
#pragma once

#include <chrono>
#include <thread>

namespace keygate::test {

// Far longer than anything takes on a loaded machine under a sanitizer; only a broken promise uses it up.
inline constexpr std::chrono::seconds patience{20};

// Whether `fact` came true in time.
template <class Fact>
bool eventually(Fact fact, std::chrono::milliseconds limit = patience) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!fact()) {
    if (std::chrono::steady_clock::now() >= deadline) {
      return fact();
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

}  // namespace keygate::test
