package dashboards

import (
	"fmt"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// by returns PromQL's grouping by labels, or "" if labels is empty.
func by(labels string) string {
	if labels == "" {
		return ""
	}
	return "by (" + labels + ") "
}

// errorShare returns the expression of the share of requests that a server answers with a 5xx
// status. It is 0, not empty, if there are no errors.
func errorShare(matchers, labels string) string {
	const metric = "http_server_request_duration_seconds_count"
	return share(
		fmt.Sprintf(`%s{%s,http_response_status_code=~"5.."}`, metric, matchers),
		fmt.Sprintf(`%s{%s}`, metric, matchers), labels)
}

// share returns the expression of the share of some events in all, over the rate interval.
func share(some, all, labels string) string {
	total := fmt.Sprintf("sum %s(rate(%s[$__rate_interval]))", by(labels), all)
	return fmt.Sprintf("(sum %s(rate(%s[$__rate_interval])) or 0 * %s) / (%s > 0)", by(labels), some, total, total)
}

// quantile returns the expression of a quantile of a native histogram, over the rate interval.
func quantile(q float64, histogram, labels string) string {
	return fmt.Sprintf("histogram_quantile(%v, sum %s(rate(%s[$__rate_interval])))", q, by(labels), histogram)
}

// quantiles returns the queries of the 99th, the 95th and the 50th percentile.
func quantiles(histogram string) []query {
	return []query{
		promql(quantile(0.99, histogram, ""), "p99"),
		promql(quantile(0.95, histogram, ""), "p95"),
		promql(quantile(0.5, histogram, ""), "p50"),
	}
}

// examples is like quantiles, for a histogram with exemplars.
func examples(histogram string) []query {
	all := quantiles(histogram)
	all[0] = withExemplars(quantile(0.99, histogram, ""), "p99")
	return all
}

// bucketQuantile is like quantile, for a classic histogram.
func bucketQuantile(q float64, buckets, labels string) string {
	if labels != "" {
		labels += ", "
	}
	return fmt.Sprintf("histogram_quantile(%v, sum by (%sle) (rate(%s[$__rate_interval])))", q, labels, buckets)
}

// mapped returns value mappings from pairs of a value and the word that replaces it.
func mapped(pairs ...string) []dashboard.ValueMapping {
	of := map[string]string{}
	for i := 0; i+1 < len(pairs); i += 2 {
		of[pairs[i]] = pairs[i+1]
	}
	return []dashboard.ValueMapping{words(of)}
}
