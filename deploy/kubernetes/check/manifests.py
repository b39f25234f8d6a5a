#!/usr/bin/env python3
"""Are these manifests what Kubernetes takes, and what Keygate promises of them?

usage: manifests.py NODE_MODULES FILE…   (FILE: rendered YAML, several documents)

Each document is made a constant of its Kubernetes type and given to the TypeScript compiler, which refuses unknown fields,
missing ones and wrong types. Then the promises: restricted Pod Security, references that lead somewhere, probes on ports that
exist, Services that lead to Keygate.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

import yaml

MODULES = {"v1": "kubernetes-types/core/v1", "apps/v1": "kubernetes-types/apps/v1",
           "networking.k8s.io/v1": "kubernetes-types/networking/v1", "policy/v1": "kubernetes-types/policy/v1",
           "autoscaling/v2": "kubernetes-types/autoscaling/v2",
           "monitoring.coreos.com/v1": "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1"}

HEALTH_PORT = 9901


class UniqueKeys(yaml.SafeLoader):
    """YAML in which a key that stands twice is a fault."""

    def construct_mapping(self, node, deep=False):
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        if len(keys) != len(set(keys)):
            raise yaml.constructor.ConstructorError(None, None, "a key stands twice", node.start_mark)
        return super().construct_mapping(node, deep)


def compile_types(modules, files):
    with tempfile.TemporaryDirectory() as folder:
        where = pathlib.Path(folder)
        (where / "node_modules").symlink_to(pathlib.Path(modules).resolve())
        for number, (name, documents) in enumerate(files.items()):
            lines = [f"// {name}"]
            for index, document in enumerate(documents):
                kind, version = document["kind"], document["apiVersion"]
                type_name = "I" + kind if version.startswith("monitoring") else kind
                lines += [f'import type {{ {type_name} as T{index} }} from "{MODULES[version]}";',
                          f"export const d{index}: T{index} = {json.dumps(document, indent=1)};"]
            (where / f"manifests{number}.ts").write_text("\n".join(lines))
        compiler = pathlib.Path(modules) / "typescript" / "bin" / "tsc"
        (where / "tsconfig.json").write_text(json.dumps({
            "compilerOptions": {"noEmit": True, "strict": True, "skipLibCheck": True, "target": "es2022", "types": [],
                                "moduleResolution": "node"},
            "files": [f"manifests{number}.ts" for number in range(len(files))]}))
        done = subprocess.run(["node", str(compiler.resolve()), "-p", folder], capture_output=True, text=True)
        return [] if done.returncode == 0 else done.stdout.strip().splitlines() or [done.stderr.strip()]


def restricted(pod, where):
    """What the Pod Security standard "restricted" asks of each container, and Keygate of its own."""
    for container in pod.get("initContainers", []) + pod["containers"]:
        said = container.get("securityContext", {})
        name = f"{where}: {container['name']}"
        if not said.get("runAsNonRoot") or said.get("runAsUser", 0) == 0:
            yield f"{name} may run as root"
        if said.get("allowPrivilegeEscalation") is not False:
            yield f"{name} may gain privileges"
        if said.get("capabilities", {}).get("drop") != ["ALL"] or said["capabilities"].get("add"):
            yield f"{name} has capabilities"
        if said.get("seccompProfile", {}).get("type") != "RuntimeDefault":
            yield f"{name} has no seccomp profile"
        if container["name"] == "keygate" and not said.get("readOnlyRootFilesystem"):
            yield f"{name} may write its root"
    if pod.get("automountServiceAccountToken") is not False:
        yield f"{where} mounts a token of the cluster"
    for volume in pod.get("volumes", []):
        if "hostPath" in volume:
            yield f"{where} mounts the host's {volume['name']}"


def ports_of(pod):
    ports = [port for c in pod.get("initContainers", []) + pod["containers"] for port in c.get("ports", [])]
    return [port["name"] for port in ports], [port["containerPort"] for port in ports]


def forwarded_probes(documents, pod):
    """The paths that Keygate's health port answers for the application, by the configuration that the pod mounts."""
    mounted = {v["configMap"]["name"] for v in pod.get("volumes", []) if "configMap" in v}
    configs = [d["data"] for d in documents if d["kind"] == "ConfigMap" and d["metadata"]["name"] in mounted]
    return {path for data in configs for path in yaml.safe_load(data.get("keygate.yaml", "{}")).get("health", {}).get("forward", {})}


