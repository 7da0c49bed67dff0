package console

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

// Limits of a question to a backend.
const (
	askTimeout    = 20 * time.Second
	longestAnswer = 32 << 20 // bytes
	longestQuery  = 16 << 10 // bytes
	atOnce        = 16       // questions to one backend
	fresh         = time.Second
	mostKept      = 256 // answers
)

// readingPaths are the paths of each backend's API that only read. See the API documentation of each program.
var readingPaths = map[string]*regexp.Regexp{
	"prometheus":   regexp.MustCompile(`^/api/v1/(query|query_range|query_exemplars|series|labels|label/[\w.:-]+/values|metadata|rules|alerts|targets|status/buildinfo)$`),
	"loki":         regexp.MustCompile(`^/loki/api/v1/(query|query_range|labels|label/[\w.:-]+/values|series|index/stats|index/volume_range)$`),
	"tempo":        regexp.MustCompile(`^/api/(search|traces/[0-9a-fA-F]{1,32}|v2/traces/[0-9a-fA-F]{1,32}|v2/search/tags|v2/search/tag/[\w.:-]+/values|metrics/query_range|status/buildinfo)$`),
	"alertmanager": regexp.MustCompile(`^/api/v2/(alerts|alerts/groups|silences|status|receivers)$`),
}

// backends passes questions on to the backends.
type backends struct {
	urls   map[string]string // by name; a name without a URL is not there
	client *http.Client

	asking singleflight.Group
	slots  map[string]chan struct{}
	mu     sync.Mutex
	kept   map[string]answer // recent answers by question
}

// answer is the answer of a backend.
type answer struct {
	status int
	kind   string // content type
	body   []byte
	at     time.Time
}

func newBackends(urls map[string]string, client *http.Client) (*backends, error) {
	b := &backends{urls: map[string]string{}, client: client, slots: map[string]chan struct{}{}, kept: map[string]answer{}}
	var errs []error
	for name, base := range urls {
		if base == "" {
			continue
		}
		u, err := url.Parse(base)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			errs = append(errs, fmt.Errorf("URL of %s %q: want http://host:port or https://host:port", name, base))
			continue
		}
		b.urls[name] = strings.TrimSuffix(base, "/")
		b.slots[name] = make(chan struct{}, atOnce)
	}
	return b, errors.Join(errs...)
}

// ServeHTTP passes GET /api/backends/NAME/PATH?QUERY on.
func (b *backends) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, path, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/api/backends/"), "/")
	path = "/" + path
	paths, known := readingPaths[name]
	switch {
	case !known || !paths.MatchString(path):
		fail(w, http.StatusNotFound, "no such question: only what reads is passed on")
		return
	case len(r.URL.RawQuery) > longestQuery:
		fail(w, http.StatusRequestURITooLong, fmt.Sprintf("the question is longer than %d bytes", longestQuery))
		return
	case b.urls[name] == "":
		fail(w, http.StatusServiceUnavailable, "this console has no URL of "+name)
		return
	}
	a, err := b.ask(r.Context(), name, path, r.URL.RawQuery)
	if err != nil {
		fail(w, http.StatusBadGateway, err.Error())
		return
	}
	w.Header().Set("Content-Type", a.kind)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body) // the viewer may have gone
}

// ask asks a backend. Viewers who ask the same within a moment share one answer.
func (b *backends) ask(ctx context.Context, name, path, query string) (answer, error) {
	key := name + path + "?" + query
	if a, ok := b.recent(key); ok {
		return a, nil
	}
	// The question goes on if the first viewer leaves: others may wait for it.
	asked := b.asking.DoChan(key, func() (any, error) {
		ask, cancel := context.WithTimeout(context.WithoutCancel(ctx), askTimeout)
		defer cancel()
		a, err := b.fetch(ask, name, path, query)
		if err == nil && a.status == http.StatusOK {
			b.keep(key, a)
		}
		return a, err
	})
	select {
	case <-ctx.Done():
		return answer{}, ctx.Err()
	case got := <-asked:
		a, _ := got.Val.(answer)
		return a, got.Err
	}
}

func (b *backends) recent(key string) (answer, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	a, ok := b.kept[key]
	return a, ok && time.Since(a.at) < fresh
}

func (b *backends) keep(key string, a answer) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.kept) >= mostKept {
		for k, old := range b.kept {
			if time.Since(old.at) >= fresh {
				delete(b.kept, k)
			}
		}
	}
	if len(b.kept) < mostKept {
		b.kept[key] = a
	}
}

func (b *backends) fetch(ctx context.Context, name, path, query string) (answer, error) {
	select {
	case b.slots[name] <- struct{}{}:
		defer func() { <-b.slots[name] }()
	case <-ctx.Done():
		return answer{}, fmt.Errorf("%s is busy: %d questions wait for it", name, atOnce)
	}
	target := b.urls[name] + path
	if query != "" {
		target += "?" + query
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil) //nolint:gosec // the host is a setting, the path is one of readingPaths
	if err != nil {
		return answer{}, fmt.Errorf("ask %s: %w", name, err)
	}
	req.Header.Set("Accept", "application/json")
	resp, err := b.client.Do(req) //nolint:gosec // as above
	if err != nil {
		return answer{}, unreachable(name, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, longestAnswer+1))
	switch {
	case err != nil:
		return answer{}, unreachable(name, err)
	case len(body) > longestAnswer:
		return answer{}, fmt.Errorf("the answer of %s is longer than %d MiB: narrow the question", name, longestAnswer>>20)
	}
	// What a backend says is data, never a page.
	kind := "text/plain; charset=utf-8"
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") {
		kind = "application/json"
	}
	return answer{resp.StatusCode, kind, body, time.Now()}, nil
}

// unreachable returns an error without the URL, which the viewer did not type.
func unreachable(name string, err error) error {
	var inner *url.Error
	if errors.As(err, &inner) {
		err = inner.Err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%s gave no answer within %v", name, askTimeout)
	}
	return fmt.Errorf("%s cannot be reached: %w", name, err)
}
