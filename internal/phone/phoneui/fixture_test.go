package phoneui

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"math"

	"kabar"
	"kabar/internal/phone"
)

const ana = "34600111222"

var hint = `curl -s http://127.0.0.1:9090/v1/messages \
  -H "Authorization: Bearer $TOKEN" \
  -d '{"to":"{to}","type":"text","text":{"body":"Hello!"}}'`

// populated is a phone with a chat that has every kind of bubble.
func populated() *fake {
	f := newFake()
	f.profile = kabar.Profile{
		Name: "Kabar Coffee", Description: "Coffee roasted on Tuesdays and Fridays, delivered on foot.",
		Address: "12 Harbour Lane", Email: "hello@coffee.example", Websites: []string{"https://coffee.example"},
		Hours: &kabar.Hours{Timezone: "Asia/Jakarta", Days: map[string][]kabar.Span{"tuesday": {{Open: 540, Close: 720}, {Open: 780, Close: 1050}}, "friday": {{Open: 600, Close: 1440}}}},
	}
	f.customer(ana, "Ana")
	f.customer("6281234567890", "Budi")
	f.customer("6285712345678", "Citra")
	f.customer("US.13491208655302741918", "Someone private")
	f.customers[2].Online = false
	f.customers[3].HideNumber = true
	f.customers[1].Blocked = true

	f.media["photo"] = picture()
	f.media["voice"] = tone()
	f.media["file"] = []byte("%PDF-1.4\n")

	f.add("6281234567890", phone.Message{Content: &kabar.Text{Body: "Your order has left the roastery."}})
	f.add("6281234567890", phone.Message{Content: &kabar.Text{Body: "It will be with you before noon."}})
	f.add("6285712345678", phone.Message{Mine: true, Status: kabar.Sent, Content: &kabar.Text{Body: "Do you open on Sunday?"}})
	chat(f)
	return f
}

func chat(f *fake) {
	read := func(m phone.Message) phone.Message { m.Status = kabar.Read; return m }
	hello := f.add(ana, phone.Message{Mine: true, Status: kabar.Read, Content: &kabar.Text{Body: "Hi! Do you still have the Sumatra from last week?"}})
	photo := kabar.NewMedia(kabar.KindImage)
	photo.Caption = "We do. *Fresh from Friday*, see https://coffee.example/sumatra."
	f.add(ana, read(phone.Message{Content: photo, Media: "photo", Context: hello, Reactions: []phone.Reaction{{Mine: true, Emoji: "❤️"}}}))
	voice := kabar.NewMedia(kabar.KindAudio)
	voice.Voice = true
	f.add(ana, phone.Message{Mine: true, Status: kabar.Delivered, Content: voice, Media: "voice"})
	file := kabar.NewMedia(kabar.KindDocument)
	file.Filename, file.Size = "Price list, November.pdf", 182_400
	f.add(ana, read(phone.Message{Content: file, Media: "file"}))
	f.add(ana, phone.Message{Mine: true, Status: kabar.Delivered, Forwarded: true, Content: &kabar.Text{Body: "Is it good for filter?"}})
	f.add(ana, read(phone.Message{Content: &kabar.Location{Latitude: 41.40338, Longitude: 2.17403, Name: "Kabar Coffee", Address: "12 Harbour Lane"}}))
	f.add(ana, phone.Message{Mine: true, Status: kabar.Read, Content: &kabar.Text{Body: "👍"}})
	f.add(ana, phone.Message{Mine: true, Deleted: true, Content: &kabar.Text{Body: "oops"}})
	f.add(ana, phone.Message{Mine: true, Status: kabar.Failed, Content: &kabar.Text{Body: "This one got lost"}})
	f.add(ana, read(phone.Message{Content: &kabar.Template{Name: "order_ready", Rendered: &kabar.Rendered{
		Header: &kabar.Header{Type: kabar.KindText, Text: "Your order is ready"},
		Body:   "Order *4711* waits for you at the counter.", Footer: "Open until six",
		Buttons: []kabar.RenderedButton{
			{Type: kabar.ButtonQuickReply, Text: "I'm on my way", Payload: "coming"},
			{Type: kabar.ButtonURL, Text: "Show on the map", URL: "https://coffee.example/map"},
		},
	}}}))
	f.add(ana, read(phone.Message{Content: &kabar.Interactive{
		Type: kabar.InteractiveList, Body: "How shall we grind it?",
		Action: kabar.Action{Button: "Choose a grind", Sections: []kabar.Section{
			{Title: "Filter", Rows: []kabar.Row{{ID: "v60", Title: "Pour over", Description: "Medium"}, {ID: "press", Title: "French press", Description: "Coarse"}}},
			{Title: "Espresso", Rows: []kabar.Row{{ID: "fine", Title: "Machine", Description: "Fine"}}},
		}},
	}}))
	f.add(ana, phone.Message{Mine: true, Status: kabar.Read, Content: &kabar.Reply{Type: kabar.ListReply, ID: "v60", Title: "Pour over", Description: "Medium"}, Context: "gBGG0014/="})
	f.add(ana, read(phone.Message{ID: "wamid.ask==", Content: &kabar.Interactive{
		Type: kabar.InteractiveButton, Body: "250 g of Sumatra, ground for pour over. Shall we bring it today?", Footer: "Delivery is free",
		Action: kabar.Action{Buttons: []kabar.ReplyButton{{ID: "yes", Title: "Yes, please"}, {ID: "later", Title: "Tomorrow"}}},
	}}))
}

