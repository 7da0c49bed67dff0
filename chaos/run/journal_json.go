package run

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
)

// anyNumber is a float64 in JSON. A query may return NaN, such as a ratio of nothing to nothing, or an infinity. JSON has
// neither, so these are texts, as in the answers of Prometheus. A journal with them must be written nevertheless.
type anyNumber float64

// MarshalJSON implements json.Marshaler.
func (n anyNumber) MarshalJSON() ([]byte, error) {
	v := float64(n)
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return strconv.AppendQuote(nil, strconv.FormatFloat(v, 'g', -1, 64)), nil
	}
	return json.Marshal(v)
}

// UnmarshalJSON implements json.Unmarshaler.
func (n *anyNumber) UnmarshalJSON(text []byte) error {
	var v float64
	err := json.Unmarshal(text, &v)
	if len(text) > 0 && text[0] == '"' {
		var quoted string
		if err = json.Unmarshal(text, &quoted); err == nil {
			v, err = strconv.ParseFloat(quoted, 64)
		}
	}
	if err != nil {
		return fmt.Errorf("decode a number: %w", err)
	}
	*n = anyNumber(v)
	return nil
}

// The types without their methods, for the methods below.
type (
	plainSample Sample
	plainSight  Sight
	plainProbe  ProbeRun
)

// MarshalJSON implements json.Marshaler.
func (s Sample) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		plainSample
		Value anyNumber `json:"value"`
	}{plainSample(s), anyNumber(s.Value)})
}

// UnmarshalJSON implements json.Unmarshaler.
func (s *Sample) UnmarshalJSON(text []byte) error {
	return json.Unmarshal(text, &struct {
		*plainSample
		Value *anyNumber `json:"value"`
	}{(*plainSample)(s), (*anyNumber)(&s.Value)})
}

// MarshalJSON implements json.Marshaler.
func (s Sight) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		plainSight
		Before *anyNumber `json:"before,omitempty"`
		During *anyNumber `json:"during,omitempty"`
	}{plainSight(s), (*anyNumber)(s.Before), (*anyNumber)(s.During)})
}

// UnmarshalJSON implements json.Unmarshaler.
func (s *Sight) UnmarshalJSON(text []byte) error {
	into := struct {
		*plainSight
		Before *anyNumber `json:"before"`
		During *anyNumber `json:"during"`
	}{plainSight: (*plainSight)(s)}
	err := json.Unmarshal(text, &into)
	s.Before, s.During = (*float64)(into.Before), (*float64)(into.During)
	return err
}

// MarshalJSON implements json.Marshaler.
func (p ProbeRun) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		plainProbe
		Before *anyNumber `json:"before,omitempty"`
	}{plainProbe(p), (*anyNumber)(p.Before)})
}

// UnmarshalJSON implements json.Unmarshaler.
func (p *ProbeRun) UnmarshalJSON(text []byte) error {
	into := struct {
		*plainProbe
		Before *anyNumber `json:"before"`
	}{plainProbe: (*plainProbe)(p)}
	err := json.Unmarshal(text, &into)
	p.Before = (*float64)(into.Before)
	return err
}
