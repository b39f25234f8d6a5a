#include "keys/secret_file.hpp"

#include "tests/unit/keys/temp_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <variant>
#include <vector>

namespace keygate::keys {
namespace {

using config::Fault;
using config::SecretSettings;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class SecretFile : public testing::Test {
 protected:
  SecretSettings file_with(const std::string& text) {
    std::ofstream(path, std::ios::binary) << text;
    return {SecretSettings::Kind::file, path, {}};
  }

  static std::string secret(const config::Parsed<std::string>& read) {
    if (const auto* const fault = std::get_if<Fault>(&read)) return "fault: " + fault->message;
    return std::get<std::string>(read);
  }

  static std::string complaint(const config::Parsed<std::vector<std::string>>& read) {
    const auto* const fault = std::get_if<Fault>(&read);
    return fault == nullptr ? "none" : fault->message;
  }

  TempFolder folder;
  const std::string path = folder.file("token");
};

TEST_F(SecretFile, OneLineEndBehindTheSecretDoesNotCount) {
  EXPECT_EQ(secret(read_secret(file_with("s3cret"))), "s3cret");
  EXPECT_EQ(secret(read_secret(file_with("s3cret\n"))), "s3cret");
  EXPECT_EQ(secret(read_secret(file_with("s3cret\r\n"))), "s3cret");
  EXPECT_EQ(secret(read_secret(file_with(" s3 cret "))), " s3 cret ");
}

TEST_F(SecretFile, AFaultNamesTheFileAndNotWhatStandsInIt) {
  const auto fault_of = [this](const std::string& text) { return secret(read_secret(file_with(text))); };
  EXPECT_THAT(fault_of(""), AllOf(HasSubstr(path), HasSubstr("is empty")));
  EXPECT_THAT(fault_of("\n"), HasSubstr("is empty"));
  EXPECT_THAT(fault_of("s3cret\nother\n"), AllOf(HasSubstr("more than one line"), Not(HasSubstr("s3cret"))));
  EXPECT_THAT(fault_of("s3cret\n\n"), HasSubstr("more than one line"));
  EXPECT_THAT(fault_of("s3c\x01ret"), AllOf(HasSubstr("control character"), Not(HasSubstr("ret "))));
  EXPECT_THAT(fault_of(std::string("s3c\0ret", 7)), HasSubstr("control character"));
}

TEST_F(SecretFile, TakesFourKibibytesAndNoMore) {
  const std::string largest(max_secret_size, 'x');
  EXPECT_EQ(secret(read_secret(file_with(largest + "\r\n"))), largest);
  EXPECT_THAT(secret(read_secret(file_with(largest + "x"))), HasSubstr("more than 4096 bytes"));
  EXPECT_THAT(secret(read_secret(file_with(std::string(100'000, 'x')))), HasSubstr("bytes"));
}

TEST_F(SecretFile, SaysWhyAFileCannotBeRead) {
  EXPECT_THAT(secret(read_secret({SecretSettings::Kind::file, folder.file("gone"), {}})),
              AllOf(HasSubstr("gone"), HasSubstr("No such file")));
  EXPECT_THAT(secret(read_secret({SecretSettings::Kind::file, folder.file(""), {}})), HasSubstr("Is a directory"));
}

TEST_F(SecretFile, ReadsTheEnvironmentAndWhatIsWrittenOut) {
  ASSERT_EQ(::setenv("KEYGATE_TEST_SECRET", "from-the-environment", 1), 0);
  EXPECT_EQ(secret(read_secret({SecretSettings::Kind::environment, "KEYGATE_TEST_SECRET", {}})),
            "from-the-environment");
  ASSERT_EQ(::unsetenv("KEYGATE_TEST_SECRET"), 0);
  EXPECT_THAT(secret(read_secret({SecretSettings::Kind::environment, "KEYGATE_TEST_SECRET", {}})),
              HasSubstr("variable KEYGATE_TEST_SECRET is not set"));
  EXPECT_EQ(secret(read_secret({SecretSettings::Kind::literal, "written", {}})), "written");
  EXPECT_THAT(secret(read_secret({SecretSettings::Kind::literal, "", {}})), HasSubstr("is empty"));
}

TEST_F(SecretFile, SigningKeysStandOneALine) {
  const std::string first(32, 'a');
  const std::string second(44, 'b');
  file_with("# of this year\n" + first + "\n\n  " + second + " \r\n# the end");
  const auto read = read_signing_keys(path);
  ASSERT_EQ(complaint(read), "none");
  EXPECT_THAT(std::get<0>(read), ElementsAre(first, second));
}

TEST_F(SecretFile, AFaultOfSigningKeysNamesTheLine) {
  const std::string key(32, 'a');
  file_with(key + "\n\n" + std::string(31, 'b') + "\n");
  EXPECT_THAT(complaint(read_signing_keys(path)), AllOf(HasSubstr("line 3"), HasSubstr(path), Not(HasSubstr("bbb"))));
  file_with("# nothing\n");
  EXPECT_THAT(complaint(read_signing_keys(path)), HasSubstr("no signing key"));
  std::string nine;
  for (int i = 0; i < 9; ++i) nine += key + "\n";
  file_with(nine);
  EXPECT_THAT(complaint(read_signing_keys(path)), HasSubstr("more than 8"));
  EXPECT_THAT(complaint(read_signing_keys(folder.file("gone"))), HasSubstr("No such file"));
}

}  // namespace
}  // namespace keygate::keys
