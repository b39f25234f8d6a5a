// Where libFuzzer comes in, and the replay of kept inputs too.
#include "tests/fuzz/probe.hpp"

#include <cstddef>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  keygate::fuzz::probe({reinterpret_cast<const char*>(data), size});
  return 0;
}
