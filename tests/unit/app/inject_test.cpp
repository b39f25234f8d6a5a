#include "app/inject.hpp"

#include "config/yaml_reader.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

namespace keygate::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

const std::string deployment = R"(# the application
apiVersion: apps/v1
kind: Deployment
metadata: {name: app, labels: {app: app}}
spec:
  replicas: 2   # for now
  template:
    metadata:
      labels:
        app: app
    spec:
      serviceAccountName: app
      containers:
        - name: app
          image: "app:1"
          env:
            - {name: A, value: 'yes'}
)";

// More of its container: it stays while the last requests come.
const std::string stays = "          lifecycle: {preStop: {sleep: {seconds: 10}}}\n";

const std::string service = "apiVersion: v1\nkind: Service\nmetadata: {name: app}\nspec: {selector: {app: app}}\n";

Injected inject(const std::string& manifests) {
  auto done = inject_sidecar(manifests, {.image = "keygate:1", .config_map = "gate"});
  if (const auto* fault = std::get_if<config::Fault>(&done)) {
    ADD_FAILURE() << fault->message;
    return {};
  }
  return std::get<Injected>(done);
}

std::string fault_of(const std::string& manifests) {
  auto done = inject_sidecar(manifests, {.image = "keygate:1"});
  const auto* fault = std::get_if<config::Fault>(&done);
  return fault != nullptr ? fault->message : "none";
}

const config::YamlNode& at(const config::YamlNode& node, const std::string& key) {
  static const config::YamlNode nothing;
  for (const auto& entry : node.entries) {
    if (entry.key == key) return *entry.value;
  }
  ADD_FAILURE() << "no " << key;
  return nothing;
}

// The names in a list of the pod of a text that is one document.
std::vector<std::string> names_in(const std::string& text, const std::string& list) {
  const auto document = config::read_yaml(text, std::make_shared<const std::string>("injected"));
  EXPECT_TRUE(document.problems.empty()) << document.problems.front().message << "\n" << text;
  std::vector<std::string> names;
  for (const auto& item : at(at(at(at(*document.root, "spec"), "template"), "spec"), list).items) {
    names.push_back(at(*item, "name").text);
  }
  return names;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t end = std::min(text.find('\n', from), text.size() - 1);
    lines.push_back(text.substr(from, end + 1 - from));
    from = end + 1;
  }
  return lines;
}

// Every line of `before` stands in `after`, in its order.
bool keeps_every_line(const std::string& before, const std::string& after) {
  const auto all = lines_of(after);
  auto from = all.begin();
  for (const std::string& line : lines_of(before)) {
    from = std::find(from, all.end(), line);
    if (from == all.end()) return false;
    ++from;
  }
  return true;
}

TEST(InjectedSidecar, StandsFirstAmongTheInitContainers) {
  const Injected done = inject(deployment);
  EXPECT_EQ(done.added, 1U);
  EXPECT_THAT(names_in(done.text, "initContainers"), ElementsAre("keygate"));
  EXPECT_THAT(names_in(done.text, "containers"), ElementsAre("app"));
  EXPECT_THAT(names_in(done.text, "volumes"), ElementsAre("keygate-config", "keygate-secrets", "keygate-run"));
  EXPECT_THAT(done.text, HasSubstr("image: keygate:1\n"));
  EXPECT_THAT(done.text, HasSubstr("configMap: {name: gate}"));
  EXPECT_THAT(done.text, HasSubstr("      annotations:\n        kubectl.kubernetes.io/default-container: app\n"));
}

TEST(InjectedSidecar, LeavesEveryLineThatWasThere) {
  EXPECT_TRUE(keeps_every_line(deployment, inject(deployment).text));
  EXPECT_FALSE(keeps_every_line(deployment, "nothing\n"));
}

TEST(InjectedSidecar, IsPutInOnce) {
  const std::string once = inject(deployment).text;
  const Injected twice = inject(once);
  EXPECT_EQ(twice.text, once);
  EXPECT_EQ(twice.added, 0U);
  EXPECT_EQ(twice.had_it, 1U);
}

TEST(InjectedSidecar, GoesBeforeOthersInListsThatAreThere) {
  const Injected done = inject(
      "kind: StatefulSet\nspec:\n  template:\n    metadata:\n      annotations:\n        a: b\n    spec:\n"
      "      initContainers:\n      # migrates\n      - name: migrate\n        image: m\n"
      "      volumes:\n        -\n          name: data\n          emptyDir: {}\n      containers:\n      - name: "
      "app\n");
  EXPECT_THAT(names_in(done.text, "initContainers"), ElementsAre("keygate", "migrate"));
  EXPECT_THAT(names_in(done.text, "volumes"), ElementsAre("keygate-config", "keygate-secrets", "keygate-run", "data"));
  EXPECT_THAT(done.text, HasSubstr("        kubectl.kubernetes.io/default-container: app\n        a: b\n"));
}

