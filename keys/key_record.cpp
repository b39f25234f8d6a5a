#include "keys/key_record.hpp"

#include "keys/record_signature.hpp"
#include "keys/restrictions.hpp"
#include "keys/strict_json.hpp"
#include "policy/scopes.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <openssl/crypto.h>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

namespace keygate::keys {

namespace json = boost::json;

namespace {

using Kind = WireRecord::Kind;
using std::chrono::milliseconds;

constexpr std::int64_t version = 1;
constexpr std::size_t max_depth = 8;
constexpr milliseconds longest_bound{24 * 60 * 60 * 1000};
constexpr milliseconds tolerated_lead{5'000};

// What a valid record may say. One that says more (a restriction that this version cannot enforce, perhaps) is not
// used.
constexpr std::array<std::string_view, 13> members{
    "v",           "digest",     "state",     "key_id", "organization_id", "user_id",    "scopes",
    "environment", "expires_at", "issued_at", "bound",  "allowed_cidrs",   "rate_limit",
};

std::string_view word_of(Kind kind) {
  switch (kind) {
    case Kind::valid:
      return "valid";
    case Kind::revoked:
      return "revoked";
    case Kind::changed:
      return "changed";
  }
  return "changed";
}

bool is_grant(std::string_view text) { return policy::is_grant_name(text) || policy::is_identity_value(text); }

bool is_readable(const policy::Principal& principal, RecordSubject subject) {
  const auto is_none_or_identity = [](const std::string& text) {
    return text.empty() || policy::is_identity_value(text);
  };
  if (!is_none_or_identity(principal.key_id) || !is_none_or_identity(principal.organization) ||
      !is_none_or_identity(principal.user)) {
    return false;
  }
  const bool is_named = subject == RecordSubject::key ? !principal.key_id.empty() && !principal.organization.empty()
                                                      : !principal.user.empty();
  return is_named && principal.granted.size() <= policy::max_granted &&
         std::ranges::all_of(principal.granted, is_grant);
}

// Takes members out of an object, and remembers whether one was not what it has to be.
class Members {
 public:
  explicit Members(const json::object& object) : object_(object) {}

  bool are_fit() const { return are_fit_; }

  std::optional<std::int64_t> integer(std::string_view name, std::int64_t least, std::int64_t most) {
    const json::value* value = find(name);
    if (value == nullptr) return std::nullopt;
    if (const std::int64_t* number = value->if_int64(); number != nullptr && *number >= least && *number <= most) {
      return *number;
    }
    are_fit_ = false;
    return std::nullopt;
  }

  // Empty: not there, which `text` of a member cannot be.
  std::string text(std::string_view name) {
    const json::value* value = find(name);
    if (value == nullptr) return {};
    if (const json::string* words = value->if_string(); words != nullptr && !words->empty()) {
      return {words->data(), words->size()};
    }
    are_fit_ = false;
    return {};
  }

  std::vector<std::string> texts(std::string_view name) {
    const json::value* value = find(name);
    const json::array* list = value == nullptr ? nullptr : value->if_array();
    std::vector<std::string> found;
    are_fit_ = are_fit_ && list != nullptr && list->size() <= policy::max_granted;
    if (!are_fit_) return found;
    for (const json::value& entry : *list) {
      const json::string* words = entry.if_string();
      if (words == nullptr) {
        are_fit_ = false;
        return found;
      }
      found.emplace_back(words->data(), words->size());
    }
    return found;
  }

  std::shared_ptr<const policy::Restrictions> restrictions() {
    auto read = read_restrictions({find("allowed_cidrs"), find("rate_limit")});
    are_fit_ = are_fit_ && read.has_value();
    return read ? std::move(*read) : nullptr;
  }

  policy::Environment environment() {
    const std::string word = text("environment");
    if (word.empty()) return policy::Environment::none;
    if (word == "live") return policy::Environment::live;
    if (word == "test") return policy::Environment::test;
    are_fit_ = false;
    return policy::Environment::none;
  }

 private:
  const json::value* find(std::string_view name) const { return object_.if_contains({name.data(), name.size()}); }

  const json::object& object_;
  bool are_fit_ = true;
};

bool knows_all_of(const json::object& object) {
  return std::ranges::all_of(object, [](const json::key_value_pair& member) {
    return std::ranges::find(members, std::string_view(member.key().data(), member.key().size())) != members.end();
  });
}

bool read_times(Members& from, WireRecord& record) {
  record.issued_at_ms = from.integer("issued_at", 0, std::numeric_limits<std::int64_t>::max() / 2);
  if (const auto bound = from.integer("bound", 1, longest_bound.count())) record.bound = milliseconds(*bound);
  return from.are_fit();
}

bool read_valid(const json::object& object, RecordSubject subject, WireRecord& record) {
  Members from(object);
  record.kind = Kind::valid;
  record.answer.state = policy::KeyAnswer::State::valid;
  policy::Principal& principal = record.answer.principal;
  principal.key_id = from.text("key_id");
  principal.organization = from.text("organization_id");
  principal.user = from.text("user_id");
  principal.granted = from.texts("scopes");
  principal.environment = from.environment();
  principal.expires_at = from.integer("expires_at", 0, std::numeric_limits<std::int64_t>::max());
  principal.restrictions = from.restrictions();
  return read_times(from, record) && knows_all_of(object) && is_readable(principal, subject);
}

// A tombstone refuses, so that it is taken with less: what else stands in it does not matter.
WireRecord tombstone(const json::object& object, Kind kind) {
  WireRecord record;
  Members from(object);
  if (!read_times(from, record)) record = {};
  record.kind = kind;
  return record;
}

std::string json_of(const KeyDigest& digest, const WireRecord& record) {
  const policy::Principal& principal = record.answer.principal;
  json::object object{{"v", version}, {"digest", to_hex(digest)}};
  const auto add_text = [&object](const char* name, std::string_view text) {
    if (!text.empty()) object[name] = json::string_view(text.data(), text.size());
  };
  add_text("state", word_of(record.kind));
  if (record.kind == Kind::valid) {
    add_text("key_id", principal.key_id);
    add_text("organization_id", principal.organization);
    add_text("user_id", principal.user);
    object["scopes"] = json::array(principal.granted.begin(), principal.granted.end());
    add_text("environment", policy::to_string(principal.environment));
    if (principal.expires_at) object["expires_at"] = *principal.expires_at;
    if (principal.restrictions) write_restrictions(*principal.restrictions, object);
  }
  if (record.issued_at_ms) object["issued_at"] = *record.issued_at_ms;
  if (record.bound) object["bound"] = record.bound->count();
  return json::serialize(object);
}

}  // namespace

std::string_view to_string(RecordFlaw flaw) {
  switch (flaw) {
    case RecordFlaw::malformed:
      return "malformed";
    case RecordFlaw::wrong_version:
      return "wrong_version";
    case RecordFlaw::wrong_digest:
      return "wrong_digest";
    case RecordFlaw::unsigned_record:
      return "unsigned_record";
    case RecordFlaw::bad_signature:
      return "bad_signature";
    case RecordFlaw::no_issue_time:
      return "no_issue_time";
  }
  return "malformed";
}

RecordCodec::RecordCodec(std::string name_space, RecordSubject subject, std::vector<std::string> signing_keys)
    : name_space_(std::move(name_space)), subject_(subject), signing_keys_(std::move(signing_keys)) {}

RecordCodec& RecordCodec::operator=(RecordCodec&& other) noexcept {
  std::swap(name_space_, other.name_space_);
  std::swap(subject_, other.subject_);
  std::swap(signing_keys_, other.signing_keys_);
  return *this;
}

RecordCodec::~RecordCodec() {
  for (std::string& key : signing_keys_) OPENSSL_cleanse(key.data(), key.size());
}

std::string RecordCodec::redis_key(const KeyDigest& digest) const {
  const char* kind = subject_ == RecordSubject::key ? "keygate:v1:key:" : "keygate:v1:session:";
  return name_space_ + kind + to_hex(digest);
}

std::string RecordCodec::channel() const { return name_space_ + "keygate:v1:invalidate"; }

bool RecordCodec::is_verified(const std::string& name, std::string_view text, std::string_view signature) const {
  return std::ranges::any_of(signing_keys_, [&](const std::string& key) {
    return is_same_signature(signature_of(key, name, text), signature);
  });
}

std::optional<std::string> RecordCodec::encode(const KeyDigest& digest, const WireRecord& record) const {
  if (record.kind == Kind::valid && !is_readable(record.answer.principal, subject_)) return std::nullopt;
  if (!signing_keys_.empty() && !record.issued_at_ms) return std::nullopt;
  std::string bytes = json_of(digest, record);
  if (!signing_keys_.empty()) bytes += "\n" + signature_of(signing_keys_.front(), redis_key(digest), bytes);
  if (bytes.size() > max_size) return std::nullopt;
  return bytes;
}

Decoded RecordCodec::decode(const KeyDigest& digest, std::string_view bytes) const {
  if (bytes.size() > max_size) return RecordFlaw::malformed;
  const auto [text, signature] = split_signature(bytes);
  const auto parsed = parse_strict_json(text, max_depth);
  const json::object* object = parsed ? parsed->if_object() : nullptr;
  if (object == nullptr) return RecordFlaw::malformed;
  Members from(*object);
  if (from.integer("v", version, version) != version) return RecordFlaw::wrong_version;
  if (from.text("digest") != to_hex(digest)) return RecordFlaw::wrong_digest;

  const bool is_believed = signing_keys_.empty() || is_verified(redis_key(digest), text, signature);
  const std::string state = from.text("state");
  if (state == word_of(Kind::changed)) return tombstone(*object, Kind::changed);
  if (state == word_of(Kind::revoked)) return tombstone(*object, is_believed ? Kind::revoked : Kind::changed);
  if (state != word_of(Kind::valid)) return RecordFlaw::malformed;

  if (!is_believed) return signature.empty() ? RecordFlaw::unsigned_record : RecordFlaw::bad_signature;
  WireRecord record;
  if (!read_valid(*object, subject_, record)) return RecordFlaw::malformed;
  if (!signing_keys_.empty() && !record.issued_at_ms) return RecordFlaw::no_issue_time;
  return record;
}

std::optional<milliseconds> age_of(const WireRecord& record, milliseconds remaining_ttl, std::int64_t now_unix_ms,
                                   milliseconds own_bound) {
  const milliseconds bound = record.bound.value_or(own_bound);
  if (remaining_ttl <= milliseconds::zero() || remaining_ttl > bound) return std::nullopt;
  milliseconds age = bound - remaining_ttl;
  if (record.issued_at_ms) {
    const milliseconds since_issue(now_unix_ms - *record.issued_at_ms);
    if (since_issue < -tolerated_lead) return std::nullopt;
    age = std::max(age, since_issue);
  }
  if (age >= own_bound) return std::nullopt;
  return age;
}

}  // namespace keygate::keys
