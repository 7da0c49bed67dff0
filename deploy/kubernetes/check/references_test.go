package check

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// Every ConfigMap, Secret and claim that a pod uses is in the same deployment. The exception is the Secret of the
// overlay "scale", which people create themselves.
func TestReferences(t *testing.T) {
	d := decoder(t)
	for _, dir := range []string{"overlays/local", "overlays/scale", "overlays/scale/load"} {
		t.Run(dir, func(t *testing.T) {
			objects := build(t, dir)
			there := map[string]bool{}
			for _, o := range objects {
				there[o.String()] = true
			}
			for _, o := range objects {
				typed, err := d.Decode(o)
				if err != nil {
					t.Fatal(err)
				}
				template, _ := podTemplate(typed)
				if template == nil {
					continue
				}
				for _, want := range references(o.GetNamespace(), template.Spec) {
					if !there[want] && (dir != "overlays/scale" || want != "Secret shop/shop") {
						t.Errorf("%s uses %s, which is not there", o, want)
					}
				}
			}
		})
	}
}

func references(namespace string, spec corev1.PodSpec) []string {
	var all []string
	add := func(kind, name string) { all = append(all, kind+" "+namespace+"/"+name) }
	if spec.ServiceAccountName != "" {
		add("ServiceAccount", spec.ServiceAccountName)
	}
	for _, v := range spec.Volumes {
		switch {
		case v.ConfigMap != nil:
			add("ConfigMap", v.ConfigMap.Name)
		case v.PersistentVolumeClaim != nil:
			add("PersistentVolumeClaim", v.PersistentVolumeClaim.ClaimName)
		}
	}
	for _, c := range spec.Containers {
		for _, from := range c.EnvFrom {
			if from.ConfigMapRef != nil {
				add("ConfigMap", from.ConfigMapRef.Name)
			}
		}
		for _, e := range c.Env {
			if e.ValueFrom != nil && e.ValueFrom.SecretKeyRef != nil {
				add("Secret", e.ValueFrom.SecretKeyRef.Name)
			}
		}
	}
	return all
}
