package onprem

import (
	"strings"

	"kabar/internal/golden"
)

// settingsRoutes are the routes of an administrator, as keyRoutes has them.
func settingsRoutes() []keyRoute {
	const photo, about, profile = "/v1/settings/profile/photo", "/v1/settings/profile/about", "/v1/settings/business/profile"
	const external, webhooks = "/v1/certificates/external", "/v1/certificates/webhooks/ca"
	all := []keyRoute{
		{"POST /v1/settings/backup", "/v1/settings/backup", `{"password":"Secret-12"}`, 200, 200, true},
		{"POST /v1/settings/restore", "/v1/settings/restore", `{"password":"Secret-12","data":"AAAA"}`, 400, 400, true},
		{"GET /v1/stickerpacks", "/v1/stickerpacks", "", 200, 200, false},
		{"POST /v1/stickerpacks", "/v1/stickerpacks", `{"publisher":"Warung","name":"Cats"}`, 201, 201, false},
		{"GET /v1/stickerpacks/{id}", "/v1/stickerpacks/x", "", 404, 404, false},
		{"PATCH /v1/stickerpacks/{id}", "/v1/stickerpacks/x", `{"publisher":"P"}`, 404, 404, false},
		{"DELETE /v1/stickerpacks/{id}", "/v1/stickerpacks/x", "", 404, 404, false},
		{"GET /v1/stickerpacks/{id}/stickers", "/v1/stickerpacks/x/stickers", "", 404, 404, false},
		{"POST /v1/stickerpacks/{id}/stickers", "/v1/stickerpacks/x/stickers", `{"image_data_id":"i"}`, 404, 404, false},
		{"GET /v1/stickerpacks/{id}/stickers/{index}", "/v1/stickerpacks/x/stickers/1", "", 404, 404, false},
		{"PATCH /v1/stickerpacks/{id}/stickers/{index}", "/v1/stickerpacks/x/stickers/1", `{"image_data_id":"i"}`, 404, 404, false},
		{"DELETE /v1/stickerpacks/{id}/stickers/{index}", "/v1/stickerpacks/x/stickers/1", "", 404, 404, false},
		{"GET /v1/stats/app", "/v1/stats/app", "", 200, 200, false},
		{"GET /v1/stats/app/internal", "/v1/stats/app/internal", "", 200, 200, false},
		{"GET /v1/stats/db", "/v1/stats/db", "", 200, 200, false},
		{"GET /v1/stats/db/internal", "/v1/stats/db/internal?format=prometheus", "", 200, 200, false},
		{"GET /v1/metrics", "/v1/metrics", "", 200, 200, false},
		{"GET /v1/support", "/v1/support", "", 200, 200, false},
		{"POST " + external, external, string(golden.Sample("external")), 200, 403, true},
		{"GET " + external + "/ca", external + "/ca", "", 200, 200, false},
		{"POST " + webhooks, webhooks, string(golden.Sample("ca")), 200, 200, true},
		{"GET " + webhooks, webhooks, "", 200, 200, true},
		{"DELETE " + webhooks, webhooks, "", 200, 200, true},
		{"DELETE /v1/settings/application", "/v1/settings/application", "", 200, 200, true},
		{"GET " + profile, profile, "", 200, 200, true},
		{"POST " + profile, profile, `{"address":"Jalan Kopi 1"}`, 200, 200, true},
		{"GET " + about, about, "", 200, 200, true},
		{"PATCH " + about, about, `{"text":"Open"}`, 200, 200, true},
		{"POST " + photo, photo, string(golden.Picture(20, 20)), 200, 200, true},
		{"GET " + photo, photo, "", 200, 200, true},
		{"DELETE " + photo, photo, "", 200, 200, true},
	}
	for _, pattern := range groupRoutes() {
		_, path, _ := strings.Cut(pattern, " ")
		all = append(all, keyRoute{pattern, strings.ReplaceAll(path, "{id}", "x"), "{}", 403, 403, false})
	}
	return all
}
