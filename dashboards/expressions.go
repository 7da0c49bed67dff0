package dashboards

import (
	"fmt"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// by is PromQL's grouping by labels, "" for none.
func by(labels string) string {
	if labels == "" {
		return ""
	}
	return "by (" + labels + ") "
}

// errorShare is the share of requests that a server answers with an error of its
// own. Without errors it is 0, not nothing.
func errorShare(matchers, labels string) string {
	const metric = "http_server_request_duration_seconds_count"
	return share(
		fmt.Sprintf(`%s{%s,http_response_status_code=~"5.."}`, metric, matchers),
		fmt.Sprintf(`%s{%s}`, metric, matchers), labels)
}

// share is how many of all events are some, over the interval of a step.
func share(some, all, labels string) string {
	total := fmt.Sprintf("sum %s(rate(%s[$__rate_interval]))", by(labels), all)
	return fmt.Sprintf("(sum %s(rate(%s[$__rate_interval])) or 0 * %s) / (%s > 0)", by(labels), some, total, total)
}

// quantile of a native histogram, over the interval of a step.
func quantile(q float64, histogram, labels string) string {
	return fmt.Sprintf("histogram_quantile(%v, sum %s(rate(%s[$__rate_interval])))", q, by(labels), histogram)
}

// quantiles are the median, the slowest in twenty and the slowest in a hundred.
func quantiles(histogram string) []query {
	return []query{
		promql(quantile(0.99, histogram, ""), "p99"),
		promql(quantile(0.95, histogram, ""), "p95"),
		promql(quantile(0.5, histogram, ""), "p50"),
	}
}

// examples are quantiles of a histogram that keeps exemplars.
func examples(histogram string) []query {
	all := quantiles(histogram)
	all[0] = withExemplars(quantile(0.99, histogram, ""), "p99")
	return all
}

// bucketQuantile is quantile of a classic histogram.
func bucketQuantile(q float64, buckets, labels string) string {
	if labels != "" {
		labels += ", "
	}
	return fmt.Sprintf("histogram_quantile(%v, sum by (%sle) (rate(%s[$__rate_interval])))", q, labels, buckets)
}

// mapped puts a word in the place of each value: value, word, value, word.
func mapped(pairs ...string) []dashboard.ValueMapping {
	of := map[string]string{}
	for i := 0; i+1 < len(pairs); i += 2 {
		of[pairs[i]] = pairs[i+1]
	}
	return []dashboard.ValueMapping{words(of)}
}
