#include "keys/secret_file.hpp"

#include "config/environment.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <string_view>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <variant>

namespace keygate::keys {

namespace {

using config::Fault;
using config::quoted;

class Descriptor {
 public:
  explicit Descriptor(const std::string& path) : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return fd_; }

 private:
  int fd_;
};

Fault unreadable(const std::string& path, int error) {
  return {quoted(path) + " cannot be read: " + std::generic_category().message(error), ""};
}

// Not by a stream, whose buffer would keep a copy.
config::Parsed<std::string> read_small_file(const std::string& path, std::size_t most) {
  const Descriptor file(path);
  if (file.get() < 0) return unreadable(path, errno);
  std::string text(most + 1, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t count = ::read(file.get(), text.data() + size, text.size() - size);
    if (count == 0) break;
    if (count > 0) {
      size += static_cast<std::size_t>(count);
    } else if (errno != EINTR) {
      const int error = errno;
      OPENSSL_cleanse(text.data(), text.size());
      return unreadable(path, error);
    }
  }
  if (size > most) {
    OPENSSL_cleanse(text.data(), text.size());
    return Fault{quoted(path) + " holds more than " + std::to_string(most) + " bytes", "is it the right file?"};
  }
  text.resize(size);
  return text;
}

void drop_line_end(std::string& text) {
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

// What is wrong with `secret`, which stands in `place`; "" where nothing is.
std::string secret_flaw(const std::string& secret, const std::string& place) {
  if (secret.empty()) return place + " is empty";
  if (secret.size() > max_secret_size) {
    return place + " holds more than " + std::to_string(max_secret_size) + " bytes";
  }
  if (secret.find('\n') != std::string::npos) return place + " holds more than one line";
  if (std::ranges::any_of(secret, is_control)) return place + " holds a control character";
  return "";
}

config::Parsed<std::string> checked(config::Parsed<std::string> read, const std::string& place) {
  std::string* const secret = std::get_if<std::string>(&read);
  if (secret == nullptr) return read;
  drop_line_end(*secret);
  const std::string flaw = secret_flaw(*secret, place);
  if (flaw.empty()) return read;
  OPENSSL_cleanse(secret->data(), secret->size());
  return Fault{flaw, "it has to hold the secret and nothing else"};
}

std::string_view trimmed(std::string_view line) {
  constexpr std::string_view blanks = " \t\r";
  const auto first = line.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return line.substr(first, line.find_last_not_of(blanks) - first + 1);
}

config::Parsed<std::vector<std::string>> split_keys(const std::string& text, const std::string& path) {
  std::vector<std::string> keys;
  std::string_view rest = text;
  for (std::size_t number = 1; !rest.empty(); ++number) {
    const auto end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = trimmed(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.empty() || line.front() == '#') continue;
    if (line.size() < min_signing_key_size) {
      return Fault{"line " + std::to_string(number) + " of " + quoted(path) + " is too short for a signing key",
                   "at least 32 bytes: openssl rand -base64 32"};
    }
    keys.emplace_back(line);
  }
  if (keys.empty()) return Fault{quoted(path) + " holds no signing key", "one a line: openssl rand -base64 32"};
  if (keys.size() > max_signing_keys) {
    return Fault{quoted(path) + " holds more than " + std::to_string(max_signing_keys) + " signing keys",
                 "the first signs; keep the others only while records that they signed may be around"};
  }
  return keys;
}

}  // namespace

config::Parsed<std::string> read_secret(const config::SecretSettings& settings) {
  using Kind = config::SecretSettings::Kind;
  switch (settings.kind) {
    case Kind::file:
      return checked(read_small_file(settings.text, max_secret_size + 2), quoted(settings.text));
    case Kind::environment: {
      auto value = config::process_environment(settings.text);
      if (!value) return Fault{"the environment variable " + settings.text + " is not set", ""};
      return checked(std::move(*value), "the environment variable " + settings.text);
    }
    case Kind::literal:
      return checked(settings.text, "the secret that is written out");
  }
  return Fault{"a secret of an unknown kind", ""};
}

config::Parsed<std::vector<std::string>> read_signing_keys(const std::string& path) {
  constexpr std::size_t most = 64 * 1024;
  auto read = read_small_file(path, most);
  if (auto* const fault = std::get_if<Fault>(&read)) return std::move(*fault);
  std::string& text = std::get<std::string>(read);
  auto keys = split_keys(text, path);
  OPENSSL_cleanse(text.data(), text.size());
  return keys;
}

}  // namespace keygate::keys
