package notifications

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"firedrill/internal/storetest"
)

// added opens the store at path, adds a notification, and closes it.
func added(path string, limits Limits, n Notification) error {
	s, err := Open(path, limits, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	return errors.Join(s.Add(n), s.Close())
}

// numbersIn returns the numbers of the notifications in the store at path.
func numbersIn(path string, limits Limits) ([]int, error) {
	s, err := Open(path, limits, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	var all []int
	for _, n := range s.Since(time.Time{}, 100) {
		number, err := strconv.Atoi(n.Labels["alertname"])
		if err != nil {
			return nil, err
		}
		all = append(all, number)
	}
	return all, s.Close()
}

func TestStoreSurvives(t *testing.T) {
	storetest.Survives(t, storetest.Store{
		Put: func(dir string, n int) error {
			return added(filepath.Join(dir, "n.jsonl"), DefaultLimits(), numbered(n))
		},
		Get: func(dir string) ([]int, error) { return numbersIn(filepath.Join(dir, "n.jsonl"), DefaultLimits()) },
	})
}

// TestRotationSurvives checks the same with files that take one notification each, so that each one rotates.
func TestRotationSurvives(t *testing.T) {
	limits := Limits{Recent: 100, RecentBytes: 1 << 20, FileBytes: 400}
	storetest.Survives(t, storetest.Store{
		Put: func(dir string, n int) error { return added(filepath.Join(dir, "n.jsonl"), limits, numbered(n)) },
		Get: func(dir string) ([]int, error) { return numbersIn(filepath.Join(dir, "n.jsonl"), limits) },
	})
}

// TestStoreSurvivesEachCut checks that the lines before a cut at any byte are there, and those added afterwards, and that
// the rest is kept aside and logged.
func TestStoreSurvivesEachCut(t *testing.T) {
	whole := filepath.Join(t.TempDir(), "n.jsonl")
	var ends []int
	for n := range 3 {
		if err := added(whole, DefaultLimits(), numbered(n)); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(whole)
		if err != nil {
			t.Fatal(err)
		}
		ends = append(ends, int(info.Size()))
	}
	text, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	for cut := range text {
		path := filepath.Join(t.TempDir(), "n.jsonl")
		if err := os.WriteFile(path, text[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		want, from := []int{9}, 0
		for n, end := range ends {
			if cut >= end-1 { // without its line break, a line is whole
				want, from = append(want, n), min(cut, end)
			}
		}
		var said bytes.Buffer
		s, err := Open(path, DefaultLimits(), slog.New(slog.NewTextHandler(&said, nil)))
		if err != nil {
			t.Fatalf("cut at byte %d: %v", cut, err)
		}
		if err := errors.Join(s.Add(numbered(9)), s.Close()); err != nil {
			t.Fatalf("cut at byte %d: %v", cut, err)
		}
		got, err := numbersIn(path, DefaultLimits())
		if err != nil || len(got) != len(want) {
			t.Fatalf("cut at byte %d: %v, %v, want %v", cut, got, err, want)
		}
		aside, err := os.ReadFile(path + ".unreadable")
		if rest := string(text[from:cut]); rest == "" {
			if !errors.Is(err, fs.ErrNotExist) || said.Len() > 0 {
				t.Fatalf("cut at byte %d: nothing is lost, but it says %q, %v", cut, said.String(), err)
			}
		} else if err != nil || string(aside) != rest+"\n" || !strings.Contains(said.String(), "lines=1") {
			t.Fatalf("cut at byte %d: aside is %q, %v, want %q; it says %q", cut, aside, err, rest, said.String())
		}
	}
}

// receiver is a handler with its store.
func receiver(t *testing.T, path string) (http.Handler, *Store) {
	t.Helper()
	store := open(t, path, DefaultLimits())
	log := slog.New(slog.DiscardHandler)
	handler, err := Handler(store, NewDeadMan(store, DefaultSilence, log), prometheus.NewRegistry(), time.Now, log)
	if err != nil {
		t.Fatal(err)
	}
	return handler, store
}

func post(handler http.Handler, body string) int {
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/webhook", strings.NewReader(body)))
	return w.Code
}

// TestAcceptedMessagesAreReadAgain checks that whatever message is accepted, the next start reads it.
func TestAcceptedMessagesAreReadAgain(t *testing.T) {
	filled := func(with string) string {
		const frame = `{"alerts":[{"status":"firing","labels":{"alertname":"A","x":""}}]}`
		x := strings.Repeat(with, (maxBody-len(frame))/len(with))
		return strings.Replace(frame, `"x":""`, `"x":"`+x+`"`, 1)
	}
	many := `{"alerts":[` + strings.TrimSuffix(strings.Repeat(`{"status":"resolved","labels":{"alertname":"B"}},`, 2000), ",") + `]}`
	for name, body := range map[string]string{
		"letters up to the limit": filled("x"), "what JSON escapes to six times its length": filled("<"),
		"escaped zeros": filled(`\u0000`), "no UTF-8": filled("\xff"), "line separators": filled("\u2028"), "escaped line breaks": filled(`\n`),
		"many alerts": many, "no labels": `{"alerts":[{"status":"firing"}]}`, "no alerts": `{}`, "null": `null`,
		"times far away": `{"alerts":[{"status":"resolved","startsAt":"0001-01-01T00:00:00Z","endsAt":"9999-12-31T23:59:59Z"}]}`,
	} {
		path := filepath.Join(t.TempDir(), "n.jsonl")
		handler, store := receiver(t, path)
		if code := post(handler, body); code != http.StatusOK {
			t.Errorf("%s: answered %d", name, code)
			continue
		}
		want := store.Since(time.Time{}, 10_000)
		if got := open(t, path, DefaultLimits()).Since(time.Time{}, 10_000); len(got) != len(want) || !sameJSON(t, got, want) {
			t.Errorf("%s: %d notifications were accepted, and %d read again, or others", name, len(want), len(got))
		}
	}
}

func sameJSON(t *testing.T, a, b any) bool {
	t.Helper()
	textA, errA := json.Marshal(a)
	textB, errB := json.Marshal(b)
	if err := errors.Join(errA, errB); err != nil {
		t.Fatal(err)
	}
	return bytes.Equal(textA, textB)
}

// TestForeignLinesAreKeptAside checks that a file with lines of any kind opens, and that these lines are kept once.
func TestForeignLinesAreKeptAside(t *testing.T) {
	path := filepath.Join(t.TempDir(), "n.jsonl")
	if err := added(path, DefaultLimits(), numbered(1)); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	bad := []string{"null", "5", "{}", `{"status":"maybe","received":"2026-03-01T12:00:00Z"}`, "\x00\x00", strings.Repeat("x", 5<<20), "[" + string(good[:20])}
	text := strings.Join(bad, "\n") + "\n\n" + string(good)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if got, err := numbersIn(path, DefaultLimits()); err != nil || !reflect.DeepEqual(got, []int{1}) {
			t.Fatalf("there is %v, %v, want [1]", got, err)
		}
	}
	if aside, err := os.ReadFile(path + ".unreadable"); err != nil || string(aside) != strings.Join(bad, "\n")+"\n" {
		t.Errorf("aside are %d bytes, %v, want %d", len(aside), err, len(strings.Join(bad, "\n"))+1)
	}
	if left, err := os.ReadFile(path); err != nil || !bytes.Equal(left, good) {
		t.Errorf("left is %q, %v", left, err)
	}
}

// TestMemoryIsBounded checks that notifications of any size take no more memory than the limit.
func TestMemoryIsBounded(t *testing.T) {
	limits := Limits{Recent: 100, RecentBytes: 1000, FileBytes: 1 << 20}
	s := open(t, filepath.Join(t.TempDir(), "n.jsonl"), limits)
	random := rand.New(rand.NewPCG(1, 2))
	for n := range 300 {
		one := numbered(n)
		one.Annotations = map[string]string{"text": strings.Repeat("x", random.IntN(1500))}
		if err := s.Add(one); err != nil {
			t.Fatal(err)
		}
		sum := int64(0)
		for _, k := range s.recent {
			sum += k.bytes
		}
		if sum != s.bytes || len(s.recent) > 1 && sum > limits.RecentBytes || len(s.recent) == 0 {
			t.Fatalf("%d notifications of %d bytes, counted as %d", len(s.recent), sum, s.bytes)
		}
		if got := s.Since(time.Time{}, 1); got[0].Labels["alertname"] != fmt.Sprint(n) {
			t.Fatalf("the newest is %v, want %d", got[0].Labels, n)
		}
	}
}

// TestRotationGoesOnAfterAFailure checks that a failed rotation loses nothing and blocks nothing.
func TestRotationGoesOnAfterAFailure(t *testing.T) {
	path := filepath.Join(t.TempDir(), "n.jsonl")
	limits := Limits{Recent: 100, RecentBytes: 1 << 20, FileBytes: 1}
	s := open(t, path, limits)
	if err := s.Add(numbered(1)); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(path+".1", "in the way"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := s.Add(numbered(2)); err == nil {
		t.Error("a file was renamed to a folder")
	}
	if err := os.RemoveAll(path + ".1"); err != nil {
		t.Fatal(err)
	}
	if err := s.Add(numbered(2)); err != nil {
		t.Fatal(err)
	}
	if got, err := numbersIn(path, limits); err != nil || !reflect.DeepEqual(got, []int{2, 1}) {
		t.Errorf("there is %v, %v, want [2 1]", got, err)
	}
}

// TestDeadManTriesAgain checks that a silence is stored when that becomes possible.
func TestDeadManTriesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := open(t, filepath.Join(t.TempDir(), "n.jsonl"), DefaultLimits())
		good := store.file
		bad, err := os.Open(os.DevNull) // not open for writing
		if err != nil {
			t.Fatal(err)
		}
		defer bad.Close()
		store.file = bad
		go NewDeadMan(store, silence, slog.New(slog.DiscardHandler)).Run(t.Context())
		time.Sleep(startGrace*silence + 3*silence)
		synctest.Wait()
		if got := store.Since(time.Time{}, 1); len(got) != 0 {
			t.Fatalf("stored %v in a file that cannot be written", got)
		}
		store.mu.Lock()
		store.file = good
		store.mu.Unlock()
		time.Sleep(silence)
		synctest.Wait()
		if got := store.Since(time.Time{}, 1); len(got) != 1 || got[0].Status != "firing" {
			t.Errorf("stored %v, want one that fires", got)
		}
	})
}
