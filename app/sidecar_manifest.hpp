// What `keygate inject` puts into a pod. @IMAGE@ and @CONFIG_MAP@ stand for what its options say.
#pragma once

#include <string_view>

namespace keygate::app {

// The same as deploy/kubernetes/sidecar, and held against it by deploy/kubernetes/try.
inline constexpr std::string_view sidecar = R"(- name: keygate
  image: @IMAGE@
  restartPolicy: Always
  args: [run, -c, /etc/keygate/keygate.yaml]
  ports:
    - {name: keygate, containerPort: 8080}
    - {name: keygate-health, containerPort: 9901}
  startupProbe:
    httpGet: {path: /readyz, port: keygate-health}
    periodSeconds: 1
    failureThreshold: 30
  readinessProbe:
    httpGet: {path: /readyz, port: keygate-health}
    periodSeconds: 5
  livenessProbe:
    httpGet: {path: /livez, port: keygate-health}
    periodSeconds: 10
    failureThreshold: 3
  lifecycle:
    preStop:
      exec: {command: [/usr/bin/keygate, drain, -c, /etc/keygate/keygate.yaml, --wait, 10s]}
  resources:
    requests: {cpu: 50m, memory: 32Mi}
    limits: {memory: 256Mi}
  securityContext:
    runAsNonRoot: true
    runAsUser: 65532
    runAsGroup: 65532
    allowPrivilegeEscalation: false
    readOnlyRootFilesystem: true
    capabilities: {drop: [ALL]}
    seccompProfile: {type: RuntimeDefault}
  volumeMounts:
    - {name: keygate-config, mountPath: /etc/keygate, readOnly: true}
    - {name: keygate-secrets, mountPath: /run/secrets/keygate, readOnly: true}
    - {name: keygate-run, mountPath: /run/keygate}
)";

inline constexpr std::string_view config_volume = "- {name: keygate-config, configMap: {name: @CONFIG_MAP@}}\n";
inline constexpr std::string_view secrets_volume =
    "- {name: keygate-secrets, secret: {secretName: @CONFIG_MAP@, optional: true}}\n";
inline constexpr std::string_view run_volume = "- {name: keygate-run, emptyDir: {medium: Memory, sizeLimit: 1Mi}}\n";

}  // namespace keygate::app
