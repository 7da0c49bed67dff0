package check

import (
	"fmt"
	"strings"
	"testing"
)

func policies(t *testing.T) Policies {
	t.Helper()
	p, err := NewPolicies()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPolicies(t *testing.T) {
	d, p := decoder(t), policies(t)
	each(t, func(t *testing.T, o Object) {
		typed, err := d.Decode(o)
		if err != nil {
			t.Fatal(err)
		}
		for _, violation := range p.Violations(typed) {
			t.Error(violation)
		}
	})
}

// good is a Deployment without violations.
const good = `apiVersion: apps/v1
kind: Deployment
metadata: {name: a, namespace: b}
spec:
  template:
    spec:
      automountServiceAccountToken: false
      securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
      containers:
        - name: c
          image: r/i:1.2.3
          securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
          readinessProbe: {httpGet: {path: /, port: 1}}
          livenessProbe: {httpGet: {path: /, port: 1}}
          resources: {requests: {cpu: 1m, memory: 1Mi}, limits: {cpu: 2m, memory: 2Mi}}
`

// Each policy refuses what it is meant to refuse, and nothing else.
func TestPoliciesRefuse(t *testing.T) {
	d, p := decoder(t), policies(t)
	for name, tc := range map[string]struct{ old, new, want string }{
		"nothing":             {"", "", ""},
		"privileged":          {"allowPrivilegeEscalation: false,", "privileged: true,", "privileged"},
		"escalation":          {"allowPrivilegeEscalation: false", "allowPrivilegeEscalation: true", "allowPrivilegeEscalation != false"},
		"root":                {"runAsNonRoot: true", "runAsNonRoot: false", "runAsNonRoot != true"},
		"user 0":              {"runAsNonRoot: true", "runAsNonRoot: true, runAsUser: 0", "runAsUser=0"},
		"seccomp":             {", seccompProfile: {type: RuntimeDefault}", "", "seccompProfile"},
		"capabilities":        {"drop: [ALL]", "drop: [CHOWN]", "unrestricted capabilities"},
		"a path of the host":  {"      containers:", "      volumes: [{name: h, hostPath: {path: /}}]\n      containers:", "hostPath"},
		"the host's network":  {"      containers:", "      hostNetwork: true\n      containers:", "host namespaces"},
		"a writable root":     {", readOnlyRootFilesystem: true", "", `container "c": its root file system can be written`},
		"latest":              {"r/i:1.2.3", "r/i:latest", `image "r/i:latest" is whatever is newest`},
		"no tag, but a port":  {"r/i:1.2.3", "r:5000/i", `image "r:5000/i" is whatever is newest`},
		"a digest":            {"r/i:1.2.3", "r/i@sha256:0123", ""},
		"no limit of memory":  {"limits: {cpu: 2m, memory: 2Mi}", "limits: {cpu: 2m}", "no limit of memory"},
		"no limit of cpu":     {"limits: {cpu: 2m, memory: 2Mi}", "limits: {memory: 2Mi}", "no limit of cpu"},
		"no request":          {"requests: {cpu: 1m, memory: 1Mi}", "requests: {cpu: 1m}", "requests no memory"},
		"no readiness":        {"          readinessProbe: {httpGet: {path: /, port: 1}}\n", "", "lacks a readiness or a liveness probe"},
		"no liveness":         {"          livenessProbe: {httpGet: {path: /, port: 1}}\n", "", "lacks a readiness or a liveness probe"},
		"a token":             {"automountServiceAccountToken: false", "automountServiceAccountToken: true", "token of its service account is mounted"},
		"an init container":   {"      containers:", "      initContainers: [{name: i, image: r/i}]\n      containers:", `container "i": image "r/i"`},
		"a capability to add": {"drop: [ALL]", "drop: [ALL], add: [NET_ADMIN]", "NET_ADMIN"},
	} {
		t.Run(name, func(t *testing.T) {
			if !strings.Contains(good, tc.old) {
				t.Fatalf("%q is not in the good one", tc.old)
			}
			objects, err := fromYAML([]byte(strings.Replace(good, tc.old, tc.new, 1)))
			if err != nil {
				t.Fatal(err)
			}
			typed, err := d.Decode(objects[0])
			if err != nil {
				t.Fatal(err)
			}
			found := fmt.Sprint(p.Violations(typed))
			if tc.want == "" && found != "[]" || !strings.Contains(found, tc.want) {
				t.Errorf("violations %s, want %q", found, tc.want)
			}
		})
	}
}

// In every namespace with pods of ours, the cluster enforces the restricted standard too.
func TestNamespacesEnforceTheStandard(t *testing.T) {
	namespaces := 0
	each(t, func(t *testing.T, o Object) {
		if o.GetKind() != "Namespace" {
			return
		}
		namespaces++
		if level := o.GetLabels()["pod-security.kubernetes.io/enforce"]; level != "restricted" {
			t.Errorf("it enforces %q, want restricted", level)
		}
	})
	if namespaces == 0 {
		t.Error("no namespace was found")
	}
}

// Only the overlay "local" has secrets in its manifests.
func TestNoSecretsAreCommitted(t *testing.T) {
	each(t, func(t *testing.T, o Object) {
		if o.GetKind() == "Secret" && !strings.HasPrefix(t.Name(), "TestNoSecretsAreCommitted/overlays/local/") {
			t.Errorf("%s is in a deployment that is not the trial", o)
		}
	})
}
