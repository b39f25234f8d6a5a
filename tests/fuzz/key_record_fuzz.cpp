// Records of Redis, which whoever reaches Redis can write: what is taken says what the grammar finds in it, is of the
// key that was asked for, is signed where keys are set, and is the same once it has been written and read again.
// Input: the value of a Redis key, for the digest in which every byte is 0xAB.
#include "keys/key_record.hpp"
#include "keys/record_signature.hpp"
#include "tests/fuzz/naive_json.hpp"
#include "tests/fuzz/probe.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace keygate::fuzz {
namespace {

using keys::Decoded;
using keys::RecordCodec;
using keys::RecordFlaw;
using keys::RecordSubject;
using keys::WireRecord;
using Kind = WireRecord::Kind;

constexpr std::string_view old_key = "a signing key that is on its way out";
constexpr std::string_view new_key = "the signing key of today";

keys::KeyDigest digest_of(std::uint8_t byte) {
  keys::KeyDigest digest;
  digest.bytes.fill(byte);
  return digest;
}

const keys::KeyDigest asked = digest_of(0xAB);

const RecordCodec& unsigned_codec(RecordSubject subject) {
  static const RecordCodec key("a:", RecordSubject::key, {});
  static const RecordCodec session("a:", RecordSubject::session, {});
  return subject == RecordSubject::key ? key : session;
}

const RecordCodec& signed_codec(RecordSubject subject) {
  static const std::vector<std::string> signing = {std::string(new_key), std::string(old_key)};
  static const RecordCodec key("a:", RecordSubject::key, signing);
  static const RecordCodec session("a:", RecordSubject::session, signing);
  return subject == RecordSubject::key ? key : session;
}

// HMAC-SHA-256 by RFC 2104, of plain SHA-256.
std::string sha256(const std::string& text) {
  std::array<unsigned char, 32> digest{};
  EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha256(), nullptr);
  return {digest.begin(), digest.end()};
}

std::string hmac_hex(std::string_view key, const std::string& text) {
  std::string inner(64, '\x36');
  std::string outer(64, '\x5c');
  for (std::size_t i = 0; i < key.size(); ++i) {
    inner[i] = static_cast<char>(inner[i] ^ key[i]);
    outer[i] = static_cast<char>(outer[i] ^ key[i]);
  }
  constexpr std::string_view digits = "0123456789abcdef";
  std::string hex;
  for (const char c : sha256(outer + sha256(inner + text))) {
    hex += digits[static_cast<unsigned char>(c) >> 4U];
    hex += digits[static_cast<unsigned char>(c) & 0xFU];
  }
  return hex;
}

std::string signed_with(std::string_view key, const RecordCodec& codec, std::string_view json) {
  return std::string(json) + "\n" + hmac_hex(key, codec.redis_key(asked) + "\n" + std::string(json));
}

const WireRecord* record_in(const Decoded& decoded) { return std::get_if<WireRecord>(&decoded); }

bool is_same(const std::shared_ptr<const policy::Restrictions>& a,
             const std::shared_ptr<const policy::Restrictions>& b) {
  if (a == nullptr || b == nullptr) return a == b;
  return a->allowed_from == b->allowed_from && a->rate_limit == b->rate_limit;
}

bool is_same(const WireRecord& a, const WireRecord& b) {
  const policy::Principal& one = a.answer.principal;
  const policy::Principal& other = b.answer.principal;
  return a.kind == b.kind && a.issued_at_ms == b.issued_at_ms && a.bound == b.bound &&
         a.answer.state == b.answer.state && one.key_id == other.key_id && one.organization == other.organization &&
         one.user == other.user && one.environment == other.environment && one.granted == other.granted &&
         one.expires_at == other.expires_at && is_same(one.restrictions, other.restrictions);
}

bool is_same(const Decoded& a, const Decoded& b) {
  const auto* const one = record_in(a);
  const auto* const other = record_in(b);
  if (one == nullptr || other == nullptr) return one == other && std::get<RecordFlaw>(a) == std::get<RecordFlaw>(b);
  return is_same(*one, *other);
}

