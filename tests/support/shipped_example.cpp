#include "tests/support/shipped_example.hpp"

namespace keygate::test {

std::filesystem::path source_folder() { return KEYGATE_SOURCE_DIR; }

}  // namespace keygate::test
