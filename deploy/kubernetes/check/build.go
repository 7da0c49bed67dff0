package check

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// Object is one object of a manifest.
type Object struct {
	*unstructured.Unstructured
	JSON []byte
}

// String returns the name of the object, such as "Deployment shop/gateway".
func (o Object) String() string {
	if o.GetNamespace() == "" {
		return o.GetKind() + " " + o.GetName()
	}
	return o.GetKind() + " " + o.GetNamespace() + "/" + o.GetName()
}

// Build returns the objects that "kubectl kustomize dir" prints.
func Build(dir string) ([]Object, error) {
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), dir)
	if err != nil {
		return nil, fmt.Errorf("build %q: %w", dir, err)
	}
	var objects []Object
	for _, resource := range built.Resources() {
		text, err := resource.MarshalJSON()
		if err != nil {
			return nil, fmt.Errorf("build %q: %w", dir, err)
		}
		object, err := parse(text)
		if err != nil {
			return nil, fmt.Errorf("build %q: %w", dir, err)
		}
		objects = append(objects, object)
	}
	return objects, nil
}

// parse reads an object from JSON.
func parse(text []byte) (Object, error) {
	object := Object{Unstructured: &unstructured.Unstructured{}, JSON: text}
	if err := object.UnmarshalJSON(text); err != nil {
		return Object{}, fmt.Errorf("read an object: %w", err)
	}
	return object, nil
}

// fromYAML reads the objects of a stream of YAML documents.
func fromYAML(text []byte) ([]Object, error) {
	var objects []Object
	documents := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(text)))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read objects: %w", err)
		}
		asJSON, err := yaml.ToJSON(document)
		if err != nil {
			return nil, fmt.Errorf("read objects: %w", err)
		}
		if string(asJSON) == "null" { // only comments
			continue
		}
		object, err := parse(asJSON)
		if err != nil {
			return nil, err
		}
		objects = append(objects, object)
	}
}
