package verify

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// --- Loki

var (
	lokiService = regexp.MustCompile(`service_name="([^"]*)"`)
	lokiTrace   = regexp.MustCompile(`trace_id="([^"]*)"`)
	lokiText    = regexp.MustCompile(`\|= "(.*)"`)
)

func (w *world) loki(rw http.ResponseWriter, r *http.Request) {
	q := r.FormValue("query")
	var streams []any
	for _, l := range w.lines {
		if part(lokiService, q, l.service) && part(lokiTrace, q, l.metadataID) && contains(lokiText, q, l.text) {
			metadata := map[string]string{"trace_id": l.metadataID, "span_id": l.metadataSp}
			streams = append(streams, map[string]any{
				"stream": map[string]string{"service_name": l.service},
				"values": []any{[]any{strconv.FormatInt(l.at.UnixNano(), 10), l.text, map[string]any{"structuredMetadata": metadata}}},
			})
		}
	}
	answer(rw, map[string]any{"status": "success", "data": map[string]any{"resultType": "streams", "result": streams}})
}

func part(re *regexp.Regexp, q, want string) bool {
	m := re.FindStringSubmatch(q)
	return m == nil || m[1] == want
}

func contains(re *regexp.Regexp, q, text string) bool {
	m := re.FindStringSubmatch(q)
	return m == nil || strings.Contains(text, m[1])
}

func answer(rw http.ResponseWriter, v any) { _ = json.NewEncoder(rw).Encode(v) }

// --- Prometheus

var promJob = regexp.MustCompile(`job="([^"]*)"`)

func (w *world) prometheus(rw http.ResponseWriter, r *http.Request) {
	switch strings.TrimPrefix(r.URL.Path, "/api/v1/") {
	case "query":
		w.promQuery(rw, r.FormValue("query"))
	case "query_exemplars":
		w.promExemplars(rw, r.FormValue("query"))
	case "targets":
		w.promTargets(rw)
	case "rules":
		fmt.Fprint(rw, `{"status":"success","data":{"groups":[{"name":"stack","rules":[`+
			`{"name":"TargetDown","query":"up == 0","health":"ok","type":"alerting","state":"inactive","labels":{},"annotations":{},"alerts":[],"lastEvaluation":"2000-01-01T00:00:00Z"},`+
			`{"name":"job:up","query":"sum(up)","health":"ok","type":"recording","lastEvaluation":"2000-01-01T00:00:00Z"}]}]}}`)
	case "alertmanagers":
		fmt.Fprint(rw, `{"status":"success","data":{"activeAlertmanagers":[{"url":"http://alertmanager/api/v2/alerts"}]}}`)
	}
}

func (w *world) promQuery(rw http.ResponseWriter, q string) {
	var result []any
	add := func(metric map[string]string, value float64) {
		result = append(result, map[string]any{"metric": metric, "value": []any{unixNow(), strconv.FormatFloat(value, 'f', -1, 64)}})
	}
	job := ""
	if m := promJob.FindStringSubmatch(q); m != nil {
		job = m[1]
	}
	if counter, ok := w.counters[q]; ok {
		for labels, v := range counter {
			var metric map[string]string
			_ = json.Unmarshal([]byte(labels), &metric)
			add(metric, v)
		}
	} else if strings.Contains(q, "up") {
		for _, s := range append(services(), broker) {
			when := w.scrapedAt(s)
			switch {
			case job != "" && s != job, when == 0:
			case strings.Contains(q, "timestamp"):
				add(map[string]string{"job": s}, when)
			case w.down[s]:
				add(map[string]string{"job": s}, 0)
			default:
				add(map[string]string{"job": s}, 1)
			}
		}
	}
	answer(rw, map[string]any{"status": "success", "data": map[string]any{"resultType": "vector", "result": append([]any{}, result...)}})
}

// scrapedAt returns the time of the last scrape of the job in seconds since 1970, or 0 if there was none.
func (w *world) scrapedAt(job string) float64 {
	ago := 0.0
	if w.scraped != nil {
		ago = w.scraped(job)
	}
	if ago < 0 {
		return 0
	}
	return unixNow() - ago
}

func unixNow() float64 { return float64(time.Now().UnixMilli()) / 1000 }

var promMatcher = regexp.MustCompile(`(\w+)(=~?)"([^"]*)"`)

func (w *world) promExemplars(rw http.ResponseWriter, q string) {
	want := map[string]*regexp.Regexp{}
	for _, m := range promMatcher.FindAllStringSubmatch(q, -1) {
		pattern := m[3]
		if m[2] == "=" {
			pattern = regexp.QuoteMeta(pattern)
		}
		want[m[1]] = regexp.MustCompile("^(?:" + pattern + ")$")
	}
	data := []any{}
	for _, e := range w.exemplars {
		if selects(want, e.series) {
			data = append(data, map[string]any{
				"seriesLabels": e.series,
				"exemplars":    []any{map[string]any{"labels": e.labels, "value": "0.01", "timestamp": float64(e.at.UnixMilli()) / 1000}},
			})
		}
	}
	answer(rw, map[string]any{"status": "success", "data": data})
}

func selects(want map[string]*regexp.Regexp, series map[string]string) bool {
	for label, re := range want {
		if !re.MatchString(series[label]) {
			return false
		}
	}
	return true
}

func (w *world) promTargets(rw http.ResponseWriter) {
	targets := []any{}
	for _, s := range append(services(), broker, "tempo") {
		if when := w.scrapedAt(s); when > 0 {
			health := "up"
			if w.down[s] {
				health = "down"
			}
			targets = append(targets, map[string]any{
				"labels": map[string]string{"job": s}, "health": health, "scrapeUrl": "http://" + s + "/metrics",
				"lastScrape": time.UnixMilli(int64(when * 1000)).UTC().Format(time.RFC3339Nano),
			})
		}
	}
	answer(rw, map[string]any{"status": "success", "data": map[string]any{"activeTargets": targets}})
}
