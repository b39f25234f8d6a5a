#include "keys/key_record.hpp"

#include "keys/record_signature.hpp"

#include <gtest/gtest.h>

#include <random>

namespace keygate::keys {
namespace {

using namespace std::chrono_literals;
using Kind = WireRecord::Kind;
using std::chrono::milliseconds;

constexpr std::int64_t now_ms = 1'750'000'000'123;
const KeyDigest digest = *digest_from_hex("00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff");
const KeyDigest another = *digest_from_hex("ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff");
const std::string hex = to_hex(digest);

RecordCodec plain(RecordSubject subject = RecordSubject::key) { return {"", subject, {}}; }
RecordCodec signing(std::vector<std::string> keys = {"the first key"}) {
  return {"blue:", RecordSubject::key, std::move(keys)};
}

WireRecord record_of_ada() {
  WireRecord record;
  record.answer.state = policy::KeyAnswer::State::valid;
  record.answer.principal = {
      "key_1", "org_1", "ada@example.com", policy::Environment::live, {"projects:read", "a:*", "*"}, 1'760'000'000};
  record.issued_at_ms = now_ms;
  record.bound = 60s;
  return record;
}

WireRecord tombstone(Kind kind) {
  WireRecord record;
  record.kind = kind;
  record.issued_at_ms = now_ms;
  return record;
}

void expect_equal(const policy::Principal& a, const policy::Principal& b) {
  EXPECT_EQ(a.key_id, b.key_id);
  EXPECT_EQ(a.organization, b.organization);
  EXPECT_EQ(a.user, b.user);
  EXPECT_EQ(a.environment, b.environment);
  EXPECT_EQ(a.granted, b.granted);
  EXPECT_EQ(a.expires_at, b.expires_at);
}

// "valid", "revoked", "changed", or the flaw's name.
std::string what(const Decoded& decoded) {
  if (const auto* flaw = std::get_if<RecordFlaw>(&decoded)) return std::string(to_string(*flaw));
  switch (std::get<WireRecord>(decoded).kind) {
    case Kind::valid:
      return "valid";
    case Kind::revoked:
      return "revoked";
    case Kind::changed:
      return "changed";
  }
  return "";
}

TEST(KeyRecord, IsWrittenAsTheContractSays) {
  EXPECT_EQ(*plain().encode(digest, record_of_ada()),
            R"({"v":1,"digest":")" + hex +
                R"(","state":"valid","key_id":"key_1","organization_id":"org_1","user_id":"ada@example.com",)"
                R"("scopes":["projects:read","a:*","*"],"environment":"live","expires_at":1760000000,)"
                R"("issued_at":1750000000123,"bound":60000})");
  EXPECT_EQ(*plain().encode(digest, tombstone(Kind::revoked)),
            R"({"v":1,"digest":")" + hex + R"(","state":"revoked","issued_at":1750000000123})");
}

TEST(KeyRecord, NamesAKeyAndASessionApart) {
  EXPECT_EQ(plain().redis_key(digest), "keygate:v1:key:" + hex);
  EXPECT_EQ(plain(RecordSubject::session).redis_key(digest), "keygate:v1:session:" + hex);
  EXPECT_EQ(signing().redis_key(digest), "blue:keygate:v1:key:" + hex);
  EXPECT_EQ(signing().channel(), "blue:keygate:v1:invalidate");
}

TEST(KeyRecord, ComesBackAsItWent) {
  for (const RecordCodec& codec : {plain(), signing()}) {
    const Decoded decoded = codec.decode(digest, *codec.encode(digest, record_of_ada()));
    ASSERT_EQ(what(decoded), "valid");
    const auto& record = std::get<WireRecord>(decoded);
    expect_equal(record.answer.principal, record_of_ada().answer.principal);
    EXPECT_EQ(record.answer.state, policy::KeyAnswer::State::valid);
    EXPECT_EQ(record.issued_at_ms, now_ms);
    EXPECT_EQ(record.bound, 60s);
    for (const Kind kind : {Kind::revoked, Kind::changed}) {
      EXPECT_EQ(std::get<WireRecord>(codec.decode(digest, *codec.encode(digest, tombstone(kind)))).kind, kind);
    }
  }
}

TEST(KeyRecord, IsNotWrittenWhereNobodyCouldReadIt) {
  WireRecord without_organization = record_of_ada();
  without_organization.answer.principal.organization.clear();
  EXPECT_FALSE(plain().encode(digest, without_organization));
  EXPECT_TRUE(plain(RecordSubject::session).encode(digest, without_organization)) << "a session needs a user only";

  WireRecord with_line_break = record_of_ada();
  with_line_break.answer.principal.user = "ada\r\nX-Org-Id: other";
  EXPECT_FALSE(plain().encode(digest, with_line_break));

  WireRecord with_many_scopes = record_of_ada();
  with_many_scopes.answer.principal.granted.assign(257, "projects:read");
  EXPECT_FALSE(plain().encode(digest, with_many_scopes));

  WireRecord without_issue_time = record_of_ada();
  without_issue_time.issued_at_ms.reset();
  EXPECT_TRUE(plain().encode(digest, without_issue_time));
  EXPECT_FALSE(signing().encode(digest, without_issue_time));
}

struct Row {
  std::string name;
  std::string members;  // behind "v" and "digest"
  std::string expected;
};

class ForeignRecord : public testing::TestWithParam<Row> {};

TEST_P(ForeignRecord, F12_IsBelievedToTheLetterOrNotAtAll) {
  EXPECT_EQ(what(plain().decode(digest, R"({"v":1,"digest":")" + hex + "\"" + GetParam().members + "}")),
            GetParam().expected);
}

