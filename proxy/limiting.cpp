#include "proxy/limiting.hpp"

#include <string>
#include <string_view>

namespace keygate::proxy {
namespace {

// One part of a counter's name. With its size, so that two names never meet by where one part ends.
void add_part(std::string& name, char kind, std::string_view value) {
  name += kind;
  name += std::to_string(value.size());
  name += ':';
  name += value;
}

void add_address(std::string& name, const keys::AskerAddress& address) {
  add_part(name, 'a', {reinterpret_cast<const char*>(address.data()), address.size()});
}

void add_key(std::string& name, const CountedRequest& request) {
  if (request.principal != nullptr && !request.principal->key_id.empty()) {
    add_part(name, 'k', request.principal->key_id);
  } else if (request.principal != nullptr && !request.principal->user.empty()) {
    add_part(name, 'u', request.principal->user);
  } else {
    add_address(name, request.client);
  }
}

void add_organization(std::string& name, const CountedRequest& request) {
  if (request.principal != nullptr && !request.principal->organization.empty()) {
    add_part(name, 'o', request.principal->organization);
  } else {
    add_key(name, request);
  }
}

// The number of requests is left out: a limit that is raised or lowered goes on from what is spent.
std::string name_of(std::string_view subject, const policy::RateLimit& limit, const CountedRequest& request) {
  std::string name = "keygate limit 1 ";
  add_part(name, 'r', subject);
  add_part(name, 'w', std::to_string(limit.window.count()));
  const std::string per{limit.per.key ? 'k' : '-', limit.per.organization ? 'o' : '-', limit.per.address ? 'a' : '-'};
  add_part(name, 'p', per);
  if (limit.per.key) {
    add_key(name, request);
  }
  if (limit.per.organization) {
    add_organization(name, request);
  }
  if (limit.per.address) {
    add_address(name, request.client);
  }
  return name;
}

}  // namespace

keys::LimitUses limit_uses(const CountedRequest& request, keys::Hasher& hash) {
  keys::LimitUses uses;
  for (const policy::RateLimit& limit : request.route.limits) {
    uses.push_back({limit, hash(keys::SecretView(name_of(request.route.name, limit, request)))});
  }
  if (request.principal != nullptr && request.principal->restrictions && request.principal->restrictions->rate_limit) {
    const policy::RateLimit& own = *request.principal->restrictions->rate_limit;
    uses.push_back({own, hash(keys::SecretView(name_of("", own, request)))});  // no route has this name
  }
  return uses;
}

}  // namespace keygate::proxy
