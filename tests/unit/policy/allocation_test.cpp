// Deciding allocates nothing: every operator new of this binary is counted, and there may be none between match and
// Grant.
#include "policy/decide.hpp"
#include "policy/reserved_names.hpp"
#include "tests/unit/policy/builders.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <new>
#include <string>

namespace {

thread_local std::size_t allocations = 0;

void* counted_or_null(std::size_t size) noexcept {
  ++allocations;
  return std::malloc(size == 0 ? 1 : size);
}

void* counted(std::size_t size) {
  void* memory = counted_or_null(size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

void* operator new(std::size_t size) { return counted(size); }
void* operator new[](std::size_t size) { return counted(size); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return counted_or_null(size); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return counted_or_null(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
void operator delete[](void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }

namespace keygate::policy {
namespace {

using testing::keyed;
using testing::scope;
using testing::settings_with;

TEST(Allocations, AreCounted) {
  const auto before = allocations;
  const std::string long_enough(100, 'a');
  EXPECT_GT(allocations, before) << long_enough;
}

TEST(Allocations, ThereAreNoneFromTheRawTargetToTheDecision) {
  const auto policy =
      testing::compiled(settings_with({keyed("one", "/organizations/{organization}/projects/{project}")
                                           .hosts({"*.a-rather-long-host-name.example.com"})
                                           .methods({"GET"})
                                           .header("x-a-rather-long-header", "with a rather long value in it")
                                           .all({"projects:read"})
                                           .organization("{organization}"),
                                       keyed("other", "/organizations/organization%3A42-is-long/{x...}")},
                                      {scope("projects:read")}));
  const ReservedNames names(config::IdentityHeaderSettings{}, config::CredentialSettings{});
  KeyAnswer answer;
  answer.state = KeyAnswer::State::valid;
  answer.principal.key_id = "key_with_a_rather_long_name";
  answer.principal.organization = "organization|42-which-is-long";
  answer.principal.granted = {"projects:read"};
  const Held held = policy->catalogue.expand(answer.principal.granted);
  Caller caller;
  caller.found = Caller::Found::answered;
  caller.kind = CredentialKind::api_key;
  caller.answer = &answer;
  caller.held = &held;
  std::string raw = "/organizations/organization%7c42-which-is-long/projects/%41%42?some=query";
  const std::array<HeaderField, 2> headers{
      {{"X-A-Rather-Long-Header", "with a rather long value in it"}, {"x_forwarded_for_a_rather_long_name", "1"}}};
  std::array<char, 256> buffer{};

  const auto before = allocations;
  const auto parsed = RequestTarget::parse(raw);
  const auto host = canonical_host("API.A-Rather-Long-Host-Name.example.com.:8080", buffer);
  const auto& target = std::get<RequestTarget>(parsed);
  const Route* route = policy->table.match({*host, Method::get, &target, headers});
  const auto name_class = names.classify(headers[1].name);
  const auto decision = decide(*policy, route, target, caller, 1'700'000'000);
  const auto after = allocations;

  EXPECT_EQ(after, before);
  EXPECT_EQ(name_class, NameClass::forwarding);
  EXPECT_TRUE(std::holds_alternative<Grant>(decision));
}

}  // namespace
}  // namespace keygate::policy
