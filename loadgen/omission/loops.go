package omission

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"firedrill/loadgen/attack"
	"firedrill/loadgen/journey"
	"firedrill/loadgen/profile"
	"firedrill/loadgen/result"
	"firedrill/loadgen/schedule"
)

// openLoop sends in the same way as "firedrill load".
func (c Config) openLoop(ctx context.Context, url string, tell func(result.Sample)) error {
	prof, err := profile.AdHoc{Rate: fmt.Sprintf("%d/s", c.Rate), Length: c.Length, URL: url}.Profile(profile.Options{
		Workers: c.Workers, Timeout: c.Stall + 10*time.Second,
	})
	if err != nil {
		return err
	}
	plan, err := journey.NewPlan(prof.Plan)
	if err != nil {
		return err
	}
	run, err := attack.New(attack.Config{
		Schedule: prof.Schedule.Part(schedule.Shard{}), Plan: plan, Record: recorder(tell), Workers: c.Workers,
		Overrun: prof.Limits.Overrun, Timeout: prof.Limits.Timeout,
	})
	if err != nil {
		return err
	}
	run.Run(ctx)
	for class, text := range run.Errors() {
		err = errors.Join(err, fmt.Errorf("requests failed (%s): %s", class, text))
	}
	return err
}

// recorder is an attack.Recorder that receives only requests.
type recorder func(result.Sample)

func (r recorder) Add(s result.Sample)           { r(s) }
func (recorder) AddJourney(result.JourneySample) {}

// closedLoop sends in the same way as most load generators. Each worker has its share of the rate. It sends, waits for
// the answer, and only then looks at the clock again. It skips turns that passed while it waited, as a ticker does.
func (c Config) closedLoop(ctx context.Context, url string, tell func(result.Sample)) error {
	ctx, cancel := context.WithTimeout(ctx, c.Length)
	defer cancel()
	transport := &http.Transport{MaxIdleConnsPerHost: c.Workers}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	began := time.Now()
	var wait sync.WaitGroup
	failures := make([]error, c.Workers)
	for worker := range c.Workers {
		wait.Go(func() { failures[worker] = c.closedWorker(ctx, client, url, began, worker, tell) })
	}
	wait.Wait()
	return errors.Join(failures...)
}

func (c Config) closedWorker(ctx context.Context, client *http.Client, url string, began time.Time, worker int, tell func(result.Sample)) error {
	interval := time.Second * time.Duration(c.Workers) / time.Duration(c.Rate)
	first := time.NewTimer(interval * time.Duration(worker) / time.Duration(c.Workers)) // spread the workers over the interval
	defer first.Stop()
	select {
	case <-first.C:
	case <-ctx.Done():
		return nil
	}
	turns := time.NewTicker(interval)
	defer turns.Stop()
	for {
		sent := time.Since(began)
		switch err := get(ctx, client, url); {
		case ctx.Err() != nil: // the time is over
			return nil
		case err != nil:
			return err
		}
		tell(result.Sample{Due: sent, Sent: sent, Done: time.Since(began), Status: http.StatusOK})
		select {
		case <-turns.C:
		case <-ctx.Done():
			return nil
		}
	}
}

func get(ctx context.Context, client *http.Client, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	return response.Body.Close()
}