def promises(documents, where):
    workloads = [d for d in documents if "template" in d.get("spec", {})]
    config_maps = {d["metadata"]["name"] for d in documents if d["kind"] == "ConfigMap"}
    for workload in workloads:
        pod = workload["spec"]["template"]["spec"]
        name = f"{where}: {workload['kind']} {workload['metadata']['name']}"
        labels = workload["spec"]["template"]["metadata"]["labels"].items()
        if not workload["spec"]["selector"]["matchLabels"].items() <= labels:
            yield f"{name} does not select its own pods"
        yield from restricted(pod, name)
        names, numbers = ports_of(pod)
        forwarded = forwarded_probes(documents, pod)
        if len(set(names)) != len(names) or any(len(n) > 15 for n in names):
            yield f"{name}: port names {names}"
        containers = pod.get("initContainers", []) + pod["containers"]
        gate = [c for c in containers if c["name"] == "keygate"]
        if len(gate) != 1:
            yield f"{name} has {len(gate)} containers called keygate"
            continue
        for container in containers:
            for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
                asked = container.get(probe, {}).get("httpGet", {})
                port = asked.get("port")
                # By name a kubelet finds a port of the same container alone.
                own = [p["name"] for p in container.get("ports", [])]
                if port is not None and port not in own and port not in numbers:
                    yield f"{name}: {container['name']}'s {probe} goes to {port}, which is no port"
                if port == HEALTH_PORT and container["name"] != "keygate" and asked.get("path") not in forwarded:
                    yield f"{name}: {container['name']}'s {probe} asks for {asked.get('path')}, which health.forward does not have"
                if port is None and container["name"] == "keygate":
                    yield f"{name} has no {probe}"
            mounted = {m["name"] for m in container.get("volumeMounts", [])}
            claims = {c["metadata"]["name"] for c in workload["spec"].get("volumeClaimTemplates", [])}
            if not mounted <= {v["name"] for v in pod.get("volumes", [])} | claims:
                yield f"{name}: {container['name']} mounts what is no volume"
        for volume in pod.get("volumes", []):
            wanted = volume.get("configMap", {}).get("name")
            if wanted and wanted not in config_maps:
                yield f"{name} needs the ConfigMap {wanted}"
        if gate[0] in pod.get("initContainers", []):
            if gate[0].get("restartPolicy") != "Always":
                yield f"{name}: an init container that is no native sidecar would never let the pod start"
            if any(c.get("ports") for c in pod["containers"]):
                yield f"{name}: the application's own port is listed"
        for service in (d for d in documents if d["kind"] == "Service"):
            if service["spec"]["selector"].items() <= labels:
                for port in service["spec"]["ports"]:
                    if port["targetPort"] not in [p["name"] for p in gate[0]["ports"]]:
                        yield f"{name}: the Service {service['metadata']['name']} goes around Keygate"
        if not any(d["kind"] == "NetworkPolicy" and d["spec"]["podSelector"]["matchLabels"].items() <= labels for d in documents):
            yield f"{name} has no NetworkPolicy"


def main():
    modules, *names = sys.argv[1:]
    files = {}
    for name in names:
        with open(name, encoding="utf-8") as text:
            files[name] = [d for d in yaml.load_all(text, Loader=UniqueKeys) if d is not None]
    faults = compile_types(modules, files)
    for name, documents in files.items():
        faults += promises(documents, pathlib.Path(name).name)
    for fault in faults:
        print(fault)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