std::string many_scopes(std::size_t count) {
  std::string text = R"(,"state":"valid","key_id":"k","organization_id":"o","scopes":[)";
  for (std::size_t i = 0; i < count; ++i) text += (i == 0 ? "\"s:" : ",\"s:") + std::to_string(i) + "\"";
  return text + "]";
}

std::string valid(const std::string& more) {
  return R"(,"state":"valid","key_id":"k","organization_id":"o","scopes":["s"])" + more;
}

INSTANTIATE_TEST_SUITE_P(
    Members, ForeignRecord,
    testing::Values(
        Row{"Least", valid(""), "valid"},                                                                           //
        Row{"NoScopes", R"(,"state":"valid","key_id":"k","organization_id":"o","scopes":[])", "valid"},             //
        Row{"ScopesAbsent", R"(,"state":"valid","key_id":"k","organization_id":"o")", "malformed"},                 //
        Row{"ScopesAsText", R"(,"state":"valid","key_id":"k","organization_id":"o","scopes":"s t")", "malformed"},  //
        Row{"ScopeAsNumber", R"(,"state":"valid","key_id":"k","organization_id":"o","scopes":[1])", "malformed"},   //
        Row{"ScopeWithBlank", R"(,"state":"valid","key_id":"k","organization_id":"o","scopes":["a b"])", "malformed"},
        Row{"ScopesAtTheLimit", many_scopes(256), "valid"},                                                   //
        Row{"C14TooManyScopes", many_scopes(257), "malformed"},                                               //
        Row{"NoKeyId", R"(,"state":"valid","organization_id":"o","scopes":["s"])", "malformed"},              //
        Row{"EmptyKeyId", R"(,"state":"valid","key_id":"","organization_id":"o","scopes":[])", "malformed"},  //
        Row{"NoOrganization", R"(,"state":"valid","key_id":"k","scopes":["s"])", "malformed"},                //
        Row{"OrganizationNull", R"(,"state":"valid","key_id":"k","organization_id":null,"scopes":[])", "malformed"},
        Row{"OrganizationNumber", R"(,"state":"valid","key_id":"k","organization_id":1,"scopes":[])", "malformed"},
        Row{"LineBreakInUser", valid(R"(,"user_id":"a\r\nX: y")"), "malformed"},  //
        Row{"NulInUser", valid(R"(,"user_id":"a\u0000")"), "malformed"},          //
        Row{"LongUser", valid(",\"user_id\":\"" + std::string(129, 'a') + "\""), "malformed"},
        Row{"Environment", valid(R"(,"environment":"test")"), "valid"},                   //
        Row{"UnknownEnvironment", valid(R"(,"environment":"production")"), "malformed"},  //
        Row{"ExpiryAsText", valid(R"(,"expires_at":"1760000000")"), "malformed"},         //
        Row{"ExpiryAsFraction", valid(R"(,"expires_at":1.5)"), "malformed"},              //
        Row{"ExpiryInExponent", valid(R"(,"expires_at":1e9)"), "malformed"},              //
        Row{"ExpiryBeyond64Bits", valid(R"(,"expires_at":9223372036854775808)"), "malformed"},
        Row{"NegativeExpiry", valid(R"(,"expires_at":-1)"), "malformed"},                 //
        Row{"IssueTimeAsText", valid(R"(,"issued_at":"1")"), "malformed"},                //
        Row{"HugeIssueTime", valid(R"(,"issued_at":9223372036854775807)"), "malformed"},  //
        Row{"BoundOfADay", valid(R"(,"bound":86400000)"), "valid"},                       //
        Row{"BoundOverADay", valid(R"(,"bound":86400001)"), "malformed"},                 //
        Row{"NoBoundAtAll", valid(R"(,"bound":0)"), "malformed"},                         //
        Row{"AddressBlocks", valid(R"(,"allowed_cidrs":["10.0.0.0/8","::1"])"), "valid"},
        Row{"AddressBlockThatIsNone", valid(R"(,"allowed_cidrs":["10.0.0.0/8","here"])"), "malformed"},
        Row{"NoAddressBlockAtAll", valid(R"(,"allowed_cidrs":[])"), "malformed"},
        Row{"RateLimit", valid(R"(,"rate_limit":{"limit":600,"window":"1m"})"), "valid"},
        Row{"RateLimitWithoutWindow", valid(R"(,"rate_limit":{"limit":600})"), "malformed"},
        Row{"RestrictionItCannotEnforce", valid(R"(,"allowed_hours":["9-17"])"), "malformed"},
        Row{"UnknownMember", valid(R"(,"admin":true)"), "malformed"},                       //
        Row{"DuplicateMember", valid(R"(,"organization_id":"other")"), "malformed"},        //
        Row{"DuplicateVersion", valid(R"(,"v":1)"), "malformed"},                           //
        Row{"NoState", R"(,"key_id":"k","organization_id":"o","scopes":[])", "malformed"},  //
        Row{"UnknownState", R"(,"state":"active")", "malformed"},                           //
        Row{"StateAsBoolean", R"(,"state":true)", "malformed"},                             //
        Row{"Revoked", R"(,"state":"revoked")", "revoked"},                                 //
        Row{"Changed", R"(,"state":"changed")", "changed"},                                 //
        Row{"RevokedSayingMore", R"(,"state":"revoked","by":{"user":"ada"},"bound":"x")", "revoked"}),
    [](const auto& row) { return row.param.name; });

