package gateway

import (
	"crypto/subtle"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"firedrill/apps/orders"
)

// Demo users: user-0001 to user-1000 and staff-01 to staff-05.
const (
	customers = 1000
	staff     = 5
)

const roleCustomer = "customer"

// directory maps the names of users to their roles. The passwords are not
// secret: the password of user-0042 is "demo-user-0042". A shop with real users
// would store hashes, which cost time at each login.
type directory map[string]string

func demoUsers() directory {
	d := make(directory, customers+staff)
	for i := range customers {
		d[fmt.Sprintf("user-%04d", i+1)] = roleCustomer
	}
	for i := range staff {
		d[fmt.Sprintf("staff-%02d", i+1)] = orders.RoleStaff
	}
	return d
}

func (d directory) check(user, password string) (role string, ok bool) {
	role, known := d[user]
	same := subtle.ConstantTimeCompare([]byte(password), []byte("demo-"+user)) == 1
	return role, known && same
}

// issuer is the issuer and the audience of the tokens.
const issuer = "firedrill-shop"

// tokens issues and verifies JSON web tokens signed with HS256.
type tokens struct {
	key []byte
	ttl time.Duration
	now func() time.Time
	// judged returns the time for verifying tokens. It equals now, unless a
	// fault moves it.
	judged func() time.Time
}

type claims struct {
	Role string `json:"role"`
	jwt.RegisteredClaims
}

func (t tokens) issue(user, role string) (string, error) {
	now := t.now()
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims{
		Role: role,
		RegisteredClaims: jwt.RegisteredClaims{
			ID:        uuid.NewString(),
			Issuer:    issuer,
			Audience:  jwt.ClaimStrings{issuer},
			Subject:   user,
			IssuedAt:  jwt.NewNumericDate(now),
			ExpiresAt: jwt.NewNumericDate(now.Add(t.ttl)),
		},
	}).SignedString(t.key)
	if err != nil {
		return "", fmt.Errorf("sign token for %q: %w", user, err)
	}
	return token, nil
}

func (t tokens) verify(token string) (orders.User, error) {
	var c claims
	_, err := jwt.ParseWithClaims(token, &c, func(*jwt.Token) (any, error) { return t.key, nil },
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}),
		jwt.WithIssuer(issuer), jwt.WithAudience(issuer), jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithTimeFunc(t.judged))
	if err != nil {
		return orders.User{}, fmt.Errorf("verify token: %w", err)
	}
	return orders.User{ID: c.Subject, Role: c.Role}, nil
}
