#include "proxy/name_source.hpp"

#include <boost/asio/ip/basic_resolver.hpp>

#include <memory>
#include <utility>

namespace keygate::proxy {

void SystemNames::ask(const std::string& host, std::uint16_t port, Answer answer) {
  using Resolver = net::ip::basic_resolver<Tcp, Executor>;
  auto resolver = std::make_shared<Resolver>(io_);
  Resolver& asked = *resolver;
  asked.async_resolve(
      host, std::to_string(port),
      [resolver = std::move(resolver), answer = std::move(answer)](error_code error, const auto& entries) {
        std::vector<StreamEndpoint> found;
        for (const auto& entry : entries) {
          found.emplace_back(entry.endpoint());
        }
        answer(error, found);
      });
}

}  // namespace keygate::proxy
