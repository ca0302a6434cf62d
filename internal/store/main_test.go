package store_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"kabar"
	"kabar/internal/secrets"
	"kabar/internal/store"
	"kabar/internal/storetest"
)

func TestMain(m *testing.M) {
	if statement, err := strconv.Atoi(os.Getenv("KABAR_TEST_DIE_AT")); err == nil {
		migrateAndDie(statement)
	}
	if from, err := strconv.Atoi(os.Getenv("KABAR_TEST_ROTATE_FROM")); err == nil {
		rotateForEver(from)
	}
	storetest.Main(m)
}

// migrateAndDie is a process that is killed when a statement begins, counted over all migrations that are pending.
func migrateAndDie(statement int) {
	o := store.Options{Path: os.Getenv("KABAR_TEST_PATH"), URL: os.Getenv("KABAR_TEST_URL")}
	begun := 0
	err := store.Migrate(context.Background(), o, func(s store.Step) {
		if s.Done {
			return
		}
		if begun++; begun == statement {
			me, err := os.FindProcess(os.Getpid())
			if err == nil {
				err = me.Kill()
			}
			fmt.Fprintln(os.Stderr, "still alive:", err)
			select {}
		}
	})
	fmt.Fprintln(os.Stderr, "migrated:", err)
	os.Exit(0)
}

// rotateForEver is a process that changes the master key between two, and makes numbers, until it is killed.
func rotateForEver(from int) {
	ctx, now := context.Background(), time.Now()
	var keys [2]secrets.Key
	for i := range keys {
		keys[i], _ = secrets.LoadMasterKey(filepath.Join(os.Getenv("KABAR_TEST_KEYS"), strconv.Itoa(i)))
	}
	db, err := store.Open(ctx, store.Options{Path: os.Getenv("KABAR_TEST_PATH"), URL: os.Getenv("KABAR_TEST_URL"), Master: keys[from]})
	for i := 1; err == nil; i++ {
		err = db.Rotate(ctx, keys[(from+i)%2])
		if err == nil {
			n := &kabar.Number{Account: 1, Digits: fmt.Sprint(now.UnixNano(), i)}
			err = db.Write(ctx, nil, func(tx *store.Tx) error { return tx.AddNumber(n, kabar.Settings{}, now) })
		}
		if i == 1 {
			fmt.Println("rotating")
		}
	}
	fmt.Fprintln(os.Stderr, "rotate:", err)
	os.Exit(1)
}
