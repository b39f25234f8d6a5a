#include "tests/support/scenario.hpp"

#include <boost/json.hpp>

#include <algorithm>

namespace keygate::test {
namespace {

constexpr std::string_view good_first = "GET /public/first HTTP/1.1\r\nHost: api.local\r\n\r\n";

bool is_one_of(std::string_view code, std::string_view codes) {
  return ("|" + std::string(codes) + "|").find("|" + std::string(code) + "|") != std::string::npos;
}

bool is_head(std::string_view request) { return request.starts_with("HEAD "); }

void expect_challenge(const Response& response, std::string_view code) {
  const std::string challenge = response.fields["www-authenticate"];
  if (response.status == 401) {
    EXPECT_TRUE(challenge.starts_with("Bearer realm=\"keygate\"")) << challenge;
    EXPECT_EQ(challenge.find("error=\"invalid_token\"") == std::string::npos, code == "missing_credential")
        << challenge;
  } else if (code == "insufficient_scope") {
    EXPECT_NE(challenge.find("error=\"insufficient_scope\""), std::string::npos) << challenge;
    EXPECT_NE(challenge.find("scope=\""), std::string::npos) << challenge;
  }
}

}  // namespace

std::string request_to(std::string_view target, std::string_view fields, std::string_view method) {
  return std::string(method) + " " + std::string(target) + " HTTP/1.1\r\nHost: api.local\r\n" + std::string(fields) +
         "\r\n";
}

std::string request_with_body(std::string_view target, std::string_view body, std::string_view fields,
                              std::string_view method) {
  return request_to(target, "Content-Length: " + std::to_string(body.size()) + "\r\n" + std::string(fields), method) +
         std::string(body);
}

std::string shown(std::string_view bytes) {
  std::string text;
  const auto add = [&](std::string_view piece) {
    for (const char c : piece) {
      if (c == '\r') {
        text += "\\r";
      } else if (c == '\n') {
        text += "\\n";
      } else if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7e) {
        constexpr char digits[] = "0123456789abcdef";
        text += "\\x";
        text += digits[static_cast<unsigned char>(c) >> 4];
        text += digits[static_cast<unsigned char>(c) & 15];
      } else {
        text += c;
      }
    }
  };
  if (bytes.size() <= 600) {
    add(bytes);
  } else {
    add(bytes.substr(0, 400));
    text += " … (" + std::to_string(bytes.size()) + " bytes) … ";
    add(bytes.substr(bytes.size() - 150));
  }
  return text;
}

void expect_problem(const Response& response, int status, std::string_view codes) {
  EXPECT_EQ(response.status, status) << response.body;
  EXPECT_EQ(response.fields["content-type"], "application/problem+json");
  EXPECT_TRUE(response.fields.lists("cache-control", "no-store")) << response.fields["cache-control"];
  boost::json::error_code error;
  const boost::json::value parsed = boost::json::parse(response.body, error);
  if (error || !parsed.is_object()) {
    ADD_FAILURE() << "not a problem document: " << shown(response.body);
    return;
  }
  const boost::json::object& problem = parsed.as_object();
  const std::string code = text_of(problem, "code");
  if (!codes.empty()) {
    EXPECT_TRUE(is_one_of(code, codes)) << "code " << code << " instead of " << codes;
  }
  EXPECT_EQ(text_of(problem, "type"), "urn:keygate:error:" + code);
  EXPECT_EQ(text_of(problem, "status"), std::to_string(response.status));
  for (const char* member : {"title", "detail", "request_id"}) {
    EXPECT_FALSE(text_of(problem, member).empty()) << "no " << member << " in " << response.body;
  }
  EXPECT_EQ(response.body.find("127.0.0.1"), std::string::npos) << "an internal address in " << response.body;
  expect_challenge(response, code);
  if (response.status == 405) {
    EXPECT_TRUE(response.fields.has("allow"));
  }
  if (response.status >= 500) {
    EXPECT_NE(response.fields["proxy-status"].find("error="), std::string::npos) << response.fields["proxy-status"];
  }
  if (response.status == 503) {
    EXPECT_TRUE(response.fields.has("retry-after"));
  }
}