TEST(KeyRecord, F12_IsAMissWhereItIsNoRecord) {
  const RecordCodec codec = plain();
  for (const std::string bytes : {"", "1", "null", "[]", "{}", "{", "\x80\x04\x95", "<html>"}) {
    EXPECT_TRUE(std::holds_alternative<RecordFlaw>(codec.decode(digest, bytes))) << bytes;
  }
  EXPECT_EQ(what(codec.decode(digest, R"({"v":2,"digest":")" + hex + R"(","state":"revoked"})")), "wrong_version");
  EXPECT_EQ(what(codec.decode(digest, R"({"digest":")" + hex + R"(","state":"revoked"})")), "wrong_version");
  EXPECT_EQ(what(codec.decode(digest, std::string(RecordCodec::max_size + 1, ' '))), "malformed");
  EXPECT_EQ(what(codec.decode(digest, *codec.encode(digest, record_of_ada()) + "\nmore")), "malformed");
}

TEST(KeyRecord, C07_OfAnotherKeyIsAMiss) {
  const RecordCodec codec = plain();
  EXPECT_EQ(what(codec.decode(digest, *codec.encode(another, record_of_ada()))), "wrong_digest");
}

TEST(KeyRecord, C07_OfAnotherNameDoesNotVerify) {
  const RecordCodec of_sessions("blue:", RecordSubject::session, {"the first key"});
  const RecordCodec of_another_space("green:", RecordSubject::key, {"the first key"});
  const std::string bytes = *signing().encode(digest, record_of_ada());
  EXPECT_EQ(what(of_sessions.decode(digest, bytes)), "bad_signature");
  EXPECT_EQ(what(of_another_space.decode(digest, bytes)), "bad_signature");
}

