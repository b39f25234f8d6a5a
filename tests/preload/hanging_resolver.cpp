// For LD_PRELOAD: a resolver that never answers for names that end with ".hangs", as one whose servers are gone.
#include <dlfcn.h>
#include <netdb.h>
#include <string_view>
#include <unistd.h>

extern "C" int getaddrinfo(const char* node, const char* service, const addrinfo* hints, addrinfo** found) {
  while (node != nullptr && std::string_view(node).ends_with(".hangs")) {
    ::pause();
  }
  using Resolve = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
  static const auto next = reinterpret_cast<Resolve>(::dlsym(RTLD_NEXT, "getaddrinfo"));
  return next(node, service, hints, found);
}
