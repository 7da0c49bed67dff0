package check

import (
	"errors"
	"fmt"

	chaosmesh "github.com/chaos-mesh/chaos-mesh/api/v1alpha1"
	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	kubernetes "k8s.io/client-go/kubernetes/scheme"
)

// Decoder decodes objects into the Go types of their APIs.
type Decoder struct{ strict runtime.Decoder }

// NewDecoder returns a decoder for the APIs of Kubernetes, the Prometheus operator and Chaos Mesh.
func NewDecoder() (Decoder, error) {
	scheme := runtime.NewScheme()
	if err := errors.Join(kubernetes.AddToScheme(scheme), monitoring.AddToScheme(scheme), chaosmesh.AddToScheme(scheme)); err != nil {
		return Decoder{}, fmt.Errorf("collect the types of the APIs: %w", err)
	}
	return Decoder{serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer()}, nil
}

// Decode returns the object as its Go type. Unknown fields, duplicate fields and unknown kinds are errors.
func (d Decoder) Decode(o Object) (runtime.Object, error) {
	typed, _, err := d.strict.Decode(o.JSON, nil, nil)
	if err != nil {
		return nil, fmt.Errorf("decode %s: %w", o, err)
	}
	return typed, nil
}
