package store_test

import (
	"testing"

	"kabar/internal/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }
