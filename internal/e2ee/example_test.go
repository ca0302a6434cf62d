package e2ee_test

import (
	"fmt"
	"log"
	"time"

	"kabar/internal/e2ee"
)

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// A customer begins, a business answers. Whoever calls this package commits "next" together with what it belongs to: the
// message before it leaves, the plaintext before it is acknowledged.
func Example() {
	now := time.Now()
	shop, shopAddr := device("15550001", now)
	customer, customerAddr := device("15550002", now)

	// The directory hands the customer a bundle of the shop's prekeys.
	once := shop.keys.OneTime[0].Public()
	bundle := &e2ee.Bundle{
		Identity: shop.id.Public(), Signed: shop.keys.Signed[0].Public(), KEM: shop.keys.KEM[0].Public(), OneTime: &once,
	}
	peer, err := e2ee.Initiate(customer.id, customerAddr, shopAddr, bundle, nil, now)
	check(err)
	msg, peer, err := peer.Encrypt([]byte("Is the blue one in stock?"), now) // commit peer and msg, then send
	check(err)

	ids, handshake, err := e2ee.PreKeyIDs(msg) // which rows to load
	check(err)
	fmt.Println("handshake:", handshake, "prekeys:", ids)
	text, shopPeer, used, err := e2ee.Decrypt(shop.id, shopAddr, customerAddr, nil, msg, shop.keys, now)
	check(err) // commit shopPeer and text and delete the used rows, then acknowledge
	fmt.Printf("%s (used up: %d)\n", text, used.OneTime)

	answer, _, err := shopPeer.Encrypt([]byte("It is."), now)
	check(err)
	text, _, _, err = e2ee.Decrypt(customer.id, customerAddr, shopAddr, peer, answer, customer.keys, now)
	check(err)
	fmt.Printf("%s\n", text)
	// Output:
	// handshake: true prekeys: {1 2 3}
	// Is the blue one in stock? (used up: 3)
	// It is.
}

type owner struct {
	id   *e2ee.Identity
	keys e2ee.PreKeys
}

// device makes an identity and its prekeys.
func device(account string, now time.Time) (owner, e2ee.Address) {
	id, err := e2ee.GenerateIdentity()
	check(err)
	signed, err := e2ee.GenerateSignedPreKey(id, 1, now)
	check(err)
	lastResort, err := e2ee.GenerateKEMPreKey(id, 2, false, now)
	check(err)
	once, err := e2ee.GenerateOneTimePreKeys(3)
	check(err)
	keys := e2ee.PreKeys{Signed: []*e2ee.SignedPreKey{signed}, KEM: []*e2ee.KEMPreKey{lastResort}, OneTime: once}
	return owner{id: id, keys: keys}, e2ee.Address{Account: account, Device: 1}
}
