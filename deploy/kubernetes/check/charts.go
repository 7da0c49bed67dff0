package check

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
)

// Template returns the objects that "helm template -n namespace name chart -f values" prints for a chart in a
// folder, without hooks. Charts that it depends on may be missing if the values disable them. Values that the
// chart's schema forbids are an error.
func Template(name, namespace, chart, values string, kubernetes string) ([]Object, error) {
	c, err := loader.Load(chart)
	if err != nil {
		return nil, fmt.Errorf("load chart %q: %w", chart, err)
	}
	ours, err := chartutil.ReadValuesFile(values)
	if err != nil {
		return nil, fmt.Errorf("read values %q: %w", values, err)
	}
	version, err := chartutil.ParseKubeVersion(kubernetes)
	if err != nil {
		return nil, fmt.Errorf("read version of Kubernetes %q: %w", kubernetes, err)
	}
	if err := chartutil.ProcessDependenciesWithMerge(c, ours); err != nil {
		return nil, fmt.Errorf("prepare chart %q: %w", chart, err)
	}
	capabilities := chartutil.DefaultCapabilities.Copy()
	capabilities.KubeVersion = *version
	release := chartutil.ReleaseOptions{Name: name, Namespace: namespace, Revision: 1, IsInstall: true}
	all, err := chartutil.ToRenderValues(c, ours, release, capabilities)
	if err != nil {
		return nil, fmt.Errorf("values %q for chart %q: %w", values, chart, err)
	}
	files, err := engine.Render(c, all)
	if err != nil {
		return nil, fmt.Errorf("render chart %q with %q: %w", chart, values, err)
	}
	return manifests(files)
}

// manifests returns the objects of a chart's rendered files, without hooks.
func manifests(files map[string]string) ([]Object, error) {
	var objects []Object
	for _, path := range slices.Sorted(maps.Keys(files)) {
		if !strings.HasSuffix(path, ".yaml") {
			continue
		}
		found, err := fromYAML([]byte(files[path]))
		if err != nil {
			return nil, fmt.Errorf("read rendered %q: %w", path, err)
		}
		for _, o := range found {
			if o.GetAnnotations()["helm.sh/hook"] == "" { // hooks are a chart's own tests and jobs
				objects = append(objects, o)
			}
		}
	}
	if len(objects) == 0 {
		return nil, errors.New("the chart rendered no objects")
	}
	return objects, nil
}