// modern is a chat with what can be bought, filled in and come from.
func modern() *fake {
	f := populated()
	f.threads[ana] = nil
	f.media["sticker"], f.media["ad"] = picture(), picture()
	say := func(c kabar.Content, m phone.Message) string {
		m.Content, m.Status = c, kabar.Read
		return f.add(ana, m)
	}
	ask := func(t kabar.InteractiveType, body string, a kabar.Action) string {
		return say(&kabar.Interactive{Type: t, Body: body, Action: a}, phone.Message{ID: "ask-" + string(t)})
	}
	say(&kabar.Text{Body: "Hi! I saw your ad."}, phone.Message{Mine: true, Media: "ad", Referral: &kabar.Referral{Headline: "Half price this week", Body: "All beans",
		SourceURL: "https://ads.example/7", Kind: kabar.KindImage}})
	say(&kabar.Text{Body: "Everybody should read this"}, phone.Message{Mine: true, Forwarded: true, Frequent: true})
	say(&kabar.Text{Body: "Is it washed?"}, phone.Message{Mine: true, Product: &kabar.ProductRef{Catalog: "beans", RetailerID: "sumatra-250"}})
	say(kabar.NewMedia(kabar.KindSticker), phone.Message{Media: "sticker"})
	say(&kabar.Contacts{Cards: []kabar.Card{{Name: kabar.CardName{Formatted: "Budi Santoso"}, Phones: []kabar.CardPhone{{Phone: "+62 812 3456 7890"}},
		Org: &kabar.CardOrg{Company: "Kabar Coffee"}}}}, phone.Message{})
	beans := []kabar.Product{{RetailerID: "sumatra-250", Name: "Sumatra, 250 g", Price: 12500, Currency: "EUR", Availability: kabar.InStock},
		{RetailerID: "java-250", Name: "Java, 250 g", Price: 11900, Currency: "EUR", Availability: kabar.OutOfStock}}
	ask(kabar.InteractiveProducts, "What we have roasted:", kabar.Action{Catalog: "beans", Products: beans})
	say(&kabar.Order{Catalog: "beans", Items: []kabar.OrderItem{{RetailerID: "sumatra-250", Quantity: 2, Price: 12500, Currency: "EUR"}}}, phone.Message{Mine: true})
	ask(kabar.InteractiveFlow, "When shall we bring it?", kabar.Action{Flow: &kabar.Flow{Text: "Choose a time"}})
	say(&kabar.Reply{Type: kabar.FormReply, Form: &kabar.Form{Name: kabar.FormFlow, Body: "Sent", Response: `{"day":"Friday","time":"10:00"}`}}, phone.Message{Mine: true})
	ask(kabar.InteractiveAddress, "Where to?", kabar.Action{Address: &kabar.AddressForm{Country: "IN", Values: map[string]string{"name": "Ana"},
		Errors: map[string]string{"in_pin_code": "We do not deliver there"}}})
	ask(kabar.InteractivePlace, "Or show us where you are.", kabar.Action{})
	ask(kabar.InteractiveLink, "See how we roast", kabar.Action{Link: &kabar.Link{Text: "Watch", URL: "https://coffee.example/roast"}})
	return f
}

// poster is a short chat that shows much in one window.
func poster() *fake {
	f := populated()
	f.threads[ana] = nil
	read := func(c kabar.Content, m phone.Message) string {
		m.Content, m.Status = c, kabar.Read
		return f.add(ana, m)
	}
	hello := read(&kabar.Text{Body: "Hi! Do you still have the Sumatra from last week?"}, phone.Message{Mine: true})
	photo := kabar.NewMedia(kabar.KindImage)
	photo.Caption = "We do. *Fresh from Friday.*"
	read(photo, phone.Message{Media: "photo", Context: hello, Reactions: []phone.Reaction{{Mine: true, Emoji: "❤️"}}})
	read(&kabar.Text{Body: "Then one bag, please, ground for pour over"}, phone.Message{Mine: true})
	read(&kabar.Interactive{
		Type: kabar.InteractiveButton, Body: "Gladly. Shall we bring it today?", Footer: "Delivery is free",
		Action: kabar.Action{Buttons: []kabar.ReplyButton{{ID: "yes", Title: "Yes, please"}, {ID: "later", Title: "Tomorrow"}}},
	}, phone.Message{})
	f.add(ana, phone.Message{Mine: true, Status: kabar.Delivered, Content: &kabar.Reply{ID: "yes", Title: "Yes, please"}})
	return f
}

// picture draws a small landscape.
func picture() []byte {
	img := image.NewRGBA(image.Rect(0, 0, 480, 280))
	for y := range 280 {
		for x := range 480 {
			hill := 160 + 30*math.Sin(float64(x)/60) + 12*math.Sin(float64(x)/23)
			c := color.RGBA{uint8(250 - y/4), uint8(205 - y/3), uint8(150 + y/5), 255}
			switch {
			case float64(y) > hill+60:
				c = color.RGBA{38, 74, 62, 255}
			case float64(y) > hill:
				c = color.RGBA{72, 118, 92, 255}
			case (x-350)*(x-350)+(y-75)*(y-75) < 1600:
				c = color.RGBA{255, 238, 205, 255}
			}
			img.Set(x, y, c)
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// tone is a second of sound as a WAV file.
func tone() []byte {
	const rate = 8000
	header := []byte("RIFF\x64\x1f\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x40\x1f\x00\x00\x01\x00\x08\x00data\x40\x1f\x00\x00")
	for i := range rate {
		header = append(header, uint8(128+40*math.Sin(float64(i)*2*math.Pi*440/rate)))
	}
	return header
}