std::string text_of(const Json& document, std::string_view name) {
  const Json* const member = document.member(name);
  return member != nullptr && member->is(Json::Kind::string) ? member->text : "";
}

std::optional<std::int64_t> integer_of(const Json& document, std::string_view name) {
  const Json* const member = document.member(name);
  return member == nullptr ? std::nullopt : member->integer();
}

// A key is never freer than its record says.
void check_restrictions(const policy::Restrictions* read, const Json& document) {
  const Json* const blocks = document.member("allowed_cidrs");
  const Json* const limit = document.member("rate_limit");
  hold((read != nullptr) == (blocks != nullptr || limit != nullptr), "a restriction is there if one was written");
  if (read == nullptr) return;
  hold(read->allowed_from.size() == (blocks == nullptr ? 0 : blocks->items.size()), "each block was read");
  hold(blocks == nullptr || !read->allowed_from.empty(), "and there is one at least");
  hold(read->rate_limit.has_value() == (limit != nullptr), "and so was the limit");
  if (limit == nullptr) return;
  const auto requests = integer_of(*limit, "limit");
  hold(requests && read->rate_limit->limit == static_cast<std::uint64_t>(*requests), "as it stands there");
  hold(limit->members.size() == 2 && !text_of(*limit, "window").empty(), "with a window, and nothing besides");
  hold(policy::limit_flaw(read->rate_limit->limit, read->rate_limit->window).empty(), "and can be counted");
}

void check_valid(const WireRecord& record, const Json& document, RecordSubject subject) {
  const policy::Principal& principal = record.answer.principal;
  constexpr std::array<std::string_view, 13> known = {
      "v",     "digest",      "state",      "key_id",    "organization_id", "user_id",   "scopes",
      "bound", "environment", "expires_at", "issued_at", "allowed_cidrs",   "rate_limit"};
  for (const auto& [name, value] : document.members) {
    hold(std::find(known.begin(), known.end(), name) != known.end(), "a record that says more is not used");
  }
  hold(record.answer.state == policy::KeyAnswer::State::valid, "a valid record is a valid key's");
  hold_equal(principal.key_id, text_of(document, "key_id"), "the key's ID");
  hold_equal(principal.organization, text_of(document, "organization_id"), "the organization");
  hold_equal(principal.user, text_of(document, "user_id"), "the user");
  hold_equal(policy::to_string(principal.environment), text_of(document, "environment"), "the environment");
  hold(principal.expires_at == integer_of(document, "expires_at"), "when it expires");
  check_restrictions(principal.restrictions.get(), document);
  hold(subject == RecordSubject::key ? policy::is_presentable(principal) : policy::is_presentable_session(principal),
       "whoever it names can be named to an upstream");
  const Json* const scopes = document.member("scopes");
  hold(scopes != nullptr && scopes->is(Json::Kind::array), "scopes are a list");
  hold_equal(principal.granted.size(), scopes->items.size(), "of which all are granted");
  for (std::size_t i = 0; i < scopes->items.size(); ++i) {
    hold(scopes->items[i].is(Json::Kind::string), "each is a word");
    hold_equal(principal.granted[i], scopes->items[i].text, "and the one that stands there");
  }
  hold(record.issued_at_ms == integer_of(document, "issued_at"), "when it was issued");
  const auto bound = integer_of(document, "bound");
  hold(record.bound.has_value() == bound.has_value() && (!bound || record.bound->count() == *bound), "and its bound");
  hold(!bound || (*bound > 0 && *bound <= 86'400'000), "a bound is a day at most");
}

void check_meaning(const WireRecord& record, std::string_view text, RecordSubject subject) {
  const auto document = naive_json(text, 8);
  hold(document && document->is(Json::Kind::object), "a record is a JSON object without a member twice");
  hold(integer_of(*document, "v") == 1, "of version 1");
  hold_equal(text_of(*document, "digest"), to_hex(asked), "of the key that was asked for");
  const std::string state = text_of(*document, "state");
  hold((record.kind == Kind::valid) == (state == "valid"), "valid is what says so");
  if (record.kind == Kind::valid) return check_valid(record, *document, subject);
  hold(state == "revoked" || state == "changed", "a tombstone is what says so");
  hold(record.kind == Kind::changed || state == "revoked", "revoked is what says so");
}

