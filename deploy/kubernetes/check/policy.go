package check

import (
	"fmt"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

// Policies are this repository's rules for pods.
type Policies struct{ podSecurity policy.Evaluator }

// NewPolicies returns the policies, with Kubernetes's own code for the Pod Security Standards.
func NewPolicies() (Policies, error) {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		return Policies{}, fmt.Errorf("set up the Pod Security Standards: %w", err)
	}
	return Policies{evaluator}, nil
}

// Violations describes how an object violates the policies. It returns none if the object creates no pods.
func (p Policies) Violations(object runtime.Object) []string {
	template, serves := podTemplate(object)
	if template == nil {
		return nil
	}
	restricted := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	result := policy.AggregateCheckResults(p.podSecurity.EvaluatePod(restricted, &template.ObjectMeta, &template.Spec))
	var found []string
	if !result.Allowed {
		found = append(found, "Pod Security: "+result.ForbiddenDetail())
	}
	spec := template.Spec
	if spec.AutomountServiceAccountToken == nil || *spec.AutomountServiceAccountToken {
		found = append(found, "the token of its service account is mounted")
	}
	for _, c := range append(append([]corev1.Container{}, spec.InitContainers...), spec.Containers...) {
		for _, problem := range container(c, serves) {
			found = append(found, fmt.Sprintf("container %q: %s", c.Name, problem))
		}
	}
	return found
}

// podTemplate returns the pod template of an object, or nil if it creates no pods. serves reports whether the
// pods serve requests.
func podTemplate(object runtime.Object) (template *corev1.PodTemplateSpec, serves bool) {
	switch o := object.(type) {
	case *appsv1.Deployment:
		return &o.Spec.Template, true
	case *appsv1.StatefulSet:
		return &o.Spec.Template, true
	case *batchv1.Job:
		return &o.Spec.Template, false
	}
	return nil, false
}

// container returns what is wrong with a container beyond the Pod Security Standards.
func container(c corev1.Container, serves bool) []string {
	var found []string
	if problem := pinned(c.Image); problem != "" {
		found = append(found, problem)
	}
	if s := c.SecurityContext; s == nil || s.ReadOnlyRootFilesystem == nil || !*s.ReadOnlyRootFilesystem {
		found = append(found, "its root file system can be written")
	}
	for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
		if limit := c.Resources.Limits[name]; limit.IsZero() {
			found = append(found, fmt.Sprintf("it has no limit of %s", name))
		}
		if request := c.Resources.Requests[name]; request.IsZero() {
			found = append(found, fmt.Sprintf("it requests no %s", name))
		}
	}
	if serves && (c.ReadinessProbe == nil || c.LivenessProbe == nil) {
		found = append(found, "it lacks a readiness or a liveness probe")
	}
	return found
}

// pinned returns what is wrong with an image reference, or "".
func pinned(image string) string {
	if strings.Contains(image, "@sha256:") {
		return ""
	}
	_, tag, tagged := strings.Cut(image[strings.LastIndex(image, "/")+1:], ":")
	if !tagged || tag == "latest" {
		return fmt.Sprintf("image %q is whatever is newest", image)
	}
	return ""
}
