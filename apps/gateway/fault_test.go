package gateway

import (
	"testing"
	"time"

	"firedrill/apps/fault"
	"firedrill/apps/fault/client"
)

func TestTokenSkew(t *testing.T) {
	faults, err := fault.New(fault.Config{Service: Name, Token: "token"})
	if err != nil {
		t.Fatal(err)
	}
	defer faults.Close()
	tk := tokens{key: testKey, ttl: 15 * time.Minute, now: time.Now, judged: faults.Clock(time.Now)}
	valid := func() bool {
		token, err := tk.issue("user-0001", roleCustomer)
		if err != nil {
			t.Fatal(err)
		}
		_, err = tk.verify(token)
		return err == nil
	}
	for offset, want := range map[string]bool{"1h": false, "-1h": false, "10m": true} {
		spec := fault.Spec{Kind: "token_skew", Params: map[string]any{"offset": offset}}
		if _, err := faults.Begin(t.Context(), "a", spec, client.MaxLease); err != nil {
			t.Fatal(err)
		}
		if got := valid(); got != want {
			t.Errorf("new token valid with a clock offset of %s: %v, want %v", offset, got, want)
		}
		faults.End("a")
		if !valid() {
			t.Error("new token is not valid after the fault")
		}
	}
}