void Scenario::start(Config config) {
  k1 = keygate.create_key();
  ka = keygate.create_key({.organization = "org_a", .scopes = "admin"});
  kr = keygate.create_key();
  keygate.revoke_key(kr.id);
  start_without_keys(std::move(config));
}

void Scenario::start_without_keys(Config config) {
  if (config.upstream_port == 0) {
    config.upstream_port = upstream.port();
  }
  keygate.start(std::move(config));
}

void Scenario::TearDown() {
  if (keygate.is_running()) {
    keygate.stop();
  }
  expect_no_key_leaked();
}

void Scenario::expect_no_key_leaked() {
  EXPECT_FALSE(keygate.is_key_in(keygate.output())) << "a key in the access log:\n" << keygate.output();
  EXPECT_FALSE(keygate.is_key_in(keygate.errors())) << "a key on stderr:\n" << keygate.errors();
  if (!may_upstream_see_keys) {
    EXPECT_FALSE(keygate.is_key_in(upstream.everything())) << "a key at the upstream";
  }
}

void Scenario::expect_denied(std::string_view request, const Denial& denial, Delivery delivery) {
  SCOPED_TRACE(shown(request) + (delivery == Delivery::split       ? " [split]"
                                 : delivery == Delivery::pipelined ? " [pipelined]"
                                                                   : ""));
  upstream.forget();
  try {
    RawClient client = keygate.connect();
    if (delivery == Delivery::split) {
      client.send_split(request);
    } else if (delivery == Delivery::pipelined) {
      client.send(std::string(good_first) + std::string(request));
      EXPECT_EQ(client.read_response().status, 200) << "the granted request before it";
    } else {
      client.send(request);
    }
    const Response response = client.read_response(is_head(request) ? AnswerTo::head : AnswerTo::get);
    if (is_head(request)) {
      EXPECT_EQ(response.status, denial.status);
    } else {
      expect_problem(response, denial.status, denial.code);
    }
    EXPECT_TRUE(response.interim.empty()) << "an interim answer before a denial";
    if (denial.ending == Ending::closed) {
      EXPECT_TRUE(response.fields.lists("connection", "close")) << "does not say that it closes";
      EXPECT_TRUE(client.is_ended(std::chrono::seconds(5))) << "stays open, or goes on: " << shown(client.unread());
    } else if (denial.ending == Ending::open) {
      upstream.forget();
      EXPECT_EQ(client.ask(request_to("/public/after")).status, 200) << "the next request on the connection";
      EXPECT_EQ(upstream.only_request().target, "/public/after");
      upstream.forget();
    }
    EXPECT_FALSE(keygate.is_key_in(client.received())) << "the key comes back: " << shown(client.received());
  } catch (const std::exception& failure) {
    ADD_FAILURE() << failure.what();
  }
  if (delivery == Delivery::pipelined) {
    EXPECT_EQ(upstream.only_request().target, "/public/first");
  } else {
    EXPECT_EQ(upstream.bytes(), "") << "a denied request reached the upstream";
  }
  upstream.forget();
}

Request Scenario::expect_granted(std::string_view request, int status) {
  SCOPED_TRACE(shown(request));
  upstream.forget();
  try {
    RawClient client = keygate.connect();
    const Response response = client.ask(request, is_head(request) ? AnswerTo::head : AnswerTo::get);
    EXPECT_EQ(response.status, status) << response.body;
    EXPECT_FALSE(keygate.is_key_in(client.received())) << "the key comes back: " << shown(client.received());
    return upstream.only_request();
  } catch (const std::exception& failure) {
    ADD_FAILURE() << failure.what();
    return {};
  }
}

}  // namespace keygate::test