void check_written_again(const RecordCodec& codec, const WireRecord& record, bool needs_issue_time) {
  const auto written = codec.encode(asked, record);
  if (needs_issue_time && !record.issued_at_ms) return hold(!written, "nothing is signed without its issue time");
  hold(written.has_value(), "what was read can be written");
  const Decoded again = codec.decode(asked, *written);
  hold(record_in(again) != nullptr && is_same(*record_in(again), record), "and is read as it was");
  hold(codec.encode(asked, *record_in(again)) == written, "and written as it was");
}

// As it is, and signed by us, so that the search gets past the signature.
void check_signed(std::string_view input, RecordSubject subject) {
  const RecordCodec& codec = signed_codec(subject);
  const auto [json, signature] = keys::split_signature(input);
  const std::string message = codec.redis_key(asked) + "\n" + std::string(json);
  const bool is_signed =
      !signature.empty() && (signature == hmac_hex(new_key, message) || signature == hmac_hex(old_key, message));
  const Decoded as_it_is = codec.decode(asked, input);
  if (const auto* const record = record_in(as_it_is)) {
    hold(is_signed || record->kind == Kind::changed, "without a signature there is a change at most");
    check_written_again(codec, *record, true);
  }
  const bool is_signed_twice = !keys::split_signature(json).second.empty();  // and so no JSON
  if (is_signed_twice || json.size() + 65 > RecordCodec::max_size) return;
  const Decoded plain = unsigned_codec(subject).decode(asked, json);
  for (const std::string_view key : {new_key, old_key}) {
    std::string bytes = signed_with(key, codec, json);
    const Decoded decoded = codec.decode(asked, bytes);
    const auto* const record = record_in(plain);
    if (record != nullptr && record->kind == Kind::valid && !record->issued_at_ms) {
      hold(is_same(decoded, RecordFlaw::no_issue_time), "a signed record says when it was issued");
    } else {
      hold(is_same(decoded, plain), "signed it is what it is unsigned");
    }
    bytes.back() = bytes.back() == '0' ? '1' : '0';
    const Decoded forged = codec.decode(asked, bytes);
    hold(record_in(forged) == nullptr || record_in(forged)->kind == Kind::changed, "another signature is none");
  }
  const auto other = subject == RecordSubject::key ? RecordSubject::session : RecordSubject::key;
  const Decoded moved = codec.decode(asked, signed_with(new_key, signed_codec(other), json));
  hold(record_in(moved) == nullptr || record_in(moved)->kind == Kind::changed, "a record is its own name's");
}

void check_age(const WireRecord& record) {
  using std::chrono::milliseconds;
  constexpr std::int64_t now = 1'800'000'000'000;
  constexpr milliseconds own{60'000};
  for (const milliseconds ttl : {milliseconds(-1), milliseconds(1), milliseconds(30'000), milliseconds(90'000)}) {
    const auto age = age_of(record, ttl, now, own);
    if (!age) continue;
    hold(ttl > milliseconds::zero() && ttl <= record.bound.value_or(own), "what is used is going to expire in time");
    hold(*age >= milliseconds::zero() && *age < own, "and younger than our own bound");
    hold(!record.issued_at_ms || now - *record.issued_at_ms <= age->count(), "no younger than its issue time says");
    hold(*age >= record.bound.value_or(own) - ttl, "and than its time to live does");
  }
}

}  // namespace

void probe(std::string_view input) {
  for (const RecordSubject subject : {RecordSubject::key, RecordSubject::session}) {
    const RecordCodec& codec = unsigned_codec(subject);
    const Decoded decoded = codec.decode(asked, input);
    if (const auto* const record = record_in(decoded)) {
      hold(input.size() <= RecordCodec::max_size, "a record is no larger than it may be");
      check_meaning(*record, keys::split_signature(input).first, subject);
      check_written_again(codec, *record, false);
      check_age(*record);
      hold(is_same(codec.decode(digest_of(0xAC), input), RecordFlaw::wrong_digest), "a record of another key is none");
    }
    check_signed(input, subject);
  }
}

}  // namespace keygate::fuzz
