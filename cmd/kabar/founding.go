package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"kabar"
	"kabar/internal/auth"
	"kabar/internal/engine"
)

// founding is what a server without a number begins with.
type founding struct {
	number     func() (engine.NewNumber, error) // asked only when there is none
	password   string                           // of its administrator, admin
	mustChange bool                             // at the first login
}

// found gives an empty server its number, and the number its administrator; what is there already stays as it is. Each step
// may have been cut short by a crash before, so each looks for itself. It returns the first number, and whether the
// administrator has just been added.
func found(ctx context.Context, s *server, f founding) (n *kabar.Number, added bool, err error) {
	numbers, err := s.db.Numbers(ctx)
	if err != nil {
		return nil, false, err
	}
	if len(numbers) == 0 {
		first, err := f.number()
		if err != nil {
			return nil, false, err
		}
		if n, err = engine.AddNumber(ctx, s.db, first, time.Now()); err != nil {
			return nil, false, fmt.Errorf("add the number: %w", err)
		}
		numbers = append(numbers, n)
	}
	n = numbers[0]
	err = s.auth.AddUser(ctx, auth.NewUser{Number: n, Name: "admin", Password: f.password, Role: auth.RoleAdmin, MustChange: f.mustChange})
	var refused *kabar.Error
	if errors.As(err, &refused) && refused.Reason == kabar.ReasonUserExists {
		return n, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("add the administrator: %w", err)
	}
	return n, true, nil
}

// founder is the account that a server begins with: that of whoever runs it, whom nobody has to verify.
func founder(name string) *kabar.Account {
	return &kabar.Account{Name: name, Verification: kabar.Verification{State: kabar.Verified}}
}
