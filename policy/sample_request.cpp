#include "policy/sample_request.hpp"

#include <algorithm>
#include <variant>

namespace keygate::policy {
namespace {

using Kind = PathTemplate::Segment::Kind;

constexpr Method forwarded[] = {Method::get,   Method::head,    Method::post,   Method::put,
                                Method::patch, Method::delete_, Method::options};

bool is_in(const Policy& policy, const std::string& word) {
  return std::ranges::any_of(policy.criteria, [&](const RouteTable::Entry& entry) {
    return std::ranges::any_of(entry.path.segments, [&](const auto& segment) { return segment.text == word; }) ||
           std::ranges::any_of(entry.hosts,
                               [&](const HostPattern& host) { return host.name.find(word) != host.name.npos; });
  });
}

std::vector<std::string> hosts_of(const RouteTable::Entry& entry, const std::string& word) {
  std::vector<std::string> hosts;
  for (const HostPattern& host : entry.hosts) hosts.push_back(host.is_wildcard ? word + '.' + host.name : host.name);
  if (hosts.empty()) hosts.push_back(word);
  return hosts;
}

std::vector<std::string> paths_of(const RouteTable::Entry& entry, const SampleWord& word) {
  std::string path;
  bool has_rest = false;
  for (const auto& segment : entry.path.segments) {
    has_rest = segment.kind == Kind::rest;
    if (!has_rest) path += '/' + (segment.kind == Kind::literal ? segment.text : word.text());
  }
  std::vector<std::string> paths{path.empty() ? "/" : path};
  if (!has_rest) return paths;
  for (std::size_t size = entry.path.segments.size(); size <= word.depth() + 1; ++size) {
    path += '/' + word.text();
    paths.push_back(path);
  }
  return paths;
}

}  // namespace

SampleWord::SampleWord(const Policy& policy) {
  for (int number = 1; is_in(policy, text_); ++number) text_ = "sample-" + std::to_string(number);
  for (const RouteTable::Entry& entry : policy.criteria) depth_ = std::max(depth_, entry.path.segments.size());
}

std::vector<SampleRequest> sample_requests(const RouteTable::Entry& entry, const SampleWord& word) {
  std::vector<HeaderField> headers;
  for (const HeaderCondition& condition : entry.headers) headers.push_back({condition.name, condition.value});
  std::vector<SampleRequest> samples;
  for (const std::string& path : paths_of(entry, word)) {
    for (std::string& host : hosts_of(entry, word.text())) samples.push_back({std::move(host), path, headers});
  }
  return samples;
}

const Route* governing(const Policy& policy, const SampleRequest& sample, Method method) {
  std::string room = sample.path;
  const auto parsed = RequestTarget::parse(room, policy.paths);
  const auto* const target = std::get_if<RequestTarget>(&parsed);
  if (target == nullptr) return nullptr;
  return policy.table.match({sample.host, method, target, sample.headers});
}

std::vector<Method> methods_of(const RouteTable::Entry& entry) {
  std::vector<Method> methods;
  for (const Method method : forwarded) {
    const bool is_head_by_get = method == Method::head && entry.methods.has(Method::get);
    if (entry.methods.empty() || entry.methods.has(method) || is_head_by_get) methods.push_back(method);
  }
  return methods;
}

}  // namespace keygate::policy