TEST(InjectedSidecar, IsForWorkloadsOfAFileWithOthers) {
  const std::string all = "---\n" + service + "---\n" + deployment + "--- # the last\n" + service;
  const Injected done = inject(all);
  EXPECT_EQ(done.added, 1U);
  EXPECT_EQ(done.text, "---\n" + service + "---\n" + inject(deployment).text + "--- # the last\n" + service);
}

TEST(InjectedSidecar, KeepsWhatIsNoWorkloadAsItIs) {
  for (const std::string& text :
       {service, std::string(), std::string("# nothing\n"), service + "---", std::string("a: b")}) {
    const Injected done = inject(text);
    EXPECT_EQ(done.text, text);
    EXPECT_EQ(done.added + done.had_it, 0U);
  }
}

TEST(InjectedSidecar, HasTheLineEndsOfItsNeighbours) {
  std::string windows;
  for (const char c : deployment) windows += c == '\n' ? "\r\n" : std::string(1, c);
  const std::string done = inject(windows).text;
  EXPECT_EQ(std::count(done.begin(), done.end(), '\r'), std::count(done.begin(), done.end(), '\n'));
  EXPECT_THAT(names_in(done, "initContainers"), ElementsAre("keygate"));
}

TEST(InjectedSidecar, SaysWhatIsYetToBeSeenTo) {
  const Injected done = inject(deployment + stays + "          ports: [{containerPort: 3000}]\n");
  ASSERT_EQ(done.notes.size(), 1U);
  EXPECT_THAT(done.notes.front(), HasSubstr("listen on 127.0.0.1"));
  EXPECT_TRUE(inject(deployment + stays).notes.empty());
  EXPECT_THAT(inject(deployment).notes, ElementsAre(HasSubstr("the container app has no preStop")));
}

// A kubelet asks the pod's address, and the application is on loopback.
TEST(InjectedSidecar, SaysHowProbesReachTheApplication) {
  const Injected done = inject(deployment + stays +
                               "          readinessProbe: {httpGet: {path: /healthz, port: 3000}}\n"
                               "          livenessProbe: {httpGet: {port: http}}\n");
  EXPECT_THAT(done.notes, ElementsAre(HasSubstr("health: {address: 0.0.0.0:9901, forward: {"
                                                "/app-health/app/ready: {upstream: default, path: '/healthz'}, "
                                                "/app-health/app/live: {upstream: default, path: '/'}}}")));
  EXPECT_THAT(inject(deployment + stays + "          startupProbe: {tcpSocket: {port: 3000}}\n").notes,
              ElementsAre(HasSubstr("its startupProbe comes from outside")));
  EXPECT_TRUE(inject(deployment + stays +
                     "          readinessProbe: {httpGet: {path: /app-health/app/ready, port: 9901}}\n"
                     "          livenessProbe: {exec: {command: [/app/alive]}}\n")
                  .notes.empty());
}

TEST(InjectedSidecar, NeedsNoPlaceForItsAnnotation) {
  const Injected done = inject(
      "kind: Deployment\nspec:\n  template:\n    metadata: {labels: {app: app}}\n    spec:\n"
      "      containers:\n        - name: app\n");
  EXPECT_THAT(names_in(done.text, "initContainers"), ElementsAre("keygate"));
  EXPECT_THAT(done.text, Not(HasSubstr("default-container")));
}

TEST(InjectedSidecar, IsRefusedWhereNoLineCanBePut) {
  EXPECT_THAT(fault_of("kind: Deployment\nspec: {template: {spec: {containers: [{name: app}]}}}\n"),
              HasSubstr("line 2: \"containers\" is written in flow style"));
  EXPECT_THAT(fault_of("{\"kind\": \"Deployment\", \"spec\": {\"template\": {\"spec\": {\"containers\": []}}}}"),
              HasSubstr("flow style"));
  EXPECT_THAT(fault_of("kind: Deployment\nspec:\n  template:\n    spec:\n      volumes: [{name: a}]\n"
                       "      containers:\n        - name: app\n"),
              HasSubstr("line 5: \"volumes\" is not a list with a line for each item"));
  EXPECT_THAT(fault_of("{\n  \"kind\": \"Deployment\",\n  \"spec\": {\n    \"template\": {\n      \"spec\": {\n"
                       "        \"containers\": [\n          {\n            \"name\": \"app\"\n          }\n        ]\n"
                       "      }\n    }\n  }\n}\n"),
              HasSubstr("line 1: no lines can be put into this one: it is JSON"));
  EXPECT_THAT(fault_of(service + "--- {kind: Deployment}\n"), HasSubstr("a document begins beside its ---"));
  EXPECT_THAT(fault_of("kind: List\nitems:\n  - kind: Deployment\n"), HasSubstr("a list of objects"));
  EXPECT_THAT(fault_of("kind: DaemonSet\nspec: {}\n"), HasSubstr("without spec.template.spec.containers"));
  EXPECT_THAT(fault_of(service + "---\nkind: Deployment\nkind: Deployment\n"), HasSubstr("line 7: "));
}

}  // namespace
}  // namespace keygate::app
