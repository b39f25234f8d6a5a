// What the hot path must not do: allocate. This file counts every operator new of the test binary.
#include "keys/credential.hpp"
#include "keys/resolver.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <exception>
#include <memory>
#include <new>
#include <string>

namespace {

thread_local std::size_t allocations = 0;

}  // namespace

// Not inlined: gcc would see malloc() meet operator delete, or new meet free(), and take it for a slip.
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  ++allocations;
  return std::malloc(size == 0 ? 1 : size);
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace keygate::keys {
namespace {

using namespace std::chrono_literals;
using SourceKind = config::CredentialSource::Kind;

TEST(Allocations, ExtractMakesNone) {
  config::CredentialSettings settings;
  settings.sources = {{SourceKind::bearer, ""},
                      {SourceKind::header, "x-api-key"},
                      {SourceKind::query, "api_key"},
                      {SourceKind::cookie, "session"}};
  settings.formats.resize(1);
  settings.formats[0].prefix = "kg_";
  settings.formats[0].length = 48;
  settings.formats[0].crc32_checksum = true;
  const CredentialPlan plan(settings);
  const Secret made = generate_key("kg_");
  const std::string key(made.view().reveal());
  const std::string bearer = "Bearer " + key, cookie = "a=1; session=" + key, query = "a=%20&api%5Fkey=" + key;
  const policy::HeaderField headers[] = {{"Authorization", bearer}, {"Cookie", cookie}, {"X-Api-Key", key}};
  std::string out(query.size(), '?');

  const std::size_t before = allocations;
  const Presented presented = plan.extract(headers, query);
  const bool is_ambiguous = plan.is_query_ambiguous(query);
  const std::size_t left = plan.strip_query(query, out.data()) + plan.strip_cookie(cookie, out.data());
  EXPECT_EQ(allocations - before, 0U);
  EXPECT_EQ(presented.kind, Presented::Kind::one);
  EXPECT_FALSE(is_ambiguous);
  EXPECT_EQ(left, 8U);
}

TEST(Allocations, DigestMakesNone) {
  Hasher hasher;
  const std::string key(48, 'k');
  hasher(SecretView(key));
  const std::size_t before = allocations;
  hasher(SecretView(key));
  EXPECT_EQ(allocations - before, 0U);
}

class AnsweringSource final : public Source {
 public:
  explicit AnsweringSource(net::io_context& io) : io_(io) {}
  std::string_view name() const override { return "store"; }
  void look_up(const KeyDigest&, std::shared_ptr<const Secret>, Done done) override {
    net::post(io_, [done] {
      Found found;
      found.answer.state = policy::KeyAnswer::State::valid;
      found.answer.principal.key_id = "key_1";
      done(found);
    });
  }

 private:
  net::io_context& io_;
};

TEST(Allocations, RecallOfWhatIsThereMakesNone) {
  net::io_context io{1};
  AnsweringSource source(io);
  Resolver::Parts parts;
  parts.sources = {&source};
  Resolver resolver(io, parts, {});
  const policy::Catalogue catalogue;
  resolver.apply(catalogue, 1, {});
  Hasher hasher;
  const std::string key(48, 'k');
  const KeyDigest digest = hasher(SecretView(key));
  const auto now = std::chrono::steady_clock::now();
  net::co_spawn(io, resolver.look_up(digest, SecretView(key), now + 60s),
                [](const std::exception_ptr&, const Result<std::shared_ptr<const Record>>&) {});
  io.run();

  const std::size_t before = allocations;
  const auto record = resolver.recall(digest, now);
  const auto nothing = resolver.recall(KeyDigest{}, now);
  EXPECT_EQ(allocations - before, 0U);
  EXPECT_NE(record, nullptr);
  EXPECT_EQ(nothing, nullptr);
}

}  // namespace
}  // namespace keygate::keys
