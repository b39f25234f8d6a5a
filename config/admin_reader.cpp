#include "config/admin_reader.hpp"

#include "config/listener_reader.hpp"
#include "config/scalar_readers.hpp"
#include "config/secret_reader.hpp"

#include <utility>

namespace keygate::config {
namespace {

struct AdminDocument {
  std::optional<ListenerSettings> address;
  std::optional<SecretSettings> token;
};

std::optional<AdminSettings> checked(const Value& value, AdminDocument document) {
  if (!document.address) return std::nullopt;
  AdminSettings settings{std::move(*document.address), std::move(document.token)};
  const ListenerSettings& address = settings.address;
  if (!address.socket.empty()) return settings;
  if (!address.host.starts_with("127.") && address.host != "::1") {
    value.complain(quoted(name_of(address)) + " can be reached from elsewhere, and whoever can may see every request",
                   "write a loopback address such as 127.0.0.1:9902, or unix:/run/keygate/admin.sock");
    return std::nullopt;
  }
  if (!settings.token) {
    value.warn("without token_file whoever reaches " + name_of(address) + " may look, and nobody may change anything",
               "write token_file, or listen on a unix socket");
  }
  return settings;
}

}  // namespace

Reader<AdminSettings> admin_reader() {
  using A = AdminDocument;
  return then(object<A>({
                  required(key("address", &A::address, listening_address(), "unix:/path, or a loopback address")),
                  key("token_file", &A::token, secret_in_file(), "what a caller has to know to change something"),
              }),
              checked);
}

}  // namespace keygate::config