TEST(KeyRecord, C07_UnsignedIsAMissWhereRecordsAreSigned) {
  const std::string bytes = *plain().encode(digest, record_of_ada());
  EXPECT_EQ(what(signing().decode(digest, bytes)), "unsigned_record");
  EXPECT_EQ(what(signing().decode(digest, bytes + "\n" + std::string(64, '0'))), "bad_signature");
  EXPECT_EQ(what(signing({"another key"}).decode(digest, *signing().encode(digest, record_of_ada()))), "bad_signature");
}

TEST(KeyRecord, C07_SignedWithoutAnIssueTimeIsAMiss) {
  const std::string json =
      R"({"v":1,"digest":")" + hex + R"(","state":"valid","key_id":"k","organization_id":"o",)" + R"("scopes":[]})";
  const std::string name = signing().redis_key(digest);
  EXPECT_EQ(what(signing().decode(digest, json + "\n" + signature_of("the first key", name, json))), "no_issue_time");
}

TEST(KeyRecord, EachSigningKeyVerifiesAndTheFirstSigns) {
  const RecordCodec old_one = signing({"old"}), new_one = signing({"new"}), both = signing({"new", "old"});
  EXPECT_EQ(what(both.decode(digest, *old_one.encode(digest, record_of_ada()))), "valid");
  EXPECT_EQ(what(new_one.decode(digest, *both.encode(digest, record_of_ada()))), "valid");
  EXPECT_EQ(what(old_one.decode(digest, *both.encode(digest, record_of_ada()))), "bad_signature");
}

TEST(KeyRecord, ATombstoneThatDoesNotVerifyCountsAsChanged) {
  EXPECT_EQ(what(signing().decode(digest, *plain().encode(digest, tombstone(Kind::revoked)))), "changed");
  EXPECT_EQ(what(signing().decode(digest, *plain().encode(digest, tombstone(Kind::changed)))), "changed");
  EXPECT_EQ(what(signing().decode(digest, *signing().encode(digest, tombstone(Kind::revoked)))), "revoked");
}

TEST(KeyRecord, ASignatureIsNotLookedAtWhereNothingIsSigned) {
  const std::string bytes = *plain().encode(digest, record_of_ada());
  EXPECT_EQ(what(plain().decode(digest, bytes + "\n" + std::string(64, 'a'))), "valid");
  EXPECT_EQ(what(plain().decode(digest, bytes + "\n" + std::string(63, 'a'))), "malformed");
  EXPECT_EQ(what(plain().decode(digest, bytes + "\n" + std::string(64, 'A'))), "malformed");
}

TEST(KeyRecord, C07_NoFlippedBitOfASignedRecordIsBelieved) {
  const std::string bytes = *signing().encode(digest, record_of_ada());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = bytes;
      flipped[i] = static_cast<char>(flipped[i] ^ (1 << bit));
      EXPECT_NE(what(signing().decode(digest, flipped)), "valid") << "bit " << bit << " of byte " << i;
    }
  }
}

TEST(KeyRecord, F12_NoiseNeitherCrashesNorPasses) {
  std::mt19937 random(7);
  const RecordCodec codec = plain();
  const std::string bytes = *codec.encode(digest, record_of_ada());
  for (int round = 0; round < 20'000; ++round) {
    std::string noisy = bytes;
    for (int edits = 1 + static_cast<int>(random() % 4); edits > 0; --edits) {
      const std::size_t at = random() % noisy.size();
      if (random() % 2 == 0) {
        noisy[at] = static_cast<char>(random());
      } else {
        noisy.erase(at, 1 + random() % 8);
      }
    }
    const Decoded decoded = codec.decode(digest, noisy);
    if (const auto* record = std::get_if<WireRecord>(&decoded); record != nullptr && record->kind == Kind::valid) {
      EXPECT_TRUE(policy::is_presentable(record->answer.principal)) << noisy;
    }
  }
}

}  // namespace
}  // namespace keygate::keys
